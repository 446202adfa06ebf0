// Dates of ceremonies. No clock of an offline machine is trusted: an operator says which day it is, and the
// log keeps it (doc/format-authority-log.md, "Dates").
//
// Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <asl/engine/error.h>
#include <asl/engine/log_record.h>

namespace asl::auth {

inline constexpr std::int64_t kSecondsPerDay = 86400;
inline constexpr std::int64_t kDateLeapMaxDays = 400;  // a ceremony a year, and some delay

// "YYYY-MM-DD" as the unix seconds of its first moment, UTC; kUsage for anything else, and for days before
// 2000 or after 9999.
Result<std::int64_t> parse_date(std::string_view text);
std::string date_text(std::int64_t unix_seconds);

struct TypedDate {
  std::span<const std::string> typed;  // once, or twice the same
  std::string reason;                  // of a correction backwards; else empty
  std::string words;                   // what the record says beside the date: ceremony words
};
// The record for the log. kRefused (rule date-order) for a day before `last` without a reason, (rule
// date-leap) for one far beyond it that was typed once only.
Result<DateRecord> confirm_date(const TypedDate& date, std::optional<std::int64_t> last);

}  // namespace asl::auth
