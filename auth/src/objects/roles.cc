#include <algorithm>

#include <asl/auth/roles.h>

namespace asl::auth {
namespace {

constexpr std::string_view kNames[] = {"produce", "execute", "publish", "federate", "audit"};

}  // namespace

std::string_view role_name(Role role) {
  return kNames[static_cast<std::size_t>(role) - 1];
}

std::optional<Role> role_of_name(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at == std::end(kNames)) return std::nullopt;
  return kRoles[at - std::begin(kNames)];
}

std::vector<Role> RoleSet::list() const {
  std::vector<Role> roles;
  std::ranges::copy_if(kRoles, std::back_inserter(roles), [&](Role role) { return contains(role); });
  return roles;
}

std::vector<std::string> RoleSet::names() const {
  std::vector<std::string> names;
  for (const Role role : list()) names.emplace_back(role_name(role));
  std::ranges::sort(names);
  return names;
}

Value RoleSet::to_value() const {
  Value::Array items;
  for (std::string& name : names()) items.emplace_back(std::move(name));
  return items;
}

}  // namespace asl::auth
