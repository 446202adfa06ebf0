#include "ingest/pattern.h"

#include <algorithm>
#include <array>

namespace asl {
namespace {

// Stands for byte b outside of well-formed UTF-8, beyond every code point.
constexpr char32_t kRawByte = 0x110000;

// Takes one character (see pattern.h) off the front of `text`, which is not empty.
char32_t take_character(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) {
    ++at;
    return lead;
  }
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  char32_t value = lead & (0xFFU >> (length + 1));
  bool valid = lead >= 0xC2 && lead <= 0xF4 && at + length <= text.size();
  for (std::size_t i = 1; valid && i < length; ++i) {
    valid = (byte(at + i) & 0xC0) == 0x80;
    value = value << 6 | (byte(at + i) & 0x3FU);
  }
  // Overlong forms, surrogates and values past the end are no characters.
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (!valid || value < kLeast[length] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
    ++at;
    return kRawByte + lead;
  }
  at += length;
  return value;
}

Error bad_pattern(std::string_view text, std::string_view why) {
  Error error;
  error.code = ErrorCode::kUsage;
  error.message = "bad pattern '" + std::string(text) + "': " + std::string(why);
  return error;
}

}  // namespace

// The token positions a match may have reached: a list without duplicates.
class Glob::States {
 public:
  bool insert(std::size_t token) {
    std::uint64_t& word = seen_[token / 64];
    const std::uint64_t bit = 1ULL << (token % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
    list_[count_++] = static_cast<std::uint16_t>(token);
    return true;
  }
  void clear() {
    for (std::size_t i = 0; i < count_; ++i) seen_[list_[i] / 64] = 0;
    count_ = 0;
  }
  bool empty() const { return count_ == 0; }
  bool contains(std::size_t token) const { return (seen_[token / 64] >> (token % 64) & 1) != 0; }
  const std::uint16_t* begin() const { return list_.data(); }
  const std::uint16_t* end() const { return list_.data() + count_; }

 private:
  std::array<std::uint64_t, kTokensMax / 64 + 1> seen_{};
  std::array<std::uint16_t, kTokensMax + 1> list_;
  std::size_t count_ = 0;
};

Result<Glob> Glob::parse(std::string_view text) {
  if (text.empty()) return fail(bad_pattern(text, "it is empty"));
  Glob glob;
  for (std::size_t at = 0; at < text.size();) {
    ASL_TRY(glob.parse_token(text, at));
    if (glob.tokens_.size() > kTokensMax) return fail(bad_pattern(text.substr(0, 64), "it is too long"));
  }
  return glob;
}

Result<void> Glob::parse_token(std::string_view text, std::size_t& at) {
  const bool first = tokens_.empty();
  const char head = text[at];
  Token token{Kind::kCharacter, false, 0, 0, 0};
  if (head == '[') {
    suffix_.clear();
    is_literal_ = false;
    return parse_set(text, at);
  }
  if (head == '*' || head == '?') {
    suffix_.clear();
    is_literal_ = false;
    const std::size_t begin = at++;
    if (head == '?') {
      token.kind = Kind::kAnyOne;
    } else {
      while (at < text.size() && text[at] == '*') ++at;
      token.kind = at - begin == 1 ? Kind::kStar : Kind::kStarStar;
      // Only a whole component "**" may vanish together with its slash.
      if (at - begin == 2 && at < text.size() && text[at] == '/' && (begin == 0 || text[begin - 1] == '/')) {
        token.kind = Kind::kStarStarSlash;
        ++at;
      }
    }
    tokens_.push_back(token);
    return {};
  }
  if (first) is_literal_ = true;
  if (head == '\\' && ++at == text.size())
    return fail(bad_pattern(text, "a backslash at the end escapes nothing"));
  const std::size_t begin = at;
  token.character = take_character(text, at);
  suffix_.append(text.substr(begin, at - begin));
  tokens_.push_back(token);
  return {};
}

Result<void> Glob::parse_set(std::string_view text, std::size_t& at) {
  ++at;
  Token token{Kind::kSet, false, 0, static_cast<std::uint32_t>(ranges_.size()), 0};
  if (at < text.size() && (text[at] == '!' || text[at] == '^')) {
    token.negated = true;
    ++at;
  }
  const auto take = [&]() -> Result<char32_t> {
    if (at < text.size() && text[at] == '\\') ++at;
    if (at >= text.size())
      return fail(bad_pattern(text, "a set that starts with '[' is not closed with ']'"));
    return take_character(text, at);
  };
  // A ']' in the first place is a member, as in every shell.
  do {
    ASL_ASSIGN(const char32_t low, take());
    char32_t high = low;
    if (at + 1 < text.size() && text[at] == '-' && text[at + 1] != ']') {
      ++at;
      ASL_ASSIGN(high, take());
      if (high < low) return fail(bad_pattern(text, "a range in a set runs backwards"));
    }
    ranges_.push_back({low, high});
  } while (at >= text.size() || text[at] != ']');
  ++at;
  token.count = static_cast<std::uint32_t>(ranges_.size()) - token.first;
  tokens_.push_back(token);
  return {};
}

bool Glob::in_set(const Token& token, char32_t character) const {
  if (character == U'/') return false;
  for (std::uint32_t i = 0; i < token.count; ++i) {
    const Range& range = ranges_[token.first + i];
    if (character >= range.low && character <= range.high) return !token.negated;
  }
  return token.negated;
}

// A state is the token that must match next; tokens that may match nothing let their successor in as well.
void Glob::enter(States& states, std::size_t token) const {
  while (states.insert(token) && token < tokens_.size()) {
    const Kind kind = tokens_[token].kind;
    if (kind != Kind::kStar && kind != Kind::kStarStar && kind != Kind::kStarStarSlash) return;
    ++token;
  }
}

void Glob::step(const States& from, States& to, char32_t character, bool at_component_end) const {
  for (const std::uint16_t state : from) {
    if (state == tokens_.size()) continue;
    const Token& token = tokens_[state];
    switch (token.kind) {
      case Kind::kCharacter:
        if (token.character == character) enter(to, state + 1U);
        break;
      case Kind::kAnyOne:
        if (character != U'/') enter(to, state + 1U);
        break;
      case Kind::kSet:
        if (in_set(token, character)) enter(to, state + 1U);
        break;
      case Kind::kStar:
        if (character != U'/') enter(to, state);
        break;
      case Kind::kStarStar:
        enter(to, state);
        break;
      case Kind::kStarStarSlash:
        // Stays without letting its successor in, until whole components have been passed.
        if (at_component_end)
          enter(to, state);
        else
          to.insert(state);
        break;
    }
  }
}

bool Glob::matches(std::string_view path) const {
  if (!path.ends_with(suffix_)) return false;
  if (is_literal_) return path.size() == suffix_.size();
  std::array<States, 2> states;
  States* current = &states[0];
  States* next = &states[1];
  enter(*current, 0);
  for (std::size_t at = 0; at < path.size();) {
    const char32_t character = take_character(path, at);
    next->clear();
    step(*current, *next, character, character == U'/');
    std::swap(current, next);
    if (current->empty()) return false;
  }
  return current->contains(tokens_.size());
}

Result<void> PatternList::add(std::string_view pattern) {
  const std::string_view whole = pattern;
  const bool negated = pattern.starts_with('!');
  if (negated) pattern.remove_prefix(1);
  bool directories_only = false;
  while (pattern.ends_with('/') && !pattern.ends_with("\\/")) {
    pattern.remove_suffix(1);
    directories_only = true;
  }
  if (pattern.empty()) return fail(bad_pattern(whole, "it names nothing"));
  const bool anchored = pattern.starts_with('/');
  const bool whole_path = pattern.find('/') != std::string_view::npos;
  const std::string text = anchored     ? std::string(pattern.substr(1))
                           : whole_path ? "**/" + std::string(pattern)
                                        : std::string(pattern);
  auto glob = Glob::parse(text);
  if (!glob) return fail(std::move(glob).error());
  const std::uint32_t order = rule_count_++;
  negated_.push_back(negated);
  if (glob->literal() != nullptr && (anchored || !whole_path)) {
    Literal& literal = (anchored ? literal_paths_ : literal_names_)[*glob->literal()];
    (directories_only ? literal.order_directory : literal.order_any) = order + 1;
    return {};
  }
  globs_.push_back({std::move(*glob), order, whole_path, directories_only, negated});
  return {};
}

std::uint32_t PatternList::last_order(const LiteralMap& map, std::string_view text, bool is_directory) {
  if (map.empty()) return 0;
  const auto found = map.find(text);
  if (found == map.end()) return 0;
  return is_directory ? std::max(found->second.order_any, found->second.order_directory)
                      : found->second.order_any;
}

bool PatternList::matches(std::string_view path, bool is_directory) const {
  const std::size_t slash = path.rfind('/');
  const std::string_view base = slash == std::string_view::npos ? path : path.substr(slash + 1);
  // Orders plus one, so that 0 means none.
  std::uint32_t best = std::max(last_order(literal_names_, base, is_directory),
                                last_order(literal_paths_, path, is_directory));
  for (auto rule = globs_.rbegin(); rule != globs_.rend() && rule->order + 1 > best; ++rule) {
    if (rule->directories_only && !is_directory) continue;
    if (!rule->glob.matches(rule->whole_path ? path : base)) continue;
    best = rule->order + 1;
    break;
  }
  return best != 0 && !negated_[best - 1];
}

}  // namespace asl
