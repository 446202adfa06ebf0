#include "index/merge.h"

#include <gtest/gtest.h>
#include <set>

#include "index_fixture.h"

namespace asl {
namespace {

using test::ArtifactMaker;
using test::expect_artifact;
using test::expect_model;
using test::LiveSegments;
using test::Model;
using test::ModelArtifact;
using test::value_of;

class Merge : public ::testing::Test {
 protected:
  LiveSegments segments_;
  ArtifactMaker maker_{1};
  MergeRules rules_{.survivor_verifies = [](const SegmentReader&, const RecordHandle&) { return true; },
                    .unpinned_at = {},
                    .keep = {},
                    .relocate = {}};
  static constexpr SegmentNumber kMerged = 100;

  std::string path() { return segments_.directory().store().segment_path(kMerged); }
  std::optional<MergedSegment> merge() {
    const auto index = segments_.open();
    return value_of(merge_segments(segments_.directory().io(), path(), index->segments(), rules_));
  }
  // Another copy of a known artifact.
  ModelArtifact copy_of(const Reference& ref, std::uint32_t extents, std::uint32_t flags = 0) {
    ModelArtifact copy = maker_.make_of(extents, ref.is_typed());
    copy.record.ref = ref;
    copy.record.flags = flags;
    return copy;
  }
  void expect_merged(const Model& model) {
    const auto reader = value_of(segments_.directory().open(kMerged));
    ASL_EXPECT_OK(reader->verify_whole(nullptr));
    EXPECT_EQ(reader->record_count(), model.size());
    const std::vector<LiveSegment> live{{kMerged, {}, 1000}};
    expect_model(
        *Index::open(segments_.directory().store(), live, nullptr, nullptr, segments_.directory().pages()),
        model);
  }
};

TEST_F(Merge, JoinsSegmentsIntoOne) {
  for (const std::size_t count : {1000U, 1U, 300U, 20U, 5000U}) segments_.seal(maker_.make_many(count));
  segments_.seal({});
  const auto merged = merge();
  ASSERT_TRUE(merged.has_value());
  EXPECT_EQ(merged->inputs, (std::vector<SegmentNumber>{6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(merged->copies_dropped, 0U);
  EXPECT_EQ(merged->written.record_count, segments_.model().size());
  expect_merged(segments_.model());
}

TEST_F(Merge, NewestCopyThatVerifiesStays) {
  const Reference ref = maker_.make_of(0, true).record.ref;
  std::vector<ModelArtifact> copies;
  for (std::uint32_t extents = 1; extents <= 3; ++extents) {
    copies.push_back(copy_of(ref, extents));
    Model model = maker_.make_many(20);
    model[ref] = copies.back();
    segments_.seal(model);
  }
  std::vector<SegmentNumber> asked;
  rules_.survivor_verifies = [&](const SegmentReader& segment, const RecordHandle& handle) {
    EXPECT_EQ(handle.record.ref, ref);
    asked.push_back(segment.number());
    return segment.number() == 2;
  };
  const auto merged = merge();
  ASSERT_TRUE(merged.has_value());
  EXPECT_EQ(asked, (std::vector<SegmentNumber>{3, 2}));
  EXPECT_EQ(merged->copies_dropped, 2U);
  Model expected = segments_.model();
  expected[ref] = copies[1];
  expect_merged(expected);
}

TEST_F(Merge, NoCopyGoesWhereNoneVerifies) {
  const Model both = maker_.make_many(10);
  segments_.seal(both);
  segments_.seal(maker_.make_many(20));
  segments_.seal(both);
  const Model newest = maker_.make_many(5);
  segments_.seal(newest);
  rules_.survivor_verifies = [](const SegmentReader&, const RecordHandle&) { return false; };
  const auto merged = merge();
  ASSERT_TRUE(merged.has_value());
  EXPECT_EQ(merged->inputs, (std::vector<SegmentNumber>{4, 3, 2}));
  EXPECT_EQ(merged->copies_dropped, 0U);
  expect_merged(segments_.model());
}

TEST_F(Merge, NothingIsWrittenWhenOneSegmentRemains) {
  const Model both = maker_.make_many(10);
  segments_.seal(both);
  segments_.seal(both);
  rules_.survivor_verifies = [](const SegmentReader&, const RecordHandle&) { return false; };
  EXPECT_FALSE(merge().has_value());
  EXPECT_FALSE(io::exists(segments_.directory().io(), path()));
}

TEST_F(Merge, AFixedRecordIsNeverDropped) {
  const Reference ref = maker_.make_of(0, false).record.ref;
  const auto fixed = copy_of(ref, 2, kRecordFixed);
  segments_.seal({{ref, fixed}});
  segments_.seal({{ref, copy_of(ref, 3)}});
  auto merged = merge();
  ASSERT_TRUE(merged.has_value());
  expect_merged({{ref, fixed}});
  std::filesystem::remove(path());

  // Not even when it is damaged: then both copies stay.
  rules_.survivor_verifies = [](const SegmentReader&, const RecordHandle&) { return false; };
  EXPECT_FALSE(merge().has_value());
  // Nor for another fixed one.
  rules_.survivor_verifies = [](const SegmentReader&, const RecordHandle&) { return true; };
  segments_.seal({{ref, copy_of(ref, 4, kRecordFixed)}});
  EXPECT_FALSE(merge().has_value());
}

TEST_F(Merge, WritesThePinsThatHold) {
  struct Case {
    bool first, second;
    std::uint64_t unpinned_at;
    bool pinned;
  };
  // The seals are at logseq 1 and 3.
  const std::vector<Case> cases{{false, false, 0, false}, {true, false, 0, true},  {false, true, 0, true},
                                {true, false, 2, false},  {true, true, 2, true},   {true, true, 4, false},
                                {false, true, 2, true},   {false, false, 2, false}};
  std::map<Reference, Case> by_ref;
  Model first;
  Model second;
  for (const Case& each : cases) {
    const Reference ref = maker_.make_of(0, false).record.ref;
    by_ref.emplace(ref, each);
    first[ref] = copy_of(ref, 1, each.first ? kRecordPinned : 0);
    second[ref] = copy_of(ref, 1, each.second ? kRecordPinned : 0);
  }
  segments_.seal(first);
  segments_.seal(second);
  rules_.unpinned_at = [&](const Reference& ref) { return by_ref.at(ref).unpinned_at; };
  ASSERT_TRUE(merge().has_value());
  for (auto& [ref, artifact] : second) artifact.record.flags = by_ref.at(ref).pinned ? kRecordPinned : 0;
  expect_merged(second);
}

TEST_F(Merge, GcDropsAndMovesInTheSameWay) {
  segments_.seal(maker_.make_many(500));
  Model second = maker_.make_many(500);
  second.insert(*segments_.model().begin());
  segments_.seal(second);
  BlockId moved{};
  moved[0] = std::byte{0x77};
  const auto keeps = [](const Reference& ref) { return (ref.digest[5] & std::byte{1}) == std::byte{0}; };
  rules_.keep = [&](SegmentNumber, const RecordHandle& handle) { return keeps(handle.record.ref); };
  rules_.relocate = [&](ExtentLocation& location) -> Result<void> {
    if ((location.digest[7] & std::byte{1}) == std::byte{0}) return {};
    location.block = moved;
    location.offset_bytes = 4096;
    return {};
  };
  const auto merged = merge();
  ASSERT_TRUE(merged.has_value());
  Model expected;
  for (auto [ref, artifact] : segments_.model()) {
    if (!keeps(ref)) continue;
    for (auto& extent : artifact.extents)
      if (!extent.hole) value_of(rules_.relocate(extent.location));
    expected.emplace(ref, artifact);
  }
  EXPECT_EQ(merged->artifacts_dropped, segments_.model().size() - expected.size());
  expect_merged(expected);
}

TEST_F(Merge, GcMayRewriteASingleSegment) {
  const Model model = maker_.make_many(100);
  segments_.seal(model);
  EXPECT_FALSE(merge().has_value());
  rules_.keep = [&](SegmentNumber, const RecordHandle& handle) {
    return handle.record.ref != model.begin()->first;
  };
  const auto merged = merge();
  ASSERT_TRUE(merged.has_value());
  Model expected = model;
  expected.erase(expected.begin());
  expect_merged(expected);
}

TEST_F(Merge, ADamagedInputStopsIt) {
  segments_.seal(maker_.make_many(300));
  segments_.seal(maker_.make_many(3000));
  const std::string input = segments_.directory().store().segment_path(2);
  Bytes bytes = segments_.directory().load(input);
  bytes[bytes.size() / 2] ^= std::byte{1};
  segments_.directory().save(input, bytes);
  const auto index = segments_.open();
  auto merged = merge_segments(segments_.directory().io(), path(), index->segments(), rules_);
  ASSERT_FALSE(merged.has_value());
  EXPECT_EQ(merged.error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(merged.error().path, input);
  EXPECT_FALSE(io::exists(segments_.directory().io(), path()));

  std::filesystem::remove(input);
  const auto without = segments_.open();
  merged = merge_segments(segments_.directory().io(), path(), without->segments(), rules_);
  ASSERT_FALSE(merged.has_value());
  EXPECT_EQ(merged.error().code, ErrorCode::kIntegrity);
}

TEST_F(Merge, IsCalledForWhenASizeClassOverflows) {
  for (int i = 0; i < 8; ++i) segments_.seal(maker_.make_many(5), false);
  EXPECT_TRUE(pick_merge(segments_.open()->segments()).empty());
  segments_.seal(maker_.make_many(5000), false);
  EXPECT_TRUE(pick_merge(segments_.open()->segments()).empty());
  segments_.seal(maker_.make_many(5), false);
  const auto index = segments_.open();
  const auto picked = pick_merge(index->segments());
  EXPECT_EQ(picked.size(), 9U);
  for (const std::size_t i : picked) EXPECT_NE(index->segments()[i].live.number, 9U);
}

}  // namespace
}  // namespace asl
