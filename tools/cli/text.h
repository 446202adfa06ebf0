// Text for people: sizes, times, names that cannot drive a terminal, aligned columns; and the parsing of the
// values people type. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/error.h>

namespace asl::cli {

// "0 B", "999 B", "1.5 KiB", "64.0 MiB": three significant digits at most, rounded down so that a total is
// never overstated.
std::string format_size(std::uint64_t bytes);
// format_size and "/s".
std::string format_rate(std::uint64_t bytes_per_second);
// "0:07", "12:07", "3:12:07", "2d 03:12:07".
std::string format_duration(std::uint64_t seconds);
// "2025-01-31T23:59:59Z", with ".123456789" before the Z if nanoseconds are not zero. Any year.
std::string format_time(std::int64_t seconds, std::uint32_t nanoseconds = 0);
// "1,234,567".
std::string format_count(std::uint64_t value);

// A name or message made safe and unambiguous for a terminal: control characters, bytes that are not UTF-8,
// and the Unicode characters that reorder or hide text become \n, \t, \x1b, \u{202e}; a backslash is doubled.
std::string printable(std::string_view text);
// The same without doubling backslashes: for sentences that already hold printable parts.
std::string printable_message(std::string_view text);
bool is_utf8(std::string_view text);
// Columns a terminal needs for printable text: code points, wide East Asian ones counted twice, marks not at
// all.
std::size_t display_width(std::string_view text);
// The longest prefix of whole code points that fits into `columns`.
std::string_view fit_width(std::string_view text, std::size_t columns);

// Lines of at most `width` columns, broken at spaces, the first starting at column `first_column`; every
// further line is indented by `indent` spaces.
std::string wrap(std::string_view text, std::size_t indent, std::size_t width, std::size_t first_column = 0);

// Rows under a header, columns two spaces apart, no trailing blanks. Cells must be printable already.
class Table {
 public:
  enum class Align : std::uint8_t { kLeft, kRight };
  struct Column {
    std::string header;  // all empty: no header line
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // As many cells as columns; fewer are padded with empty ones.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  std::string to_string() const;

 private:
  void append_row(std::string& out, const std::vector<std::string>& cells,
                  const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "4096", "64K", "64KiB", "1.5G", "2 MiB"; powers of 1024 with or without "iB" ("KB" and "MB" are powers of
// 1000).
Result<std::uint64_t> parse_size(std::string_view text);
// Decimal digits only.
Result<std::uint64_t> parse_count(std::string_view text);
// "5%", "0.1%", "100": parts per million, 1 to 1,000,000.
Result<std::uint32_t> parse_percent(std::string_view text);
// "90", "90s", "15m", "12h", "30d", "2w": seconds.
Result<std::uint64_t> parse_duration(std::string_view text);

}  // namespace asl::cli
