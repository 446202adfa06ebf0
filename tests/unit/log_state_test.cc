// What records add up to, and which of them contradict the log so far.
#include <gtest/gtest.h>

#include <asl/engine/log_state.h>

#include "log_fixture.h"

namespace asl {
namespace {

class StateTest : public testing::Test {
 protected:
  // Appends a COMMIT and applies, as a replay would.
  Result<void> apply(std::vector<NewRecord> group) {
    group.push_back({kLogCommit, {}});
    std::vector<LogRecord> records;
    std::uint64_t logseq = state_.last_logseq();
    for (const NewRecord& record : group)
      records.push_back({.logseq = ++logseq, .type = record.type, .payload = record.payload, .hash = {}});
    CommitRecord commit;
    commit.records = static_cast<std::uint32_t>(records.size());
    const Bytes payload = commit.encode();
    records.back().payload = payload;
    return state_.apply(records);
  }
  void begin() { ASSERT_TRUE(apply({new_record(GenesisRecord{{}, true, {}})})); }
  void expect_refused(const std::vector<NewRecord>& group, std::string_view message) {
    const std::uint64_t before = state_.last_logseq();
    const Result<void> checked = state_.check(group);
    ASSERT_FALSE(checked);
    const Result<void> applied = apply(group);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, ErrorCode::kIntegrity);
    EXPECT_EQ(applied.error().message, checked.error().message);
    EXPECT_NE(applied.error().message.find(message), std::string::npos) << applied.error().message;
    EXPECT_EQ(state_.last_logseq(), before);
  }
  static NewRecord seal(std::uint64_t id) { return new_record(SegmentSealRecord{id, digest_of("s")}); }
  static NewRecord retire(std::vector<std::uint64_t> ids) {
    return new_record(SegmentRetireRecord{std::move(ids)});
  }
  static NewRecord anchor(std::uint64_t id) {
    return new_record(SnapshotAnchorRecord{id, reference_of("t")});
  }
  static NewRecord forget(std::uint64_t id) { return new_record(SnapshotForgetRecord{id}); }
  static NewRecord label(std::uint64_t id, std::string text) {
    return new_record(SnapshotLabelRecord{id, std::move(text)});
  }

