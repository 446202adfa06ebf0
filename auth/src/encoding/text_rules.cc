#include <algorithm>
#include <sodium.h>

#include <asl/auth/text_rules.h>
#include <asl/engine/cm.h>

namespace asl::auth {
namespace {

// Decodes one code point of text that is known to be UTF-8, and moves on.
char32_t next_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  constexpr unsigned kLeadBits[] = {0x7F, 0x1F, 0x0F, 0x07};
  char32_t point = lead & kLeadBits[size - 1];
  for (std::size_t i = 1; i < size; ++i) point = (point << 6) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  text.remove_prefix(size);
  return point;
}

bool is_control(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

bool is_bidi_control(char32_t point) {
  return point == 0x061C || point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

std::string encode(ByteSpan bytes, int variant) {
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), variant);
  text.pop_back();  // the terminating zero
  return text;
}

std::optional<Bytes> decode(std::string_view text, int variant) {
  Bytes bytes(text.size() / 4 * 3 + 3);
  std::size_t size = 0;
  const char* end = nullptr;
  const int failed = sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                                       text.data(), text.size(), nullptr, &size, &end, variant);
  if (failed != 0 || end != text.data() + text.size()) return std::nullopt;
  bytes.resize(size);
  // libsodium refuses other spellings by itself; this is what the format promises.
  if (encode(bytes, variant) != text) return std::nullopt;
  return bytes;
}

}  // namespace

bool is_identifier(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7E; });
}

bool is_utf8_text(std::string_view text) {
  return is_valid_utf8(text);
}

bool is_free_text(std::string_view text) {
  if (!is_valid_utf8(text)) return false;
  while (!text.empty()) {
    const char32_t point = next_code_point(text);
    if (is_control(point) || is_bidi_control(point)) return false;
  }
  return true;
}

std::string encode_base64(ByteSpan bytes) {
  return encode(bytes, sodium_base64_VARIANT_ORIGINAL);
}
std::optional<Bytes> decode_base64(std::string_view text) {
  return decode(text, sodium_base64_VARIANT_ORIGINAL);
}
std::string encode_base64_unpadded(ByteSpan bytes) {
  return encode(bytes, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}
std::optional<Bytes> decode_base64_unpadded(std::string_view text) {
  return decode(text, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

}  // namespace asl::auth
