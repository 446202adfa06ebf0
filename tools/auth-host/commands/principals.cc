#include "commands/principals.h"

#include <asl/auth/files.h>
#include <asl/auth/policy.h>

namespace asl::cli {

Result<auth::RoleSet> parse_roles(std::string_view text) {
  if (text == "all") return auth::RoleSet::all();
  auth::RoleSet roles;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    const auto role = auth::role_of_name(name);
    if (!role)
      return fail(Error{.code = ErrorCode::kUsage,
                        .message = "no such role",
                        .object = std::string(name),
                        .hint = "produce, execute, publish, federate, audit, or all"});
    roles.add(*role);
  }
  return roles;
}

Result<auth::Principal> parse_principal(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  if (equals == text.npos)
    return fail(Error{.code = ErrorCode::kUsage, .message = "a principal is FILE=ROLES", .object = text});
  ASL_ASSIGN(const auth::PublicKeyFile file, auth::read_public_key_file(text.substr(0, equals)));
  ASL_ASSIGN(const auth::RoleSet roles, parse_roles(std::string_view(text).substr(equals + 1)));
  return auth::Principal{.key = file.key, .roles = roles};
}

Result<auth::DamChange> parse_dam_change(const ParsedOptions& options) {
  auth::DamChange change;
  for (const std::string& text : options.list("principal")) {
    ASL_ASSIGN(const auth::Principal principal, parse_principal(text));
    change.set.push_back(principal);
  }
  for (const std::string& text : options.list("remove")) {
    const auto id = digest_from_hex(text);
    if (!id)
      return fail(Error{.code = ErrorCode::kUsage, .message = "a key id is 64 hex digits", .object = text});
    change.remove.push_back(*id);
  }
  if (const auto path = options.text("new-root")) {
    ASL_ASSIGN(const auth::PublicKeyFile file, auth::read_public_key_file(*path));
    change.root_key = file.key;
  }
  if (const auto path = options.text("policy")) {
    ASL_ASSIGN(const auth::Policy policy, auth::read_policy_file(*path));
    change.policy_hash = auth::policy_hash(policy);
  }
  return change;
}

}  // namespace asl::cli
