#include <charconv>
#include <limits>

#include "text.h"

namespace asl::cli {
namespace {

struct Decimal {
  std::uint64_t whole = 0;
  std::uint64_t millionths = 0;
  std::string_view rest;  // what follows the number, leading blanks removed
};

std::unexpected<Error> bad_value(std::string_view text, std::string_view expected) {
  return fail(ErrorCode::kUsage, "'" + printable(text) + "' is not " + std::string(expected));
}

// Digits, then perhaps a point and up to six digits.
bool take_decimal(std::string_view text, Decimal& out) {
  const char* const end = text.data() + text.size();
  auto [at, status] = std::from_chars(text.data(), end, out.whole);
  if (status != std::errc{} || at == text.data()) return false;
  if (at != end && *at == '.') {
    constexpr int kFractionDigitsMax = 6;
    const char* digit = at + 1;
    std::uint64_t scale = 1'000'000;
    while (digit != end && *digit >= '0' && *digit <= '9' && digit - at <= kFractionDigitsMax) {
      scale /= 10;
      out.millionths += static_cast<std::uint64_t>(*digit++ - '0') * scale;
    }
    if (digit == at + 1) return false;
    at = digit;
  }
  out.rest = std::string_view(at, static_cast<std::size_t>(end - at));
  while (out.rest.starts_with(' ')) out.rest.remove_prefix(1);
  return true;
}

// number * unit, or false if it does not fit.
bool scale(const Decimal& number, std::uint64_t unit, std::uint64_t& out) {
  unsigned __int128 value = static_cast<unsigned __int128>(number.whole) * unit;
  value += static_cast<unsigned __int128>(number.millionths) * unit / 1'000'000;
  if (value > std::numeric_limits<std::uint64_t>::max()) return false;
  out = static_cast<std::uint64_t>(value);
  return true;
}

// 0 if the suffix is unknown.
std::uint64_t size_unit(std::string_view suffix) {
  if (suffix.empty() || suffix == "B") return 1;
  constexpr std::string_view kLetters = "KMGTPE";
  const char upper = suffix[0] == 'k' ? 'K' : suffix[0];
  const std::size_t power = kLetters.find(upper);
  if (power == std::string_view::npos) return 0;
  const std::string_view tail = suffix.substr(1);
  if (tail.empty() || tail == "iB" || tail == "i") return std::uint64_t{1} << (10 * (power + 1));
  if (tail != "B") return 0;
  std::uint64_t unit = 1;
  for (std::size_t i = 0; i <= power; ++i) unit *= 1000;
  return unit;
}

std::uint64_t duration_unit(std::string_view suffix) {
  if (suffix.empty() || suffix == "s") return 1;
  if (suffix == "m") return 60;
  if (suffix == "h") return 3600;
  if (suffix == "d") return 86400;
  if (suffix == "w") return 7 * 86400;
  return 0;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  Decimal number;
  std::uint64_t bytes = 0;
  if (!take_decimal(text, number)) return bad_value(text, "a size such as 4096, 64M or 1.5GiB");
  const std::uint64_t unit = size_unit(number.rest);
  if (unit == 0) return bad_value(text, "a size such as 4096, 64M or 1.5GiB");
  if (!scale(number, unit, bytes)) return bad_value(text, "a size below 16 EiB");
  return bytes;
}

Result<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc{} || at != end) return bad_value(text, "a whole number");
  return value;
}

Result<std::uint32_t> parse_percent(std::string_view text) {
  Decimal number;
  constexpr std::uint64_t kMillionthsPerPercent = 10'000;
  std::uint64_t millionths = 0;
  if (!take_decimal(text, number) || (!number.rest.empty() && number.rest != "%") ||
      !scale(number, kMillionthsPerPercent, millionths) || millionths == 0 || millionths > 1'000'000)
    return bad_value(text, "a share such as 5% (more than 0%, at most 100%)");
  return static_cast<std::uint32_t>(millionths);
}

Result<std::uint64_t> parse_duration(std::string_view text) {
  Decimal number;
  std::uint64_t seconds = 0;
  if (!take_decimal(text, number)) return bad_value(text, "a duration such as 90s, 15m, 12h or 30d");
  const std::uint64_t unit = duration_unit(number.rest);
  if (unit == 0 || !scale(number, unit, seconds))
    return bad_value(text, "a duration such as 90s, 15m, 12h or 30d");
  return seconds;
}

}  // namespace asl::cli
