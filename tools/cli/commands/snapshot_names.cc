#include "commands/snapshot_names.h"

namespace asl::cli {

Result<std::uint64_t> snapshot_id(const Domain& domain, const std::string& text) {
  if (text.find(':') != std::string::npos)
    return fail(
        Error{.code = ErrorCode::kUsage, .message = "a snapshot without a path, please", .object = text});
  ASL_ASSIGN(const SnapshotPath named, domain.parse_snapshot_path(text));
  return named.snapshot_id;
}

Result<std::vector<std::uint64_t>> snapshot_ids(const Domain& domain, const std::vector<std::string>& texts) {
  std::vector<std::uint64_t> ids;
  for (const std::string& text : texts) {
    ASL_ASSIGN(const std::uint64_t id, snapshot_id(domain, text));
    ids.push_back(id);
  }
  return ids;
}

std::string id_list(const std::vector<std::uint64_t>& ids) {
  std::string text;
  for (std::size_t k = 0; k < ids.size(); ++k) {
    if (k > 0) text += k + 1 == ids.size() ? " and " : ", ";
    text += std::to_string(ids[k]);
  }
  return text;
}

}  // namespace asl::cli
