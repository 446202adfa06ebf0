#include "index/index.h"

#include <gtest/gtest.h>
#include <thread>

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

constexpr std::size_t kLimit = 100;

TEST(Index, AnswersFromManySegmentsAsOne) {
  LiveSegments segments;
  ArtifactMaker maker(1);
  for (const std::size_t count : {1000U, 1U, 300U, 20U, 5000U})
    segments.seal(maker.make_many(count), count != 300);
  const auto index = segments.open();
  EXPECT_TRUE(index->broken().empty());
  expect_model(*index, segments.model());
}

TEST(Index, MayBeEmpty) {
  LiveSegments segments;
  expect_model(*segments.open(), {});
  segments.seal({});
  expect_model(*segments.open(), {});
}

TEST(Index, NewestSealWinsAndOlderCopiesFollow) {
  LiveSegments segments;
  ArtifactMaker maker(2);
  std::vector<ModelArtifact> copies{maker.make_of(3, false)};
  const Reference ref = copies[0].record.ref;
  for (int i = 0; i < 2; ++i) {
    copies.push_back(maker.make_of(2, false));
    copies.back().record.ref = ref;
  }
  for (const auto& copy : copies) {
    Model model = maker.make_many(50);
    model[ref] = copy;
    segments.seal(model);
    segments.seal(maker.make_many(50));
  }
  const auto index = segments.open();
  auto handle = value_of(index->find(ref));
  for (int i = 2; i >= 0; --i) {
    ASSERT_TRUE(handle.has_value());
    expect_artifact(*handle, copies[static_cast<std::size_t>(i)]);
    handle = value_of(index->next_copy(*handle));
  }
  EXPECT_FALSE(handle.has_value());
}

TEST(Index, WorksWithoutBloomFilesAndWritesMissingOnes) {
  LiveSegments segments;
  ArtifactMaker maker(3);
  for (int i = 0; i < 3; ++i) segments.seal(maker.make_many(200), i == 1);
  const auto& store = segments.directory().store();
  segments.directory().save(store.bloom_path(2), as_bytes("damaged"));
  const auto index = segments.open();
  expect_model(*index, segments.model());
  EXPECT_EQ(value_of(index->write_missing_blooms()), 3U);
  EXPECT_EQ(value_of(index->write_missing_blooms()), 0U);
  expect_model(*index, segments.model());
  EXPECT_EQ(value_of(segments.open()->write_missing_blooms()), 0U);
}

TEST(Index, FindsExtentsByDigest) {
  LiveSegments segments;
  ArtifactMaker maker(4);
  for (int i = 0; i < 3; ++i) segments.seal(maker.make_many(200));
  const auto index = segments.open();
  for (const auto& [ref, artifact] : segments.model()) {
    if (artifact.extents.size() > 3) continue;  // scanning for all would take long
    for (const auto& extent : artifact.extents) {
      if (extent.hole) continue;
      const auto found = value_of(index->find_extent(extent.location.digest, ExtentSearch::kScan));
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->location, extent.location);
      const bool indexed = artifact.extents.size() == 1 && !ref.is_typed();
      EXPECT_EQ(value_of(index->find_extent(extent.location.digest, ExtentSearch::kIndexed)).has_value(),
                indexed);
    }
  }
  EXPECT_FALSE(value_of(index->find_extent(maker.digest(), ExtentSearch::kScan)).has_value());
  EXPECT_FALSE(value_of(index->find_extent(Digest{}, ExtentSearch::kScan)).has_value())
      << "the digest of holes";
}

TEST(Index, ResolvesPrefixesOverAllSegments) {
  LiveSegments segments;
  ArtifactMaker maker(5);
  Model first = maker.make_many(100);
  Model second = maker.make_many(100);
  second.insert(*first.begin());  // in both
  ModelArtifact twin = first.begin()->second;
  twin.record.ref.digest[31] ^= std::byte{1};
  if (twin.extents.size() == 1) twin.extents[0].location.digest = twin.record.ref.digest;
  second[twin.record.ref] = twin;
  segments.seal(first);
  segments.seal(second);
  const auto index = segments.open();
  const Reference ref = first.begin()->first;
  std::vector both{ref, twin.record.ref};
  std::ranges::sort(both);
  const std::string hex = to_hex(ref.digest);
  EXPECT_EQ(value_of(index->resolve_prefix({ref.hash_id, hex.substr(0, 10)}, kLimit)), both);
  EXPECT_EQ(value_of(index->resolve_prefix({ref.hash_id, hex.substr(0, 10)}, 1)).size(), 1U);
  EXPECT_EQ(value_of(index->resolve_prefix({ref.hash_id, hex}, kLimit)), std::vector{ref});
  EXPECT_TRUE(value_of(index->resolve_prefix({kHashIdSha256, "0123456789"}, kLimit)).empty());
}

