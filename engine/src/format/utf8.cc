#include <cstring>

#include <asl/engine/cm.h>

namespace asl {
namespace {

struct Lead {
  std::size_t followers;
  unsigned char second_min;  // the range of the second byte rules out overlong forms and surrogates
  unsigned char second_max;
};

// What must come after a first byte of 0x80 or more; no followers if it is no first byte.
Lead lead_of(unsigned char first) {
  if (first < 0xC2) return {0, 0, 0};
  if (first < 0xE0) return {1, 0x80, 0xBF};
  if (first == 0xE0) return {2, 0xA0, 0xBF};
  if (first == 0xED) return {2, 0x80, 0x9F};
  if (first < 0xF0) return {2, 0x80, 0xBF};
  if (first == 0xF0) return {3, 0x90, 0xBF};
  if (first < 0xF4) return {3, 0x80, 0xBF};
  if (first == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  while (at < end) {
    // Nearly everything is ASCII: eight bytes at a time while it lasts.
    while (end - at >= 8) {
      std::uint64_t word;
      std::memcpy(&word, at, sizeof word);
      if ((word & 0x8080808080808080ULL) != 0) break;
      at += 8;
    }
    if (at == end) break;
    if (*at < 0x80) {
      ++at;
      continue;
    }
    const Lead lead = lead_of(*at);
    if (lead.followers == 0 || static_cast<std::size_t>(end - at) <= lead.followers) return false;
    if (at[1] < lead.second_min || at[1] > lead.second_max) return false;
    for (std::size_t i = 2; i <= lead.followers; ++i)
      if ((at[i] & 0xC0) != 0x80) return false;
    at += lead.followers + 1;
  }
  return true;
}

}  // namespace asl
