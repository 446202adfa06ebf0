#include "commands/places.h"

namespace asl::cli {

Result<Place> find_place(const Domain& domain, const std::string& text) {
  Place place;
  ASL_ASSIGN(SnapshotPath named, domain.parse_snapshot_path(text));
  ASL_ASSIGN(place.snapshot, domain.snapshot(named.snapshot_id));
  place.path = std::move(named.path);
  ASL_ASSIGN(place.entry, find_path(domain, place.snapshot, place.path));
  return place;
}

Result<Place> find_place(const Domain& domain, const ParsedOptions& options) {
  const auto& given = options.arguments("ID[:PATH]");
  return find_place(domain, given.empty() ? "latest" : given.front());
}

std::string join_path(const std::string& above, const std::string& below) {
  if (above.empty() || below.empty()) return above + below;
  return above + "/" + below;
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace asl::cli
