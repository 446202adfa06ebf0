#include "encoding/yaml_layout.h"

#include <fmt/format.h>

namespace asl::auth {
namespace {

// The bytes of the first `characters` characters.
std::size_t bytes_of(std::string_view text, std::uint64_t characters) {
  std::size_t at = 0;
  for (; characters > 0 && at < text.size(); --characters) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  }
  return at;
}

// YAML has more escapes than anybody needs to know; these are the ones that JSON has too.
bool escapes_are_known(std::string_view quoted) {
  for (std::size_t i = 0; i + 1 < quoted.size(); ++i) {
    if (quoted[i] != '\\') continue;
    ++i;
    if (std::string_view("\\\"ntr").find(quoted[i]) == std::string_view::npos) return false;
  }
  return true;
}

// One line, taken apart from the left.
class Line {
 public:
  Line(std::string_view text, std::uint64_t number, bool comments)
      : rest_(text), number_(number), comments_(comments) {}

  // Passes over what stands before `column`.
  Result<void> skip_to(std::uint64_t column) {
    if (column < column_) return yaml_error(number_ + 1, "tokens that overlap");
    const std::size_t size = bytes_of(rest_, column - column_);
    ASL_TRY(check_between(rest_.substr(0, size)));
    rest_.remove_prefix(size);
    column_ = column;
    return {};
  }

  // Passes over a token up to `column` and gives its text.
  std::string_view take_to(std::uint64_t column) {
    const std::size_t size = bytes_of(rest_, column - column_);
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    column_ = column;
    if (!taken.empty()) before_ = taken.back();
    return taken;
  }

  Result<void> skip_rest() { return in_comment_ ? Result<void>() : check_between(rest_); }
  std::string_view rest() const { return rest_; }

 private:
  Result<void> check_between(std::string_view between) {
    for (const char c : between) {
      if (in_comment_) return yaml_error(number_ + 1, "a comment");
      if (c == '#' && before_ == ' ') {
        if (!comments_) return yaml_error(number_ + 1, "a comment");
        in_comment_ = true;
        return {};
      }
      if (c != ' ' && c != '-' && c != ':')
        return yaml_error(number_ + 1, fmt::format("a character that does not belong here: '{}'",
                                                   c >= 0x20 && c <= 0x7E ? std::string(1, c) : "\\x"));
      before_ = c;
    }
    return {};
  }

  std::string_view rest_;
  std::uint64_t number_;
  bool comments_;
  std::uint64_t column_ = 0;
  char before_ = ' ';
  bool in_comment_ = false;
};

Result<void> check_token(const YamlSpan& span, Line& line) {
  switch (span.kind) {
    case YamlSpan::Kind::kPlain:
      line.take_to(span.end_column);
      return {};
    case YamlSpan::Kind::kQuoted:
      if (!escapes_are_known(line.take_to(span.end_column)))
        return yaml_error(span.line + 1, "an escape other than \\\\ \\\" \\n \\t \\r");
      return {};
    case YamlSpan::Kind::kEmptyList:
      if (span.end_line != span.line || line.take_to(span.end_column) != "[]")
        return yaml_error(span.line + 1, "an empty list is written []");
      return {};
    case YamlSpan::Kind::kLiteral:
      line.take_to(span.column + 1);
      if (!line.rest().empty()) return yaml_error(span.line + 1, "a block scalar begins with '|' alone");
      return {};
  }
  return {};
}

}  // namespace

std::unexpected<Error> yaml_error(std::uint64_t line, std::string_view what) {
  if (line == 0) return fail(ErrorCode::kMalformed, fmt::format("not strict YAML: {}", what));
  return fail(ErrorCode::kMalformed, fmt::format("not strict YAML: line {}: {}", line, what));
}

Result<void> check_layout(std::string_view text, const std::vector<YamlSpan>& spans, bool comments) {
  auto span = spans.begin();
  std::uint64_t literal_ends = 0;  // lines before this one belong to a literal
  for (std::uint64_t number = 0; !text.empty(); ++number) {
    const std::string_view content = text.substr(0, text.find('\n'));
    text.remove_prefix(content.size() + 1);
    if (number < literal_ends) continue;
    Line line(content, number, comments);
    for (; span != spans.end() && span->line == number; ++span) {
      ASL_TRY(line.skip_to(span->column));
      ASL_TRY(check_token(*span, line));
      if (span->kind == YamlSpan::Kind::kLiteral) literal_ends = span->end_line;
    }
    ASL_TRY(line.skip_rest());
  }
  if (span != spans.end()) return yaml_error(span->line + 1, "a token beyond the last line");
  return {};
}

}  // namespace asl::auth
