#include "commands/problems.h"

#include <cstring>
#include <fmt/format.h>

#include "text.h"

namespace asl::cli {
namespace {

std::string reason_text(const SourceError& problem) {
  return problem.sys_errno == 0 ? problem.operation
                                : problem.operation + ": " + std::strerror(problem.sys_errno);
}

}  // namespace

void warn_of_problems(Context& context, const std::vector<SourceError>& problems, std::uint64_t count) {
  for (const SourceError& problem : problems)
    context.warn(printable(problem.path) + ": " + reason_text(problem));
  if (count > problems.size())
    context.warn(fmt::format("and {} more; all are kept with the snapshot", count - problems.size()));
}

void put_problems(Json& json, const std::vector<SourceError>& problems, std::uint64_t count) {
  json["problem_count"] = count;
  json["problems"] = Json::array();
  for (const SourceError& problem : problems) {
    Json row;
    put_bytes(row, "path", problem.path);
    row["operation"] = problem.operation;
    row["errno"] = problem.sys_errno;
    json["problems"].push_back(row);
  }
}

}  // namespace asl::cli
