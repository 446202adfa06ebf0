// What stands between the scalars of a YAML file. libyaml drops comments and forgives much; here every
// character that belongs to no scalar must be one that the strict subset has.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <asl/engine/error.h>

namespace asl::auth {

// Where libyaml found a token. Lines and columns from 0; columns count characters, as libyaml does.
struct YamlSpan {
  enum class Kind : std::uint8_t { kPlain, kQuoted, kLiteral, kEmptyList };
  std::uint64_t line = 0;
  std::uint64_t column = 0;
  std::uint64_t end_line = 0;
  std::uint64_t end_column = 0;
  Kind kind = Kind::kPlain;
};

// `line` from 1; 0: no particular one.
[[nodiscard]] std::unexpected<Error> yaml_error(std::uint64_t line, std::string_view what);

// `spans` in file order; `text` is UTF-8 and its lines end with LF.
Result<void> check_layout(std::string_view text, const std::vector<YamlSpan>& spans, bool comments);

}  // namespace asl::auth
