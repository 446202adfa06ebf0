// JSON as SOPS writes it, as the same tree of scalars that its YAML gives.
#pragma once

#include <string_view>

#include <asl/auth/strict_yaml.h>
#include <asl/engine/error.h>

namespace asl::auth {

// RFC 8259 JSON, an object at the top and nothing after it; keys are unique. Numbers, true, false and null
// become plain scalars of their spelling. Size and depth are limited as in YAML. kMalformed otherwise.
Result<YamlNode> parse_json_tree(std::string_view text, std::size_t size_max);

}  // namespace asl::auth
