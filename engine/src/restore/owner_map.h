// Users and groups of a snapshot, as this system knows them.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/snapshot.h>

namespace asl {

// Immutable, so thread-safe. Bounded by the snapshot's own size limit.
class OwnerMap {
 public:
  OwnerMap() = default;  // every number stays what it is
  // Numbers whose name this system gives another number are mapped; the rest stay. A name that is not
  // known here keeps its number.
  static OwnerMap by_name(const std::vector<SnapshotName>& users, const std::vector<SnapshotName>& groups);
  static OwnerMap with(std::unordered_map<std::uint32_t, std::uint32_t> users,
                       std::unordered_map<std::uint32_t, std::uint32_t> groups);

  std::uint32_t user(std::uint32_t id) const { return lookup(users_, id); }
  std::uint32_t group(std::uint32_t id) const { return lookup(groups_, id); }
  // The value of a system.posix_acl_* attribute with its users and groups mapped. What does not look like an
  // ACL of the version known comes back as it is: the kernel will judge it.
  Bytes acl(ByteSpan value) const;
  bool changes_nothing() const { return users_.empty() && groups_.empty(); }

 private:
  using Map = std::unordered_map<std::uint32_t, std::uint32_t>;
  static std::uint32_t lookup(const Map& map, std::uint32_t id) {
    if (map.empty()) return id;
    const auto found = map.find(id);
    return found == map.end() ? id : found->second;
  }
  Map users_;  // only what differs
  Map groups_;
};

}  // namespace asl
