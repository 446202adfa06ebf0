// What a principal may do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/value.h>

namespace asl::auth {

// The codes are those of the policy hash.
enum class Role : std::uint8_t { kProduce = 1, kExecute = 2, kPublish = 3, kFederate = 4, kAudit = 5 };
inline constexpr Role kRoles[] = {Role::kProduce, Role::kExecute, Role::kPublish, Role::kFederate,
                                  Role::kAudit};

std::string_view role_name(Role role);
std::optional<Role> role_of_name(std::string_view name);

class RoleSet {
 public:
  RoleSet() = default;
  RoleSet(std::initializer_list<Role> roles) {
    for (const Role role : roles) add(role);
  }
  static RoleSet all() {
    return {Role::kProduce, Role::kExecute, Role::kPublish, Role::kFederate, Role::kAudit};
  }

  void add(Role role) { bits_ = static_cast<std::uint8_t>(bits_ | bit(role)); }
  bool contains(Role role) const { return (bits_ & bit(role)) != 0; }
  bool contains_all(RoleSet other) const { return (bits_ & other.bits_) == other.bits_; }
  bool empty() const { return bits_ == 0; }
  // By code.
  std::vector<Role> list() const;
  // Names sorted by bytes, as objects hold them.
  std::vector<std::string> names() const;
  Value to_value() const;
  bool operator==(const RoleSet&) const = default;

 private:
  static std::uint8_t bit(Role role) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(role)); }
  std::uint8_t bits_ = 0;
};

}  // namespace asl::auth
