#include "transfer/owner_names.h"

#include <grp.h>
#include <pwd.h>

#include <asl/engine/cm.h>

namespace asl {
namespace {

// Room for one line of passwd or group; a group with a hundred thousand members stays without a number.
constexpr std::size_t kLineBytes = 1 << 20;

}  // namespace

void OwnerNames::add(std::uint32_t id, const std::string& name) {
  if (name.empty() || name.size() > kSnapshotTextSizeMax || !is_valid_utf8(name)) return;
  if (names_.size() < kNamesMax || names_.contains(id)) names_.try_emplace(id, name);
  if (ids_.size() < kNamesMax) ids_.try_emplace(name, id);
}

std::optional<std::uint32_t> OwnerNames::id_of(const std::string& name) const {
  const auto at = ids_.find(name);
  return at == ids_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<SnapshotName> OwnerNames::list() const {
  std::vector<SnapshotName> list;
  for (const auto& [id, name] : names_) list.push_back({id, name});
  return list;
}

std::optional<std::uint32_t> local_user_id(const std::string& name) {
  std::vector<char> buffer(kLineBytes);
  struct passwd entry{};
  struct passwd* found = nullptr;
  const int failed = getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return failed == 0 && found != nullptr ? std::optional(found->pw_uid) : std::nullopt;
}

std::optional<std::uint32_t> local_group_id(const std::string& name) {
  std::vector<char> buffer(kLineBytes);
  struct group entry{};
  struct group* found = nullptr;
  const int failed = getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return failed == 0 && found != nullptr ? std::optional(found->gr_gid) : std::nullopt;
}

}  // namespace asl
