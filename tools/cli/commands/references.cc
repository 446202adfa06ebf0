#include "commands/references.h"

#include "commands/name_list.h"

namespace asl::cli {

Result<void> for_each_reference(const ParsedOptions& options,
                                const std::function<Result<void>(const std::string& text)>& each) {
  const std::vector<std::string>& given = options.arguments("REF");
  const auto list = options.text("files-from");
  if (given.empty() && !list) return fail(ErrorCode::kUsage, "no reference given");
  if (options.flag("null") && !list)
    return fail(ErrorCode::kUsage, "--null is about the references of --files-from");
  for (const std::string& text : given) ASL_TRY(each(text));
  if (!list) return {};
  ASL_ASSIGN(NameReader lines, NameReader::open(*list, options.flag("null")));
  while (true) {
    ASL_ASSIGN(const std::optional<std::string> line, lines.next());
    if (!line) return {};
    const std::string text = line->substr(0, line->find_first_of(" \t"));
    if (!text.empty()) ASL_TRY(each(text));
  }
}

}  // namespace asl::cli