  LogState state_;
};

TEST_F(StateTest, GenesisComesFirstAndOnce) {
  expect_refused({seal(1)}, "genesis");
  begin();
  EXPECT_TRUE(state_.genesis()->local);
  expect_refused({new_record(GenesisRecord{{}, true, {}})}, "genesis");
}

TEST_F(StateTest, SegmentsLiveFromSealToRetire) {
  begin();
  ASSERT_TRUE(apply({seal(1), seal(2)}));
  ASSERT_TRUE(apply({seal(5), retire({1, 2})}));
  ASSERT_EQ(state_.segments().size(), 1U);
  EXPECT_EQ(state_.segments()[0].id, 5U);
  EXPECT_EQ(state_.segments()[0].logseq, 6U);
  EXPECT_EQ(state_.find_segment(5)->file_hash, digest_of("s"));
  EXPECT_EQ(state_.find_segment(2), nullptr);
  EXPECT_EQ(state_.next_segment_id(), 6U);
  expect_refused({seal(5)}, "segment 5 is sealed after segment 5");
  expect_refused({seal(2)}, "segment 2");
  expect_refused({seal(7), seal(6)}, "segment 6 is sealed after segment 7");
  expect_refused({retire({2})}, "not live");
  expect_refused({retire({5, 5})}, "not live");
  ASSERT_TRUE(apply({seal(6), retire({5, 6})}));
  EXPECT_TRUE(state_.segments().empty());
  EXPECT_EQ(state_.next_segment_id(), 7U);
}

TEST_F(StateTest, SnapshotsAreLabelledHeldAndForgotten) {
  begin();
  ASSERT_TRUE(apply({anchor(1), label(1, "home"), anchor(2)}));
  ASSERT_TRUE(apply({new_record(SnapshotHoldRecord{1, true, "court"})}));
  EXPECT_EQ(state_.current_snapshot()->id, 2U);
  EXPECT_EQ(state_.find_label("home")->id, 1U);
  EXPECT_TRUE(state_.find_snapshot(1)->held);
  EXPECT_EQ(state_.find_snapshot(1)->hold_reason, "court");
  EXPECT_EQ(state_.find_snapshot(2)->label_logseq, 0U);
  // A label moves to the snapshot that got it last, for good; an empty one takes it away.
  ASSERT_TRUE(apply({label(2, "home")}));
  EXPECT_EQ(state_.find_label("home")->id, 2U);
  EXPECT_EQ(state_.find_snapshot(1)->label, "");
  EXPECT_NE(state_.find_snapshot(1)->label_logseq, 0U);
  ASSERT_TRUE(apply({forget(2)}));
  EXPECT_EQ(state_.find_label("home"), nullptr);
  ASSERT_TRUE(apply({label(1, "home")}));
  EXPECT_EQ(state_.find_label("home")->id, 1U);
  EXPECT_EQ(state_.current_snapshot()->id, 1U);
  EXPECT_EQ(state_.next_snapshot_id(), 3U);
  ASSERT_TRUE(apply({label(1, "")}));
  EXPECT_EQ(state_.find_label("home"), nullptr);
  EXPECT_EQ(state_.find_label(""), nullptr);
  ASSERT_TRUE(apply({new_record(SnapshotHoldRecord{1, false, ""})}));
  EXPECT_FALSE(state_.find_snapshot(1)->held);
}

TEST_F(StateTest, SnapshotContradictionsAreRefused) {
  begin();
  ASSERT_TRUE(apply({anchor(1)}));
  expect_refused({anchor(1)}, "anchored twice");
  expect_refused({anchor(2), anchor(2)}, "anchored twice");
  expect_refused({forget(3)}, "before it is anchored");
  expect_refused({label(3, "x")}, "before it is anchored");
  expect_refused({new_record(SnapshotHoldRecord{3, true, ""})}, "before it is anchored");
  expect_refused({forget(1), label(1, "x")}, "after it is forgotten");
  ASSERT_TRUE(apply({forget(1)}));
  expect_refused({forget(1)}, "after it is forgotten");
  expect_refused({anchor(1)}, "anchored twice");  // the pair (domain, snapshot id) is bound for ever
}

TEST_F(StateTest, AGroupIsAppliedWholeOrNotAtAll) {
  begin();
  expect_refused({seal(1), anchor(1), retire({9})}, "not live");
  EXPECT_TRUE(state_.segments().empty());
  EXPECT_TRUE(state_.snapshots().empty());
  EXPECT_EQ(state_.next_segment_id(), 1U);
}

TEST_F(StateTest, TombstonesHoldUntilLifted) {
  begin();
  const Reference ref = reference_of("secret");
  const auto stone = [&](TombstoneReason reason) {
    return new_record(TombstoneRecord{ref, TombstoneScope::kThis, reason});
  };
  const auto lift = [&](std::uint64_t logseq) { return new_record(TombstoneLiftRecord{ref, logseq}); };
  EXPECT_EQ(state_.tombstone(ref), nullptr);
  ASSERT_TRUE(apply({stone(TombstoneReason::kLegal), stone(TombstoneReason::kPolicy)}));  // records 3 and 4
  EXPECT_EQ(state_.tombstone(ref)->reason, TombstoneReason::kPolicy);
  expect_refused({new_record(TombstoneLiftRecord{reference_of("other"), 3})}, "no tombstone in force");
  expect_refused({lift(2)}, "no tombstone in force");
  expect_refused({lift(4), lift(4)}, "no tombstone in force");
  ASSERT_TRUE(apply({lift(4)}));
  EXPECT_EQ(state_.tombstone(ref)->reason, TombstoneReason::kLegal);
  ASSERT_TRUE(apply({lift(3)}));
  EXPECT_EQ(state_.tombstone(ref), nullptr);
  EXPECT_EQ(state_.tombstones().at(ref).size(), 2U);
  expect_refused({lift(3)}, "no tombstone in force");
  // Issued and lifted in one group.
  ASSERT_TRUE(apply({stone(TombstoneReason::kSecret), lift(state_.last_logseq() + 1)}));
  EXPECT_EQ(state_.tombstone(ref), nullptr);
}

TEST_F(StateTest, PublicationsComeAndGoAndStayRoots) {
  begin();
  const auto publish = [](std::uint64_t id, const char* by) {
    return new_record(PublishRecord{id, reference_of(by)});
  };
  const auto unpublish = [](std::uint64_t id) {
    return new_record(UnpublishRecord{id, reference_of("withdrawn")});
  };
  expect_refused({publish(1, "a")}, "before it is anchored");
  ASSERT_TRUE(apply({anchor(1), publish(1, "a")}));
  EXPECT_EQ(state_.published().at(1).publication, reference_of("a"));
  expect_refused({unpublish(2)}, "not published");
  expect_refused({unpublish(1), unpublish(1)}, "not published");
  ASSERT_TRUE(apply({unpublish(1)}));
  EXPECT_TRUE(state_.published().empty());
  EXPECT_EQ(state_.roots(), (std::vector<Reference>{reference_of("a"), reference_of("withdrawn")}));
  ASSERT_TRUE(apply({publish(1, "b"), unpublish(1), publish(1, "c")}));
  EXPECT_EQ(state_.published().at(1).publication, reference_of("c"));
}

TEST_F(StateTest, AuthorityRecordsAreKeptInOrder) {
  begin();
  const Digest hash = digest_of("h");
  ASSERT_TRUE(apply({
      new_record(AuthorityBindRecord{kTagAuthorityFirst, reference_of("dam")}),
      new_record(RequestRecord{hash, {}, hash}),
      new_record(ExecutionRecord{reference_of("receipt"), {}, hash}),
      new_record(RefusalRecord{hash, {}, hash, 2, reference_of("refusal")}),
      new_record(ResponseRecord{1, hash, "s\nl"}),
      new_record(DomainStateRecord{{}, DomainStanding::kCourtesy, reference_of("state")}),
      new_record(DateRecord{100, false, ""}),
      new_record(DateRecord{50, true, "typed wrong"}),
      new_record(BundleRecord{{}, hash}),
  }));
  EXPECT_EQ(state_.roots(), (std::vector<Reference>{reference_of("dam"), reference_of("receipt"),
                                                    reference_of("refusal"), reference_of("state")}));
  EXPECT_EQ(state_.authority_binds()[0].logseq, 3U);
  EXPECT_EQ(state_.requests()[0].logseq, 4U);
  EXPECT_EQ(state_.executions()[0].record.receipt, reference_of("receipt"));
  EXPECT_EQ(state_.refusals()[0].record.reason, 2U);
  EXPECT_EQ(state_.responses()[0].record.medium, "s\nl");
  EXPECT_EQ(state_.domain_states()[0].record.standing, DomainStanding::kCourtesy);
  EXPECT_EQ(state_.bundles().size(), 1U);
  EXPECT_EQ(state_.last_date(), 50);
}

TEST_F(StateTest, UnpinsKeepTheirLastPlace) {
  begin();
  const Reference ref = reference_of("x");
  EXPECT_EQ(state_.last_unpin(ref), 0U);
  ASSERT_TRUE(apply({new_record(ArtifactUnpinRecord{ref})}));
  ASSERT_TRUE(apply({new_record(ArtifactUnpinRecord{ref})}));
  EXPECT_EQ(state_.last_unpin(ref), 5U);
}

TEST_F(StateTest, UnknownTypesAreSkippedButForbidWriting) {
  begin();
  EXPECT_TRUE(state_.require_known_types());
  ASSERT_TRUE(apply({{0x66, Bytes(5)}, anchor(1)}));
  EXPECT_EQ(state_.snapshots().size(), 1U);
  const Result<void> may_write = state_.require_known_types();
  ASSERT_FALSE(may_write);
  EXPECT_EQ(exit_code(may_write.error().code), 10);
}

TEST_F(StateTest, RecordsOutOfSequenceAreRefused) {
  begin();
  const Bytes payload = anchor(1).payload;
  const LogRecord late{.logseq = 9, .type = kLogSnapshotAnchor, .payload = payload, .hash = {}};
  EXPECT_FALSE(state_.apply(std::span(&late, 1)));
  EXPECT_EQ(state_.apply_after_gap(std::span(&late, 1)), 0U);
  EXPECT_EQ(state_.last_logseq(), 9U);
  EXPECT_EQ(state_.apply_after_gap(std::span(&late, 1)), 1U);  // not again
}

TEST_F(StateTest, AfterAGapWhatMakesNoSenseIsLeftOut) {
  begin();
  const std::vector<NewRecord> records = {label(7, "lost"), anchor(8), label(8, "kept"), retire({3}),
                                          seal(4)};
  std::vector<LogRecord> group;
  std::uint64_t logseq = 20;
  for (const NewRecord& record : records)
    group.push_back({.logseq = logseq++, .type = record.type, .payload = record.payload, .hash = {}});
  EXPECT_EQ(state_.apply_after_gap(group), 2U);
  EXPECT_EQ(state_.find_label("kept")->id, 8U);
  EXPECT_NE(state_.find_segment(4), nullptr);
}

TEST_F(StateTest, HoldsTenThousandSnapshots) {
  begin();
  for (std::uint64_t id = 1; id <= 12000; ++id)
    ASSERT_TRUE(apply({anchor(id), label(id, std::to_string(id))}));
  EXPECT_EQ(state_.snapshots().size(), 12000U);
  EXPECT_EQ(state_.find_label("777")->id, 777U);
  const LogState copy = state_;
  EXPECT_EQ(copy.current_snapshot()->id, 12000U);
}

}  // namespace
}  // namespace asl
