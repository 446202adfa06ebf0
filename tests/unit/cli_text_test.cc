#include <gtest/gtest.h>
#include <limits>

#include "text.h"

namespace asl::cli {
namespace {

TEST(CliText, SizesAreRoundedDownToThreeDigits) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1.00 KiB");
  EXPECT_EQ(format_size(1536), "1.50 KiB");
  EXPECT_EQ(format_size((10ULL << 20) - 1), "9.99 MiB");
  EXPECT_EQ(format_size(10ULL << 20), "10.0 MiB");
  EXPECT_EQ(format_size(512ULL << 30), "512 GiB");
  EXPECT_EQ(format_size(std::numeric_limits<std::uint64_t>::max()), "15.9 EiB");
}

TEST(CliText, DurationsGrowFromMinutesToDays) {
  EXPECT_EQ(format_duration(7), "0:07");
  EXPECT_EQ(format_duration(727), "12:07");
  EXPECT_EQ(format_duration(11527), "3:12:07");
  EXPECT_EQ(format_duration(2 * 86400 + 11527), "2d 03:12:07");
}

TEST(CliText, TimesAreIso8601InUtcForEveryYear) {
  EXPECT_EQ(format_time(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_time(951782399), "2000-02-28T23:59:59Z");
  EXPECT_EQ(format_time(951782400), "2000-02-29T00:00:00Z");
  EXPECT_EQ(format_time(-1, 500000000), "1969-12-31T23:59:59.500000000Z");
  EXPECT_EQ(format_time(253402300800), "10000-01-01T00:00:00Z");
  EXPECT_EQ(format_time(-62167219200), "0000-01-01T00:00:00Z");
}

TEST(CliText, CountsHaveThousandsSeparators) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1234567), "1,234,567");
}

TEST(CliText, NamesCannotDriveATerminal) {
  EXPECT_EQ(printable("plain caf\u00e9"), "plain caf\u00e9");
  EXPECT_EQ(printable("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(printable("\x1b]0;owned\x07"), "\\x1b]0;owned\\x07");
  EXPECT_EQ(printable("back\\slash"), "back\\\\slash");
  EXPECT_EQ(printable("\x7f"), "\\x7f");
  EXPECT_EQ(printable("\u202egpj.exe"), "\\u{202e}gpj.exe");
  EXPECT_EQ(printable("\u009b31m"), "\\u{9b}31m");
}

TEST(CliText, BytesThatAreNotUtf8AreShownAsHex) {
  EXPECT_EQ(printable("a\xff"), "a\\xff");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");                    // cut short
  EXPECT_FALSE(is_utf8("\xe2\x82"));
  EXPECT_TRUE(is_utf8("\u20ac"));
}

TEST(CliText, MessagesKeepTheirBackslashes) {
  EXPECT_EQ(printable_message("a\\nb\x1b"), "a\\nb\\x1b");
}

TEST(CliText, WidthCountsColumnsNotBytes) {
  EXPECT_EQ(display_width("caf\u00e9"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(display_width("\u65e5\u672c"), 4U);
  EXPECT_EQ(fit_width("\u65e5\u672c", 3), "\u65e5");
  EXPECT_EQ(fit_width("abc", 10), "abc");
}

TEST(CliText, WrappingIndentsEveryLineButTheFirst) {
  EXPECT_EQ(wrap("one two three four", 2, 10), "one two\n  three\n  four");
  EXPECT_EQ(wrap("unbreakablelongword next", 0, 8), "unbreakablelongword\nnext");
  EXPECT_EQ(wrap("", 2, 10), "");
}

TEST(CliText, TablesAlignColumnsWithoutTrailingBlanks) {
  Table table({{"ID", Table::Align::kRight}, {"NAME"}, {"SIZE", Table::Align::kRight}});
  table.add({"7", "caf\u00e9", "1 B"});
  table.add({"12", "x"});
  EXPECT_EQ(table.to_string(), "ID  NAME  SIZE\n 7  caf\u00e9   1 B\n12  x\n");
}

TEST(CliText, TablesWithoutHeadersPrintRowsOnly) {
  Table table({{""}, {""}});
  table.add({"a", "b"});
  EXPECT_EQ(table.to_string(), "a  b\n");
}

TEST(CliText, SizesAreParsedWithBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_size("4096").value(), 4096U);
  EXPECT_EQ(parse_size("64K").value(), 65536U);
  EXPECT_EQ(parse_size("64KiB").value(), 65536U);
  EXPECT_EQ(parse_size("64kB").value(), 64000U);
  EXPECT_EQ(parse_size("1.5 GiB").value(), 3ULL << 29);
  EXPECT_EQ(parse_size("15E").value(), 15ULL << 60);
}

TEST(CliText, MalformedSizesAreUsageErrors) {
  for (const char* text :
       {"", "M", "-1", "1X", "1.", "1.5.5M", "16E", "1 0", "1KiBB", "99999999999999999999"}) {
    const auto parsed = parse_size(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage) << text;
  }
}

TEST(CliText, PercentsAndDurationsAreParsed) {
  EXPECT_EQ(parse_percent("5%").value(), 50'000U);
  EXPECT_EQ(parse_percent("0.01%").value(), 100U);
  EXPECT_EQ(parse_percent("100").value(), 1'000'000U);
  EXPECT_FALSE(parse_percent("0%"));
  EXPECT_FALSE(parse_percent("100.1%"));
  EXPECT_FALSE(parse_percent("5 apples"));
  EXPECT_EQ(parse_duration("90").value(), 90U);
  EXPECT_EQ(parse_duration("1.5h").value(), 5400U);
  EXPECT_EQ(parse_duration("2w").value(), 1209600U);
  EXPECT_FALSE(parse_duration("2y"));
  EXPECT_EQ(parse_count("12").value(), 12U);
  EXPECT_FALSE(parse_count("12 "));
  EXPECT_FALSE(parse_count("0x12"));
}

}  // namespace
}  // namespace asl::cli
