// Principals and changes of a manifest, as options name them.
#pragma once

#include <string>
#include <vector>

#include <asl/auth/dam.h>

#include "program.h"

namespace asl::cli {

// "execute,publish", or "all".
Result<auth::RoleSet> parse_roles(std::string_view text);
// "FILE=ROLES"; the file's name may have '=' as well.
Result<auth::Principal> parse_principal(const std::string& text);
// --principal, --remove, --new-root, --policy.
Result<auth::DamChange> parse_dam_change(const ParsedOptions& options);

}  // namespace asl::cli
