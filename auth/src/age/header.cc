#include "age/header.h"

#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/age.h>
#include <asl/auth/text_rules.h>

#include "age/hkdf.h"

namespace asl::auth {
namespace {

constexpr std::string_view kVersionLine = "age-encryption.org/v1";
constexpr std::string_view kStanzaBegins = "-> ";
constexpr std::string_view kFooterBegins = "---";
constexpr std::size_t kBodyColumns = 64;

// Takes one line, without its end; nothing if there is none.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

bool is_argument(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) { return c >= 0x21 && c <= 0x7E; });
}

Result<std::vector<std::string>> split_arguments(std::string_view line) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t end = line.find(' ');
    const std::string_view word = line.substr(0, end);
    if (!is_argument(word)) return age_header_error("an empty or unprintable argument");
    words.emplace_back(word);
    if (end == line.npos) return words;
    line.remove_prefix(end + 1);
  }
}

// Lines of exactly 64 columns, and a shorter one, perhaps empty, that ends it.
Result<Bytes> take_body(std::string_view& text) {
  std::string joined;
  while (true) {
    const auto line = take_line(text);
    if (!line) return age_header_error("a stanza without an end");
    if (line->size() > kBodyColumns) return age_header_error("a line of more than 64 columns");
    joined += *line;
    if (line->size() < kBodyColumns) break;
  }
  auto body = decode_base64_unpadded(joined);
  if (!body) return age_header_error("a body that is not canonical base64");
  return std::move(*body);
}

Result<std::array<std::byte, 32>> decode_mac(std::string_view footer) {
  if (!footer.starts_with("--- ")) return age_header_error("a last line that is not \"--- \" and the MAC");
  const auto bytes = decode_base64_unpadded(footer.substr(4));
  std::array<std::byte, 32> mac{};
  if (!bytes || bytes->size() != mac.size())
    return age_header_error("a MAC that is not canonical base64 of 32 bytes");
  std::ranges::copy(*bytes, mac.begin());
  return mac;
}

SecretBytes mac_of(std::string_view authenticated, const SecretBytes& file_key) {
  const SecretBytes key = hkdf_sha256(file_key.span(), {}, "header", 32);
  return hmac_sha256(key.span(), as_bytes(authenticated));
}

}  // namespace

std::unexpected<Error> age_header_error(std::string_view what) {
  return fail(ErrorCode::kMalformed, fmt::format("age header: {}", what));
}

Result<AgeHeader> decode_age_header(std::string_view text) {
  const std::string_view whole = text;
  if (whole.size() > kAgeHeaderMax) return age_header_error("larger than allowed");
  if (take_line(text) != kVersionLine) return age_header_error("not an age file of version 1");
  AgeHeader header;
  while (true) {
    const std::size_t begins = whole.size() - text.size();
    const auto line = take_line(text);
    if (!line) return age_header_error("it ends too soon");
    if (line->starts_with(kFooterBegins)) {
      ASL_ASSIGN(header.mac, decode_mac(*line));
      header.authenticated = whole.substr(0, begins + kFooterBegins.size());
      break;
    }
    if (!line->starts_with(kStanzaBegins)) return age_header_error("a line that begins no stanza");
    ASL_ASSIGN(auto words, split_arguments(line->substr(kStanzaBegins.size())));
    AgeStanza stanza{.type = std::move(words.front()), .arguments = {}, .body = {}};
    words.erase(words.begin());
    stanza.arguments = std::move(words);
    ASL_ASSIGN(stanza.body, take_body(text));
    header.stanzas.push_back(std::move(stanza));
  }
  if (!text.empty()) return age_header_error("something follows the MAC");
  if (header.stanzas.empty()) return age_header_error("no stanza");
  return header;
}

std::string encode_age_header(const std::vector<AgeStanza>& stanzas, const SecretBytes& file_key) {
  std::string text = std::string(kVersionLine) + "\n";
  for (const AgeStanza& stanza : stanzas) {
    text += fmt::format("{}{}", kStanzaBegins, stanza.type);
    for (const std::string& argument : stanza.arguments) text += " " + argument;
    text += '\n';
    const std::string body = encode_base64_unpadded(stanza.body);
    for (std::size_t at = 0; at <= body.size(); at += kBodyColumns)
      text += body.substr(at, kBodyColumns) + "\n";
  }
  text += kFooterBegins;
  const SecretBytes mac = mac_of(text, file_key);
  return text + " " + encode_base64_unpadded(mac.span()) + "\n";
}

Result<void> check_age_mac(const AgeHeader& header, const SecretBytes& file_key) {
  const SecretBytes mac = mac_of(header.authenticated, file_key);
  if (equal_secrets(mac.span(), header.mac)) return {};
  return fail(ErrorCode::kIntegrity, "age header MAC: the header was changed after it was written");
}

}  // namespace asl::auth
