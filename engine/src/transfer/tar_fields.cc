#include "transfer/tar_fields.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace asl {
namespace {

constexpr unsigned kBinaryMark = 0x80;
constexpr unsigned kNegativeBinary = 0xFF;

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Two's complement, big-endian, the first byte 0x80 or 0xFF.
std::optional<std::int64_t> binary_number(std::span<const char> field) {
  const bool negative = static_cast<unsigned char>(field.front()) == kNegativeBinary;
  std::uint64_t value = negative ? ~std::uint64_t{0} : static_cast<unsigned char>(field.front()) & 0x7FU;
  for (const char c : field.subspan(1)) {
    const bool fits = negative ? (value >> 55) == (~std::uint64_t{0} >> 55) : (value >> 55) == 0;
    if (!fits) return std::nullopt;
    value = value << 8 | static_cast<unsigned char>(c);
  }
  if (negative != (value >> 63 != 0)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

}  // namespace

std::string field_text(std::span<const char> field) {
  return {field.data(), ::strnlen(field.data(), field.size())};
}

std::optional<std::int64_t> field_number(std::span<const char> field) {
  if ((static_cast<unsigned char>(field.front()) & kBinaryMark) != 0) return binary_number(field);
  std::string_view text(field.data(), field.size());
  text = text.substr(0, text.find('\0'));
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  std::int64_t value = 0;
  for (const char c : text) {
    // Twelve octal digits, the most that a field holds, are 36 bits.
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + (c - '0');
  }
  return value;
}

bool checksum_matches(const UstarBlock& header) {
  const auto expected = field_number(header.checksum);
  if (!expected) return false;
  const std::size_t from = offsetof(UstarBlock, checksum);
  const auto* const bytes = reinterpret_cast<const char*>(&header);
  std::int64_t sum = 0;
  std::int64_t signed_sum = 0;  // what some old programs wrote
  for (std::size_t k = 0; k < sizeof header; ++k) {
    const char c = k >= from && k < from + sizeof header.checksum ? ' ' : bytes[k];
    sum += static_cast<unsigned char>(c);
    signed_sum += static_cast<signed char>(c);
  }
  return *expected == sum || *expected == signed_sum;
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  return whole_number<std::uint64_t>(text);
}

std::optional<std::int64_t> signed_decimal(std::string_view text) {
  return whole_number<std::int64_t>(text);
}

std::optional<TarTime> decimal_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::size_t point = std::min(text.find('.'), text.size());
  const auto whole = signed_decimal(text.substr(0, point));
  if (!whole) return std::nullopt;
  TarTime time{.seconds = *whole};
  constexpr std::size_t kDigits = 9;
  std::string digits(text.substr(std::min(point + 1, text.size())));
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  digits.resize(kDigits, '0');
  const auto fraction = static_cast<std::uint32_t>(*decimal(digits));
  time.nanoseconds = fraction;
  if (negative && fraction > 0) {
    constexpr std::uint32_t kBillion = 1'000'000'000;
    time.seconds -= time.seconds == INT64_MIN ? 0 : 1;
    time.nanoseconds = kBillion - fraction;
  }
  return time;
}

std::string decoded_xattr_name(std::string_view text) {
  std::string name;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view code = text.substr(at, 3);
    const bool escaped = code == "%3D" || code == "%25";
    name += escaped ? (code == "%3D" ? '=' : '%') : text[at];
    if (escaped) at += 2;
  }
  return name;
}

std::string percent_decoded(std::string_view text) {
  std::string name;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool code = text[at] == '%' && at + 2 < text.size() && hex_value(text[at + 1]) >= 0 &&
                      hex_value(text[at + 2]) >= 0;
    name += code ? static_cast<char>(hex_value(text[at + 1]) * 16 + hex_value(text[at + 2])) : text[at];
    if (code) at += 2;
  }
  return name;
}

std::optional<Bytes> base64_decoded(std::string_view text) {
  while (text.ends_with('=') || text.ends_with('\n')) text.remove_suffix(1);
  Bytes bytes;
  std::uint32_t bits = 0;
  unsigned have = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    bytes.push_back(static_cast<std::byte>(bits >> have & 0xFF));
  }
  return bytes;
}

}  // namespace asl
