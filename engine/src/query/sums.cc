#include <asl/engine/sums.h>
#include <asl/engine/tree_walk.h>

namespace asl {
namespace {

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::string sum_line(const Digest& digest, std::string_view path, SumLineEnd end) {
  const bool escape = end == SumLineEnd::kNewline && path.find_first_of("\\\n\r") != std::string_view::npos;
  std::string line = escape ? "\\" : "";
  line += to_hex(digest);
  line += "  ";
  if (path == "-") line += "./";
  for (const char c : path) {
    if (escape && c == '\\')
      line += "\\\\";
    else if (escape && c == '\n')
      line += "\\n";
    else if (escape && c == '\r')
      line += "\\r";
    else
      line += c;
  }
  line += static_cast<char>(end);
  return line;
}

Result<SumsReport> list_sums(const Domain& domain, const Snapshot& snapshot, const std::string& path,
                             const SumVisitor& visit) {
  SumsReport report;
  const auto each = [&](const std::string& below, const Entry& entry) -> Result<WalkStep> {
    if (entry.type != EntryType::kFile) return WalkStep::kContinue;
    ++report.files;
    const bool whole = entry.content.hash_id == kHashIdSha256;
    report.partial += whole ? 0 : 1;
    ASL_TRY(visit(below.empty() ? base_name(path) : below, whole ? &entry.content.digest : nullptr));
    return WalkStep::kContinue;
  };
  ASL_TRY(walk_snapshot(domain, snapshot, path, each));
  return report;
}

}  // namespace asl
