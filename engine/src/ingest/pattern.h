// File name patterns as restic, git and rsync users know them.
//
//   name     matches the last component of a path, at any depth
//   a/b      matches these components in a row, at any depth
//   /a/b     matches from the root of the source only
//   a/       (a trailing slash) matches directories only
//   !a       takes back what an earlier pattern matched: the last pattern that matches decides
//   *  ?     any run, any one character, but never '/'
//   **       any run including '/'; "**/" also matches nothing, so that a/**/b matches a/b
//   [a-z]    one character of a set, never '/'; [!a-z] and [^a-z] one that is not in it
//   \x       the character x itself
//
// A character is a well-formed UTF-8 sequence or, outside of such, one byte. Nothing is folded: case matters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <asl/engine/error.h>

namespace asl {

// One glob, without '!' and trailing '/'. Matching costs at most (path length * tokens), whatever the
// pattern: all positions are followed at once, nothing is tried again.
class Glob {
 public:
  // The longest pattern: a path of PATH_MAX spelled out fits.
  static constexpr std::size_t kTokensMax = 4096;

  // kUsage for an empty or too long pattern, a set that is not closed, a lone backslash at the end.
  static Result<Glob> parse(std::string_view text);
  bool matches(std::string_view path) const;
  // The text itself if there is nothing special in it (escapes resolved), else nothing.
  const std::string* literal() const { return is_literal_ ? &suffix_ : nullptr; }

 private:
  enum class Kind : std::uint8_t { kCharacter, kAnyOne, kStar, kStarStar, kStarStarSlash, kSet };
  struct Token {
    Kind kind;
    bool negated;
    char32_t character;   // kCharacter
    std::uint32_t first;  // kSet: ranges_[first, first + count)
    std::uint32_t count;
  };
  struct Range {
    char32_t low, high;
  };
  class States;

  Result<void> parse_token(std::string_view text, std::size_t& at);
  Result<void> parse_set(std::string_view text, std::size_t& at);
  bool in_set(const Token& token, char32_t character) const;
  void enter(States& states, std::size_t token) const;
  void step(const States& from, States& to, char32_t character, bool at_component_end) const;

  std::vector<Token> tokens_;
  std::vector<Range> ranges_;
  std::string suffix_;  // the literal bytes every match must end with
  bool is_literal_ = false;
};

// An ordered list of patterns, the last match deciding.
class PatternList {
 public:
  // kUsage, naming the pattern.
  Result<void> add(std::string_view pattern);
  bool empty() const { return rule_count_ == 0; }
  // `path` is relative to the root of the source, "a/b/c". Thread-safe.
  bool matches(std::string_view path, bool is_directory) const;

 private:
  struct Rule {
    Glob glob;
    std::uint32_t order;
    bool whole_path;  // otherwise against the last component
    bool directories_only;
    bool negated;
  };
  struct Literal {
    std::uint32_t order_any = 0;  // of the last rule of that name, plus one; 0 none
    std::uint32_t order_directory = 0;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::uint32_t rule_count_ = 0;
  std::vector<Rule> globs_;  // by order
  // Plain names and paths, which long --exclude-from files consist of: one look-up for all of them.
  using LiteralMap = std::unordered_map<std::string, Literal, TextHash, std::equal_to<>>;
  static std::uint32_t last_order(const LiteralMap& map, std::string_view text, bool is_directory);
  LiteralMap literal_names_;
  LiteralMap literal_paths_;   // anchored
  std::vector<bool> negated_;  // by order
};

}  // namespace asl
