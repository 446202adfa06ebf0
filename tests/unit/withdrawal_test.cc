// Tombstones: what is withdrawn is refused, nothing else is, and it comes back when they are lifted.
#include <algorithm>

#include <asl/engine/gc.h>
#include <asl/engine/hash.h>
#include <asl/engine/partial.h>
#include <asl/engine/withdrawal.h>

#include "query_fixture.h"
#include "store/view.h"

namespace asl {
namespace {

using test::bytes_of;
using test::QueryTest;
using test::value_of;

class WithdrawalTest : public QueryTest {
 protected:
  // A directory with a file that stands elsewhere too.
  void SetUp() override {
    QueryTest::SetUp();
    snapshot_ = add_snapshot({{"dir/a", file("alpha")},
                              {"dir/below/b", file("beta")},
                              {"elsewhere", file("beta")},
                              {"c", file("gamma")}});
    // The commands open sessions of their own.
    writer_.reset();
  }
  Reference content(const std::string& path) {
    return value_of(find_path(*domain_, snapshot_, path)).content;
  }
  Reference text(const std::string& bytes) { return untyped_reference(sha256(as_bytes(bytes))); }
  ErrorCode outcome(const Reference& reference) {
    const auto found = domain_->find(reference);
    return found ? ErrorCode::kInterrupted : found.error().code;  // kInterrupted: nothing else gives it here
  }
  bool readable(const Reference& reference) { return domain_->find(reference).has_value(); }
  Withdrawn withdraw(const Reference& reference, TombstoneReason reason, bool reached = false) {
    const Reference one[] = {reference};
    return value_of(withdraw_artifacts(*domain_, one, {.reason = reason, .reached = reached}, {}));
  }
  Withdrawn lift(const Reference& reference, bool reached = false) {
    const Reference one[] = {reference};
    return value_of(lift_tombstones(*domain_, one, reached, {}));
  }

  Snapshot snapshot_;
};

TEST_F(WithdrawalTest, AWithdrawnFileIsRefusedEverywhereAndNothingElseIs) {
  const Withdrawn changed = withdraw(content("dir/below/b"), TombstoneReason::kPolicy);
  EXPECT_EQ(changed.references, std::vector<Reference>{text("beta")});
  EXPECT_EQ(outcome(text("beta")), ErrorCode::kRefused);
  EXPECT_EQ(content("elsewhere"), text("beta"));
  EXPECT_TRUE(readable(text("alpha")));
  EXPECT_TRUE(readable(content("dir")));
  EXPECT_EQ(lift(text("beta")).references, std::vector<Reference>{text("beta")});
  EXPECT_TRUE(readable(text("beta")));
}

TEST_F(WithdrawalTest, ADirectoryTakesWhatItReachesWithItOnlyIfAsked) {
  const Reference dir = content("dir");
  const Reference below = content("dir/below");
  withdraw(dir, TombstoneReason::kNone);
  EXPECT_FALSE(readable(dir));
  EXPECT_TRUE(readable(below));
  EXPECT_TRUE(readable(text("alpha")));
  // The directory itself keeps the tombstone it has.
  const Withdrawn all = withdraw(dir, TombstoneReason::kNone, true);
  std::vector<Reference> expected{below, text("alpha"), text("beta")};
  std::ranges::sort(expected);
  EXPECT_EQ(all.references, expected);
  for (const Reference& reference : expected) EXPECT_FALSE(readable(reference));
  EXPECT_TRUE(readable(text("gamma")));
  expected.push_back(dir);
  std::ranges::sort(expected);
  EXPECT_EQ(lift(dir, true).references, expected);
  for (const Reference& reference : expected) EXPECT_TRUE(readable(reference));
}

TEST_F(WithdrawalTest, ReasonsAreKeptAndAWeakerOneChangesNothing) {
  withdraw(text("alpha"), TombstoneReason::kPolicy);
  EXPECT_TRUE(withdraw(text("alpha"), TombstoneReason::kPolicy).references.empty());
  EXPECT_TRUE(withdraw(text("alpha"), TombstoneReason::kNone).references.empty());
  EXPECT_EQ(withdraw(text("alpha"), TombstoneReason::kSecret).references.size(), 1U);
  EXPECT_EQ(domain_->state()->tombstone(text("alpha"))->reason, TombstoneReason::kSecret);
  // Both go at once.
  EXPECT_EQ(lift(text("alpha")).references.size(), 1U);
  EXPECT_TRUE(readable(text("alpha")));
}

TEST_F(WithdrawalTest, WhatIsSecretGoesWithTheNextGcAndStaysWithdrawn) {
  withdraw(text("alpha"), TombstoneReason::kSecret);
  withdraw(text("gamma"), TombstoneReason::kPolicy);
  ProgressCounters progress;
  value_of(collect_garbage(*domain_, {}, progress, {}));
  EXPECT_EQ(outcome(text("alpha")), ErrorCode::kRefused);
  EXPECT_FALSE(value_of(domain_->view()->index->find(text("alpha"))).has_value());
  EXPECT_TRUE(value_of(domain_->view()->index->find(text("gamma"))).has_value());
  EXPECT_TRUE(withdraw(text("alpha"), TombstoneReason::kSecret).references.empty());
  lift(text("gamma"));
  EXPECT_TRUE(readable(text("gamma")));
}

TEST_F(WithdrawalTest, WhatIsNotThereIsNamed) {
  const Reference unknown[] = {text("alpha"), text("nobody wrote this")};
  const auto refused = withdraw_artifacts(*domain_, unknown, {.reason = TombstoneReason::kLegal}, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(refused.error().object, to_text(unknown[1]));
  EXPECT_TRUE(readable(text("alpha")));
  const auto nothing = lift_tombstones(*domain_, unknown, false, {});
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace asl
