// The users and groups that an archive names.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/snapshot.h>

namespace asl {

// Of one kind, users or groups. Bounded; what is beyond stays a number. Not thread-safe.
class OwnerNames {
 public:
  static constexpr std::size_t kNamesMax = 65'536;

  // The first name of an id, and the first id of a name, count. Names that a snapshot cannot hold are passed
  // over.
  void add(std::uint32_t id, const std::string& name);
  std::optional<std::uint32_t> id_of(const std::string& name) const;
  std::vector<SnapshotName> list() const;

 private:
  std::map<std::uint32_t, std::string> names_;
  std::map<std::string, std::uint32_t> ids_;
};

// What this machine says.
std::optional<std::uint32_t> local_user_id(const std::string& name);
std::optional<std::uint32_t> local_group_id(const std::string& name);

}  // namespace asl
