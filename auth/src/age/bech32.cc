#include "age/bech32.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace asl::auth {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";  // BIP 173
constexpr std::size_t kChecksumSize = 6;
constexpr std::size_t kTextMax = 200;  // an identity has 74 characters

// The checksum of BIP 173, fed one 5-bit value after the other.
class Checksum {
 public:
  void add(std::uint32_t value) {
    static constexpr std::uint32_t kGenerator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                   0x2a1462b3};
    const std::uint32_t top = state_ >> 25;
    state_ = ((state_ & 0x1ffffff) << 5) ^ value;
    for (std::size_t i = 0; i < std::size(kGenerator); ++i)
      if (((top >> i) & 1) != 0) state_ ^= kGenerator[i];
  }
  void add_prefix(std::string_view prefix) {
    for (const char c : prefix) add(static_cast<unsigned char>(c) >> 5);
    add(0);
    for (const char c : prefix) add(static_cast<unsigned char>(c) & 31U);
  }
  std::uint32_t value() const { return state_; }

 private:
  std::uint32_t state_ = 1;
};

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

bool one_case(std::string_view text) {
  const bool has_lower = std::ranges::any_of(text, [](unsigned char c) { return std::islower(c) != 0; });
  const bool has_upper = std::ranges::any_of(text, [](unsigned char c) { return std::isupper(c) != 0; });
  return !(has_lower && has_upper);
}

}  // namespace

SecretBytes encode_bech32(std::string_view prefix, ByteSpan data) {
  const std::size_t values = (data.size() * 8 + 4) / 5;
  SecretBytes text(prefix.size() + 1 + values + kChecksumSize);
  std::size_t at = 0;
  const auto put = [&](char c) { text.data()[at++] = static_cast<std::byte>(c); };
  for (const char c : prefix) put(c);
  put('1');
  Checksum checksum;
  checksum.add_prefix(prefix);
  std::uint32_t bits = 0;
  unsigned count = 0;
  const auto emit = [&](std::uint32_t value) {
    checksum.add(value);
    put(kAlphabet[value]);
  };
  for (const std::byte byte : data) {
    bits = ((bits << 8) | std::to_integer<std::uint32_t>(byte)) & 0xfff;
    for (count += 8; count >= 5; count -= 5) emit((bits >> (count - 5)) & 31);
  }
  if (count > 0) emit((bits << (5 - count)) & 31);
  for (std::size_t i = 0; i < kChecksumSize; ++i) checksum.add(0);
  const std::uint32_t sum = checksum.value() ^ 1;
  for (std::size_t i = 0; i < kChecksumSize; ++i) put(kAlphabet[(sum >> (5 * (kChecksumSize - 1 - i))) & 31]);
  return text;
}

std::optional<SecretBytes> decode_bech32(std::string_view prefix, std::string_view text) {
  if (text.size() > kTextMax || text.size() < prefix.size() + 1 + kChecksumSize || !one_case(text))
    return std::nullopt;
  if (!std::ranges::equal(text.substr(0, prefix.size()), prefix, {}, lower) || text[prefix.size()] != '1')
    return std::nullopt;
  const std::string_view data = text.substr(prefix.size() + 1);
  Checksum checksum;
  checksum.add_prefix(prefix);
  SecretBytes bytes((data.size() - kChecksumSize) * 5 / 8);
  std::size_t size = 0;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::size_t value = kAlphabet.find(lower(data[i]));
    if (value == kAlphabet.npos) return std::nullopt;
    checksum.add(static_cast<std::uint32_t>(value));
    if (i + kChecksumSize >= data.size()) continue;
    bits = ((bits << 5) | static_cast<std::uint32_t>(value)) & 0xfff;
    count += 5;
    if (count < 8) continue;
    count -= 8;
    bytes.data()[size++] = static_cast<std::byte>(bits >> count);
  }
  // What is left over must be less than a group, and zeros.
  if (checksum.value() != 1 || count >= 5 || (bits & ((1U << count) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace asl::auth
