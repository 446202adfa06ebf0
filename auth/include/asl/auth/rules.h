// The rules that authority objects are checked against, as one table: every refusal names the rule it comes
// from, and doc/authority-rules.md explains each.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <asl/engine/error.h>

namespace asl::auth {

struct RuleSpec {
  std::string_view name;
  ErrorCode code;  // what breaking it is
  std::string_view meaning;
};

std::span<const RuleSpec> rule_table();

// "<message> (rule <name>)", with the rule's code. A name that is not in the table is a programming error.
[[nodiscard]] std::unexpected<Error> broken_rule(std::string_view name, std::string message,
                                                 std::string object = {});

}  // namespace asl::auth
