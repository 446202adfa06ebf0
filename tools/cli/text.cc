#include "text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>

namespace asl::cli {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  // 0: the bytes here are not UTF-8
};

// Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
CodePoint decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t value = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, length};
}

bool in_range(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

// Control characters of both sets, and format characters that reorder, hide or break what follows.
bool is_unsafe(char32_t c) {
  return c < 0x20 || in_range(c, 0x7F, 0x9F) || c == 0xAD || c == 0x61C || in_range(c, 0x200B, 0x200F) ||
         in_range(c, 0x2028, 0x202E) || in_range(c, 0x2060, 0x206F) || c == 0xFEFF ||
         in_range(c, 0xFFF9, 0xFFFB) || in_range(c, 0xE0000, 0xE0FFF);
}

bool is_combining(char32_t c) {
  return in_range(c, 0x300, 0x36F) || in_range(c, 0x1AB0, 0x1AFF) || in_range(c, 0x20D0, 0x20FF) ||
         in_range(c, 0xFE00, 0xFE0F) || in_range(c, 0xFE20, 0xFE2F);
}

bool is_wide(char32_t c) {
  return in_range(c, 0x1100, 0x115F) || in_range(c, 0x2E80, 0xA4CF) || in_range(c, 0xAC00, 0xD7A3) ||
         in_range(c, 0xF900, 0xFAFF) || in_range(c, 0xFE30, 0xFE6F) || in_range(c, 0xFF00, 0xFF60) ||
         in_range(c, 0xFFE0, 0xFFE6) || in_range(c, 0x1F300, 0x1F64F) || in_range(c, 0x1F900, 0x1F9FF) ||
         in_range(c, 0x20000, 0x3FFFD);
}

std::size_t columns_of(CodePoint point) {
  if (point.length == 0) return 1;
  if (is_combining(point.value)) return 0;
  return is_wide(point.value) ? 2 : 1;
}

void append_escaped(std::string& out, char32_t c) {
  if (c == '\n')
    out += "\\n";
  else if (c == '\t')
    out += "\\t";
  else if (c == '\r')
    out += "\\r";
  else if (c < 0x80)
    out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
  else
    out += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(c));
}

std::string escape(std::string_view text, bool double_backslashes) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    const std::size_t taken = std::max<std::size_t>(point.length, 1);
    if (point.length == 0)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    else if (point.value == '\\' && double_backslashes)
      out += "\\\\";
    else if (is_unsafe(point.value))
      append_escaped(out, point.value);
    else
      out += text.substr(0, taken);
    text.remove_prefix(taken);
  }
  return out;
}

struct CivilTime {
  std::int64_t year = 1970;
  unsigned month = 1, day = 1, hour = 0, minute = 0, second = 0;
};

// Proleptic Gregorian calendar, in 400-year eras that start on 1 March so that leap days come last.
CivilTime civil_time(std::int64_t seconds) {
  constexpr std::int64_t kDaySeconds = 86400;
  constexpr std::int64_t kEraDays = 146097;
  constexpr std::int64_t kEpochToMarch0 = 719468;  // days from 0000-03-01 to 1970-01-01
  std::int64_t days = seconds / kDaySeconds;
  std::int64_t rest = seconds % kDaySeconds;
  if (rest < 0) {
    rest += kDaySeconds;
    --days;
  }
  days += kEpochToMarch0;
  const std::int64_t era = (days >= 0 ? days : days - kEraDays + 1) / kEraDays;
  const auto day_of_era = days - era * kEraDays;
  const auto year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const auto day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const auto shifted_month = (5 * day_of_year + 2) / 153;
  CivilTime time;
  time.day = static_cast<unsigned>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  time.month = static_cast<unsigned>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  time.year = year_of_era + era * 400 + (time.month <= 2 ? 1 : 0);
  time.hour = static_cast<unsigned>(rest / 3600);
  time.minute = static_cast<unsigned>(rest / 60 % 60);
  time.second = static_cast<unsigned>(rest % 60);
  return time;
}

}  // namespace

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 7> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  while (unit + 1 < kUnits.size() && (bytes >> (10 * (unit + 1))) != 0) ++unit;
  if (unit == 0) return fmt::format("{} B", bytes);
  const unsigned shift = static_cast<unsigned>(10 * unit);
  const std::uint64_t whole = bytes >> shift;
  const std::uint64_t fraction = (bytes >> (shift - 10)) & 1023;
  if (whole >= 100) return fmt::format("{} {}", whole, kUnits[unit]);
  if (whole >= 10) return fmt::format("{}.{} {}", whole, fraction * 10 / 1024, kUnits[unit]);
  return fmt::format("{}.{:02} {}", whole, fraction * 100 / 1024, kUnits[unit]);
}

std::string format_rate(std::uint64_t bytes_per_second) {
  return format_size(bytes_per_second) + "/s";
}

std::string format_duration(std::uint64_t seconds) {
  const std::uint64_t minutes = seconds / 60;
  const std::uint64_t hours = minutes / 60;
  if (hours == 0) return fmt::format("{}:{:02}", minutes, seconds % 60);
  if (hours < 24) return fmt::format("{}:{:02}:{:02}", hours, minutes % 60, seconds % 60);
  return fmt::format("{}d {:02}:{:02}:{:02}", hours / 24, hours % 24, minutes % 60, seconds % 60);
}

std::string format_time(std::int64_t seconds, std::uint32_t nanoseconds) {
  const CivilTime t = civil_time(seconds);
  std::string out = t.year < 0 ? fmt::format("-{:04}", -t.year) : fmt::format("{:04}", t.year);
  out += fmt::format("-{:02}-{:02}T{:02}:{:02}:{:02}", t.month, t.day, t.hour, t.minute, t.second);
  if (nanoseconds != 0) out += fmt::format(".{:09}", nanoseconds);
  return out + "Z";
}

std::string format_count(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string printable(std::string_view text) {
  return escape(text, true);
}
std::string printable_message(std::string_view text) {
  return escape(text, false);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    if (point.length == 0) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    width += columns_of(point);
    text.remove_prefix(std::max<std::size_t>(point.length, 1));
  }
  return width;
}

std::string_view fit_width(std::string_view text, std::size_t columns) {
  std::size_t used = 0;
  std::size_t taken = 0;
  while (taken < text.size()) {
    const CodePoint point = decode_utf8(text.substr(taken));
    used += columns_of(point);
    if (used > columns) break;
    taken += std::max<std::size_t>(point.length, 1);
  }
  return text.substr(0, taken);
}

std::string wrap(std::string_view text, std::size_t indent, std::size_t width, std::size_t first_column) {
  std::string out;
  std::size_t column = first_column;
  bool line_start = true;
  while (!text.empty()) {
    const std::size_t start = text.find_first_not_of(" \n");
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const std::string_view word = text.substr(0, text.find_first_of(" \n"));
    const std::size_t needed = display_width(word) + (line_start ? 0 : 1);
    if (!line_start && column + needed > width) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
      line_start = true;
    }
    if (!line_start) {
      out += ' ';
      ++column;
    }
    out += word;
    column += display_width(word);
    line_start = false;
    text.remove_prefix(word.size());
  }
  return out;
}

}  // namespace asl::cli
