#include <charconv>
#include <chrono>
#include <fmt/format.h>

#include <asl/auth/ceremony_date.h>
#include <asl/auth/rules.h>

namespace asl::auth {
namespace {

std::optional<unsigned> digits(std::string_view text) {
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<std::int64_t> parse_date(std::string_view text) {
  const auto wrong = [&] {
    return fail(
        Error{.code = ErrorCode::kUsage, .message = "a date is YYYY-MM-DD", .object = std::string(text)});
  };
  constexpr std::size_t kSize = 10;
  constexpr int kYearMin = 2000;
  if (text.size() != kSize || text[4] != '-' || text[7] != '-') return wrong();
  const auto year = digits(text.substr(0, 4));
  const auto month = digits(text.substr(5, 2));
  const auto day = digits(text.substr(8, 2));
  if (!year || !month || !day) return wrong();
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  if (!date.ok() || int{date.year()} < kYearMin) return wrong();
  return std::chrono::sys_seconds(std::chrono::sys_days(date)).time_since_epoch().count();
}

std::string date_text(std::int64_t unix_seconds) {
  const std::chrono::sys_seconds at{std::chrono::seconds(unix_seconds)};
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(at)};
  return fmt::format("{:04}-{:02}-{:02}", int{date.year()}, unsigned{date.month()}, unsigned{date.day()});
}

Result<DateRecord> confirm_date(const TypedDate& date, std::optional<std::int64_t> last) {
  if (date.typed.empty()) return fail(ErrorCode::kUsage, "no date was given");
  ASL_ASSIGN(const std::int64_t seconds, parse_date(date.typed.front()));
  for (const std::string& again : date.typed)
    if (again != date.typed.front())
      return fail(Error{.code = ErrorCode::kUsage,
                        .message = "two different dates were given",
                        .object = date.typed.front() + " and " + again});
  DateRecord record{.unix_seconds = seconds, .correction = !date.reason.empty(), .words = date.words};
  if (record.correction) record.words = date.reason;
  if (!last) return record;
  if (seconds < *last && !record.correction)
    return broken_rule("date-order", fmt::format("the last ceremony was on {}: {} is before it",
                                                 date_text(*last), date_text(seconds)));
  if (seconds > *last + kDateLeapMaxDays * kSecondsPerDay && date.typed.size() < 2)
    return broken_rule("date-leap",
                       fmt::format("{} is more than {} days after the last ceremony, {}: give it twice",
                                   date_text(seconds), kDateLeapMaxDays, date_text(*last)));
  return record;
}

}  // namespace asl::auth
