// What people and their files say: patterns, settings, sizes, names, netstrings.
#include <algorithm>
#include <fnmatch.h>
#include <set>
#include <string>

#include <asl/engine/cm.h>
#include <asl/engine/reference.h>

#include "config.h"
#include "fuzz.h"
#include "ingest/netstring.h"
#include "ingest/pattern.h"
#include "text.h"

namespace asl::fuzz {
namespace {

constexpr std::size_t kFnmatchSizeMax = 24;  // fnmatch tries again and again: longer ones take for ever

// Where glob and fnmatch(3) mean the same: ASCII, no sets, no "**", no escaped '/' (glibc then lets '*' pass
// it by).
bool fnmatch_agrees_on(std::string_view pattern, std::string_view path) {
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7F && c != '['; };
  return pattern.size() <= kFnmatchSizeMax && path.size() <= 4 * kFnmatchSizeMax &&
         std::ranges::all_of(pattern, plain) && std::ranges::all_of(path, plain) &&
         pattern.find("**") == std::string_view::npos && pattern.find("\\/") == std::string_view::npos;
}

}  // namespace

void fuzz_pattern(ByteSpan input) {
  const std::string_view text = as_text(input);
  const std::string pattern(text.substr(0, text.find('\0')));
  const std::string path(text.substr(std::min(text.size(), pattern.size() + 1)));
  if (const auto glob = Glob::parse(pattern)) {
    const bool matches = glob->matches(path);
    require(glob->matches(path) == matches, "a pattern answers the same again");
    if (glob->literal() != nullptr)
      require((*glob->literal() == path) == matches, "a literal matches itself only");
    if (fnmatch_agrees_on(pattern, path))
      require((::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0) == matches,
              "fnmatch says the same");
  }
  PatternList list;
  if (!list.add(pattern)) return;
  static_cast<void>(list.matches(path, false));
  if (list.matches(path, false)) require(list.matches(path, true), "what matches a file matches a directory");
  if (pattern.starts_with('!') || !list.add("!" + pattern)) return;
  require(!list.matches(path, false) && !list.matches(path, true), "a pattern taken back matches nothing");
}

void fuzz_config(ByteSpan input) {
  const auto parsed = cli::parse_config(as_text(input), "/c");
  require_same(parsed, cli::parse_config(as_text(input), "/c"), "a configuration parses the same again");
  if (!parsed) {
    require(parsed.error().code == ErrorCode::kMalformed, "what is wrong is malformed");
    return;
  }
  std::set<std::string> keys;
  for (const cli::ConfigEntry& entry : *parsed) {
    require(!entry.key.empty() && entry.line >= 1, "every entry has a key and a line");
    require(keys.insert(entry.key).second, "no key is there twice");
  }
}

void fuzz_text(ByteSpan input) {
  const std::string_view text = as_text(input);
  require(cli::is_utf8(text) == is_valid_utf8(text), "both readers of UTF-8 agree");
  const std::string shown = cli::printable(text);
  require(is_valid_utf8(shown), "what is shown is UTF-8");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  require(std::ranges::none_of(shown, is_control), "what is shown cannot drive a terminal");
  require(cli::printable_message(shown) == shown, "what is safe stays as it is");
  const std::string_view fitting = cli::fit_width(shown, 10);
  require(shown.starts_with(fitting) && cli::display_width(fitting) <= 10, "what was made to fit fits");
  static_cast<void>(cli::wrap(shown, 2, 20));
  static_cast<void>(cli::parse_size(text));
  static_cast<void>(cli::parse_percent(text));
  static_cast<void>(cli::parse_duration(text));
  if (const auto count = cli::parse_count(text))
    require(std::stoull(std::string(text)) == *count, "a count is its digits");
}

void fuzz_netstring(ByteSpan input) {
  const auto prefix = parse_netstring_prefix(input);
  require_same(prefix, parse_netstring_prefix(input), "a prefix parses the same again");
  // Byte by byte the answer is "more is needed" until it is the answer.
  for (std::size_t size = 0; size < std::min(input.size(), kNetstringPrefixMax + 2); ++size) {
    const auto part = parse_netstring_prefix(input.first(size));
    if (part && !*part) continue;
    require(part.has_value() == prefix.has_value(), "more bytes never change a prefix");
    if (part) require(*prefix && (**part).length == (**prefix).length, "more bytes never change a length");
    break;
  }
  if (!prefix || !*prefix) return;
  const std::string again = std::to_string((**prefix).length) + ":";
  require(as_text(input).starts_with(again) && again.size() == (**prefix).size_bytes,
          "a length has one spelling");
  require((**prefix).length <= kArtifactLengthMax, "no length is beyond any artifact's");
}

}  // namespace asl::fuzz
