#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <utility>

#include <asl/engine/retention.h>

namespace asl {
namespace {

using Group = std::vector<KeepDecision*>;  // by id

constexpr std::int64_t kHourSeconds = 3600;
constexpr std::int64_t kDaySeconds = 86'400;
// The end of the year 9999: calendars here go no further, in either direction.
constexpr std::int64_t kTimeSaneMax = 253'402'300'799;
constexpr std::int64_t kMonthsPerYear = 12;
// 1970-01-01 was a Thursday: weeks counted from the Monday before it.
constexpr std::int64_t kDaysBackToMonday = 3;
constexpr std::int64_t kDaysPerWeek = 7;

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

std::chrono::year_month_day date_of(std::int64_t time_s) {
  return std::chrono::sys_days(std::chrono::days(floor_divide(time_s, kDaySeconds)));
}

std::int64_t hour_of(std::int64_t time_s) {
  return floor_divide(time_s, kHourSeconds);
}
std::int64_t day_of(std::int64_t time_s) {
  return floor_divide(time_s, kDaySeconds);
}
std::int64_t week_of(std::int64_t time_s) {
  return floor_divide(day_of(time_s) + kDaysBackToMonday, kDaysPerWeek);
}
std::int64_t month_of(std::int64_t time_s) {
  const auto date = date_of(time_s);
  return static_cast<int>(date.year()) * kMonthsPerYear + static_cast<unsigned>(date.month());
}
std::int64_t year_of(std::int64_t time_s) {
  return static_cast<int>(date_of(time_s).year());
}

// The snapshots whose time can be believed: it is not before that of an earlier one nor after that of a later
// one. The others are kept.
Group believable(const Group& group) {
  std::vector<std::int64_t> least_after(group.size() + 1, std::numeric_limits<std::int64_t>::max());
  for (std::size_t k = group.size(); k-- > 0;) {
    const auto& time = group[k]->item.created_s;
    least_after[k] = time ? std::min(least_after[k + 1], *time) : least_after[k + 1];
  }
  Group believed;
  std::int64_t latest = std::numeric_limits<std::int64_t>::min();
  for (std::size_t k = 0; k < group.size(); ++k) {
    const auto& time = group[k]->item.created_s;
    const bool sane = time && *time >= -kTimeSaneMax && *time <= kTimeSaneMax;
    if (sane && *time >= latest && *time <= least_after[k + 1])
      believed.push_back(group[k]);
    else
      group[k]->reasons.emplace_back("time in doubt");
    if (time) latest = std::max(latest, *time);
  }
  return believed;
}

// Keeps the newest of each of the last `count` periods that have one.
void keep_periods(const Group& group, std::uint64_t count, std::string_view reason,
                  std::int64_t (*period_of)(std::int64_t)) {
  std::optional<std::int64_t> previous;
  for (auto at = group.rbegin(); at != group.rend() && count > 0; ++at) {
    const std::int64_t period = period_of(*(*at)->item.created_s);
    if (previous == period) continue;
    previous = period;
    --count;
    (*at)->reasons.emplace_back(reason);
  }
}

void keep_within(const Group& group, std::uint64_t seconds) {
  if (group.empty()) return;
  const std::int64_t newest = *group.back()->item.created_s;
  for (KeepDecision* decision : group) {
    if (static_cast<std::uint64_t>(newest - *decision->item.created_s) <= seconds)
      decision->reasons.emplace_back("within");
  }
}

void keep_marked(KeepDecision& decision, const KeepRules& rules) {
  const HistoryItem& item = decision.item;
  if (item.held) decision.reasons.emplace_back("on hold");
  if (item.published) decision.reasons.emplace_back("published");
  if (rules.labelled && !item.label.empty()) decision.reasons.emplace_back("label " + item.label);
  for (const std::string& tag : rules.tags) {
    if (std::ranges::find(item.tags, tag) != item.tags.end()) decision.reasons.emplace_back("tag " + tag);
  }
}

void apply_to_group(const Group& group, const KeepRules& rules) {
  const std::size_t first_kept = group.size() - std::min<std::uint64_t>(group.size(), rules.last);
  for (std::size_t k = first_kept; k < group.size(); ++k) group[k]->reasons.emplace_back("last");
  const bool by_time = rules.hourly + rules.daily + rules.weekly + rules.monthly + rules.yearly > 0 ||
                       rules.within_s.has_value();
  if (!by_time) return;
  const Group believed = believable(group);
  keep_periods(believed, rules.hourly, "hourly", hour_of);
  keep_periods(believed, rules.daily, "daily", day_of);
  keep_periods(believed, rules.weekly, "weekly", week_of);
  keep_periods(believed, rules.monthly, "monthly", month_of);
  keep_periods(believed, rules.yearly, "yearly", year_of);
  if (rules.within_s) keep_within(believed, *rules.within_s);
}

}  // namespace

bool KeepRules::empty() const {
  return last == 0 && hourly == 0 && daily == 0 && weekly == 0 && monthly == 0 && yearly == 0 && !within_s &&
         tags.empty() && !labelled;
}

std::vector<KeepDecision> apply_keep_rules(std::span<const HistoryItem> items, const KeepRules& rules) {
  std::vector<KeepDecision> decisions;
  decisions.reserve(items.size());
  std::map<std::pair<std::string, std::vector<std::string>>, Group> groups;
  for (const HistoryItem& item : items) {
    KeepDecision& decision = decisions.emplace_back(KeepDecision{.item = item, .reasons = {}});
    groups[{item.host, item.sources}].push_back(&decision);
  }
  for (const auto& [key, group] : groups) apply_to_group(group, rules);
  for (KeepDecision& decision : decisions) keep_marked(decision, rules);
  return decisions;
}

Result<std::vector<HistoryItem>> snapshot_history(const Domain& domain) {
  std::vector<HistoryItem> items;
  const auto state = domain.state();
  for (const auto& [id, anchor] : state->snapshots()) {
    if (anchor.forgotten) continue;
    ASL_ASSIGN(const Snapshot snapshot, domain.snapshot(id));
    HistoryItem item{.id = id,
                     .created_s = snapshot.created_s,
                     .host = snapshot.host,
                     .sources = {},
                     .tags = snapshot.tags,
                     .label = snapshot.label,
                     .held = anchor.held,
                     .published = state->published().contains(id)};
    for (const SnapshotRoot& root : snapshot.roots) item.sources.push_back(root.source_path);
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace asl