TEST(Index, SharesOpenSegmentsWithAnOlderState) {
  LiveSegments segments;
  ArtifactMaker maker(6);
  segments.seal(maker.make_many(100));
  segments.seal(maker.make_many(100));
  const auto older = segments.open();
  const auto kept = older->segment(2);
  const Model gone = {};
  segments.retire(1);
  const Model fresh = maker.make_many(100);
  segments.seal(fresh);
  const auto newer = segments.open(nullptr, older);
  EXPECT_EQ(newer->segment(2), kept);
  EXPECT_EQ(newer->segment(1), nullptr);
  EXPECT_NE(older->segment(1), nullptr);
  EXPECT_EQ(newer->segments().front().live.number, 3U);
  expect_model(*newer, fresh);
}

TEST(Index, HandlesOutliveTheirIndexAndFile) {
  LiveSegments segments;
  ArtifactMaker maker(7);
  const auto artifact = maker.make_of(40, true);
  segments.seal({{artifact.record.ref, artifact}});
  auto index = segments.open();
  const auto handle = *value_of(index->find(artifact.record.ref));
  index.reset();
  ASL_ASSERT_OK(segments.directory().store().remove(1));
  expect_artifact(handle, artifact);
}

class BrokenIndex : public ::testing::Test {
 protected:
  LiveSegments segments_;
  ArtifactMaker maker_{8};
  Model older_ = maker_.make_many(300);
  Model newer_ = maker_.make_many(300);

  void SetUp() override {
    newer_.insert(*older_.begin());
    segments_.seal(older_);
    segments_.seal(newer_);
  }
};

TEST_F(BrokenIndex, AMissingSegmentIsAnErrorOnlyWhereItMatters) {
  std::filesystem::remove(segments_.directory().store().segment_path(2));
  const auto index = segments_.open();
  ASSERT_EQ(index->broken().size(), 1U);
  EXPECT_EQ(index->broken()[0].code, ErrorCode::kIntegrity);
  EXPECT_EQ(index->segment(2), nullptr);
  for (const auto& [ref, artifact] : older_) EXPECT_TRUE(value_of(index->find(ref)).has_value());
  const auto lost = index->find(newer_.rbegin()->first);
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().path, segments_.directory().store().segment_path(2));
  EXPECT_FALSE(index->resolve_prefix({kHashIdSha256, "01234567"}, kLimit).has_value());
  EXPECT_FALSE(index->find_extent(maker_.digest(), ExtentSearch::kScan).has_value());
}

TEST_F(BrokenIndex, ADamagedPageIsAnErrorUnlessAnotherCopyExists) {
  const std::string path = segments_.directory().store().segment_path(2);
  Bytes bytes = segments_.directory().load(path);
  const auto header = test::header_of(bytes);
  for (std::uint64_t at = kPageSize; at < header.page_sums_offset; at += kPageSize) bytes[at] ^= std::byte{1};
  segments_.directory().save(path, bytes);
  const auto index = segments_.open();
  EXPECT_TRUE(index->broken().empty());
  expect_artifact(*value_of(index->find(older_.begin()->first)), older_.begin()->second);
  int failed = 0;
  for (const auto& [ref, artifact] : newer_) {
    const auto found = index->find(ref);
    failed += found ? 0 : 1;
    if (!found) {
      EXPECT_EQ(found.error().code, ErrorCode::kIntegrity);
    } else {
      EXPECT_TRUE(found->has_value());
    }
  }
  EXPECT_GT(failed, 100);
}

TEST_F(BrokenIndex, ABrokenSegmentIsTriedAgainByTheNextState) {
  const std::string path = segments_.directory().store().segment_path(2);
  std::filesystem::rename(path, path + ".away");
  const auto without = segments_.open();
  EXPECT_EQ(without->broken().size(), 1U);
  std::filesystem::rename(path + ".away", path);
  expect_model(*segments_.open(nullptr, without), segments_.model());
}

TEST(Index, IsReadByManyThreadsAtOnce) {
  LiveSegments segments;
  ArtifactMaker maker(9);
  for (int i = 0; i < 4; ++i) segments.seal(maker.make_many(1000));
  const auto index = segments.open();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (const auto& [ref, artifact] : segments.model()) {
        const auto handle = index->find(ref);
        if (!handle || !*handle || (*handle)->length() != artifact.record.length) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace asl
