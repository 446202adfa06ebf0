// Keep rules on made-up histories.
#include <gtest/gtest.h>
#include <initializer_list>
#include <string>
#include <vector>

#include <asl/engine/retention.h>

namespace asl {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;
// Wednesday, 2025-01-01.
constexpr std::int64_t kNewYear = 1'735'689'600;

class Retention : public ::testing::Test {
 protected:
  void add(std::optional<std::int64_t> created_s, const std::string& source = "/home") {
    HistoryItem item;
    item.id = items_.size() + 1;
    item.created_s = created_s;
    item.host = "left";
    item.sources = {source};
    items_.push_back(item);
  }
  std::vector<std::uint64_t> kept(const KeepRules& rules) const {
    std::vector<std::uint64_t> ids;
    for (const KeepDecision& decision : apply_keep_rules(items_, rules))
      if (decision.keep()) ids.push_back(decision.item.id);
    return ids;
  }
  static KeepRules rule(std::uint64_t KeepRules::* member, std::uint64_t count) {
    KeepRules rules;
    rules.*member = count;
    return rules;
  }

  std::vector<HistoryItem> items_;
};

using Ids = std::vector<std::uint64_t>;

TEST_F(Retention, KeepsTheNewestOfEachPeriod) {
  for (int day = 0; day < 4; ++day) {
    add(kNewYear + day * kDay);
    add(kNewYear + day * kDay + 23 * kHour);
  }
  EXPECT_EQ(kept(rule(&KeepRules::daily, 2)), (Ids{6, 8}));
  EXPECT_EQ(kept(rule(&KeepRules::daily, 99)), (Ids{2, 4, 6, 8}));
  EXPECT_EQ(kept(rule(&KeepRules::hourly, 3)), (Ids{6, 7, 8}));
  EXPECT_EQ(kept(rule(&KeepRules::last, 1)), (Ids{8}));
  EXPECT_EQ(kept(rule(&KeepRules::last, 100)).size(), 8U);
}

TEST_F(Retention, WeeksBeginOnMondayAndMonthsAndYearsAreThoseOfTheCalendar) {
  add(kNewYear - kDay);      // Tuesday, December 31
  add(kNewYear);             // Wednesday
  add(kNewYear + 4 * kDay);  // Sunday
  add(kNewYear + 5 * kDay);  // Monday
  EXPECT_EQ(kept(rule(&KeepRules::weekly, 9)), (Ids{3, 4}));
  EXPECT_EQ(kept(rule(&KeepRules::monthly, 9)), (Ids{1, 4}));
  EXPECT_EQ(kept(rule(&KeepRules::yearly, 1)), (Ids{4}));
  EXPECT_EQ(kept(rule(&KeepRules::yearly, 2)), (Ids{1, 4}));
}

TEST_F(Retention, TimesBefore1970AreCalendarTimesToo) {
  add(-kDay - 1);
  add(-kDay);
  add(-1);
  EXPECT_EQ(kept(rule(&KeepRules::daily, 9)), (Ids{1, 3}));
}

TEST_F(Retention, GroupsAreJudgedByThemselves) {
  add(kNewYear, "/home");
  add(kNewYear + kHour, "/srv");
  add(kNewYear + 2 * kHour, "/home");
  EXPECT_EQ(kept(rule(&KeepRules::daily, 1)), (Ids{2, 3}));
}

TEST_F(Retention, AgesCountFromTheNewestAndNotFromNow) {
  add(kNewYear);
  add(kNewYear + 9 * kDay);
  add(kNewYear + 10 * kDay);
  KeepRules rules;
  rules.within_s = static_cast<std::uint64_t>(kDay);
  EXPECT_EQ(kept(rules), (Ids{2, 3}));
}

TEST_F(Retention, AClockThatWentBackwardsCostsNothing) {
  add(kNewYear);
  add(kNewYear + 400 * kDay);  // the clock was wrong
  add(kNewYear + kDay);
  add(kNewYear + 2 * kDay);
  const auto decisions = apply_keep_rules(items_, rule(&KeepRules::daily, 1));
  EXPECT_EQ(decisions[0].reasons, std::vector<std::string>{"daily"});  // the only one to be believed
  EXPECT_EQ(decisions[1].reasons, std::vector<std::string>{"time in doubt"});
  EXPECT_EQ(decisions[2].reasons, std::vector<std::string>{"time in doubt"});
  EXPECT_EQ(decisions[3].reasons, std::vector<std::string>{"time in doubt"});
}

TEST_F(Retention, WithoutATimeOrWithAnImpossibleOneASnapshotIsKept) {
  add(std::nullopt);
  add(std::numeric_limits<std::int64_t>::min());
  add(kNewYear);
  add(kNewYear + kHour);
  EXPECT_EQ(kept(rule(&KeepRules::daily, 1)), (Ids{1, 2, 4}));
}

TEST_F(Retention, MarksKeep) {
  for (int k = 0; k < 5; ++k) add(kNewYear + k * kDay);
  items_[0].held = true;
  items_[1].label = "before";
  items_[2].tags = {"x", "y"};
  KeepRules rules = rule(&KeepRules::last, 1);
  EXPECT_EQ(kept(rules), (Ids{1, 5}));
  rules.labelled = true;
  EXPECT_EQ(kept(rules), (Ids{1, 2, 5}));
  rules.tags = {"y"};
  EXPECT_EQ(kept(rules), (Ids{1, 2, 3, 5}));
}

TEST_F(Retention, NoRuleIsSeen) {
  EXPECT_TRUE(KeepRules{}.empty());
  EXPECT_FALSE(rule(&KeepRules::weekly, 1).empty());
}

}  // namespace
}  // namespace asl
