#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include <asl/engine/hash.h>

#include "index/extent_list.h"
#include "index/segment_reader.h"
#include "index/segment_writer.h"
#include "segment_fixture.h"

namespace asl {
namespace {

using test::ArtifactMaker;
using test::Model;
using test::ModelArtifact;
using test::records_of;
using test::same_extent;
using test::SegmentDirectory;
using test::value_of;

using Segment = test::SegmentTest;

void expect_same(const ModelArtifact& artifact, const RecordHandle& handle, const SegmentReader& reader) {
  EXPECT_EQ(handle.record.ref, artifact.record.ref);
  EXPECT_EQ(handle.record.length, artifact.record.length);
  EXPECT_EQ(handle.record.flags, artifact.record.flags);
  EXPECT_EQ(handle.record.type_tag, artifact.record.type_tag);
  ASSERT_EQ(handle.extent_count, artifact.extents.size());
  for (std::uint32_t k = 0; k < handle.extent_count; ++k)
    EXPECT_TRUE(same_extent(value_of(reader.extent(handle, k)), artifact.extents[k]));
}

TEST_F(Segment, GivesBackWhatWasWritten) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{130}, std::size_t{20000}}) {
    SegmentDirectory directory;
    const Model model = ArtifactMaker(count).make_many(count);
    const auto written = directory.write(1, model);
    EXPECT_EQ(written.record_count, count);
    const auto reader = value_of(directory.open(1));
    EXPECT_EQ(reader->record_count(), count);
    EXPECT_EQ(reader->file_size(), written.file_size);
    ASL_EXPECT_OK(reader->verify_whole(&written.hash));
    for (const auto& [ref, artifact] : model) {
      const auto handle = value_of(reader->find(ref));
      ASSERT_TRUE(handle.has_value()) << to_text(ref);
      expect_same(artifact, *handle, *reader);
    }
  }
}

TEST_F(Segment, FindsNothingElse) {
  const Model model = ArtifactMaker(3).make_many(5000);
  const auto reader = write_and_open(model);
  ArtifactMaker others(4);
  for (int i = 0; i < 5000; ++i) EXPECT_FALSE(value_of(reader->find(untyped_reference(others.digest()))));
  for (const auto& [ref, artifact] : model) {
    const Reference other{ref.is_typed() ? kHashIdSha256 : kHashIdAsl1, ref.digest};
    EXPECT_FALSE(value_of(reader->find(other)));
    EXPECT_FALSE(value_of(reader->find({0x1234, ref.digest})));
  }
  Reference lowest{kHashIdAsl1, {}};
  Reference highest{kHashIdSha256, {}};
  highest.digest.fill(std::byte{0xFF});
  EXPECT_FALSE(value_of(reader->find(lowest)));
  EXPECT_FALSE(value_of(reader->find(highest)));
}

TEST_F(Segment, FindsDigestsThatAreFarFromUniform) {
  Model model;
  ArtifactMaker maker(5);
  for (std::uint32_t i = 0; i < 3000; ++i) {
    ModelArtifact artifact = maker.make_of(0, false);
    artifact.record.ref.digest.fill(std::byte{i < 1500 ? std::uint8_t{0} : std::uint8_t{0xFE}});
    store_be(artifact.record.ref.digest.data() + 28, i);
    model.emplace(artifact.record.ref, artifact);
  }
  const auto reader = write_and_open(model);
  for (const auto& [ref, artifact] : model) EXPECT_TRUE(value_of(reader->find(ref)).has_value());
}

TEST_F(Segment, MayBeEmpty) {
  const auto reader = write_and_open({});
  EXPECT_EQ(reader->record_count(), 0U);
  EXPECT_FALSE(value_of(reader->find(untyped_reference({}))));
  ASL_EXPECT_OK(reader->verify_whole(nullptr));
  EXPECT_FALSE(reader->record(0).has_value());
}

TEST_F(Segment, HoldsRecordsOfEveryShape) {
  Model model;
  ArtifactMaker maker(6);
  for (const std::uint32_t extents : {0U, 1U, 2U, 1000U})
    for (const bool typed : {false, true}) {
      const auto artifact = maker.make_of(extents, typed);
      model.emplace(artifact.record.ref, artifact);
    }
  const auto reader = write_and_open(model);
  for (const auto& [ref, artifact] : model) expect_same(artifact, *value_of(reader->find(ref)), *reader);
  ASL_EXPECT_OK(reader->verify_whole(nullptr));
}

TEST_F(Segment, FindsTheExtentOfAnOffset) {
  ArtifactMaker maker(8);
  const auto artifact = maker.make_of(500, false);
  const auto reader = write_and_open({{artifact.record.ref, artifact}});
  const auto handle = *value_of(reader->find(artifact.record.ref));
  for (std::uint32_t k = 0; k < artifact.extents.size(); ++k) {
    const auto& extent = artifact.extents[k];
    EXPECT_EQ(value_of(reader->find_extent_at(handle, extent.artifact_offset)), k);
    EXPECT_EQ(value_of(reader->find_extent_at(handle, extent.artifact_offset + extent.raw_length - 1)), k);
  }
  const auto past = reader->find_extent_at(handle, artifact.record.length);
  ASSERT_FALSE(past.has_value());
  EXPECT_EQ(past.error().code, ErrorCode::kUsage);
}

TEST_F(Segment, ListsReferencesOfAPrefix) {
  const Model model = ArtifactMaker(9).make_many(3000);
  const auto reader = write_and_open(model);
  for (const auto& [ref, artifact] : model) {
    const std::string hex = to_hex(ref.digest);
    for (const std::size_t digits : {std::size_t{8}, std::size_t{9}, std::size_t{64}}) {
      std::vector<Reference> found;
      ASL_ASSERT_OK(reader->find_prefix({ref.hash_id, hex.substr(0, digits)}, 10, found));
      EXPECT_EQ(found, std::vector{ref});
    }
  }
  std::vector<Reference> all;
  std::vector<Reference> wanted;
  for (const auto& [ref, artifact] : model)
    if (!ref.is_typed() && to_hex(ref.digest).starts_with("a")) wanted.push_back(ref);
  ASL_ASSERT_OK(reader->find_prefix({kHashIdSha256, "a"}, 10000, all));
  EXPECT_EQ(all, wanted);
  all.clear();
  ASL_ASSERT_OK(reader->find_prefix({kHashIdSha256, "a"}, 3, all));
  EXPECT_EQ(all.size(), 3U);
}

TEST_F(Segment, CursorWalksEverythingInOrder) {
  const Model model = ArtifactMaker(10).make_many(30000);
  SegmentCursor cursor(write_and_open(model));
  const auto blocks = value_of(cursor.blocks());
  for (int round = 0; round < 2; ++round) {
    auto expected = model.begin();
    RecordHandle handle;
    std::vector<ExtentRecord> batch(3);
    while (value_of(cursor.next(handle))) {
      ASSERT_NE(expected, model.end());
      EXPECT_EQ(handle.record.ref, expected->first);
      // A walk may leave extents unread.
      if (handle.number % 5 != 0) {
        std::size_t k = 0;
        while (const std::size_t got = value_of(cursor.next_extents(batch)))
          for (std::size_t i = 0; i < got; ++i, ++k) {
            const BlockId block = batch[i].is_hole() ? BlockId{} : blocks[batch[i].block_index];
            EXPECT_TRUE(same_extent(locate(batch[i], block), expected->second.extents[k]));
          }
        EXPECT_EQ(k, expected->second.extents.size());
      }
      ++expected;
    }
    EXPECT_EQ(expected, model.end());
    cursor.rewind();
  }
}

TEST_F(Segment, BytesDependOnTheRecordsAlone) {
  const Model model = ArtifactMaker(11).make_many(500);
  directory_.write(1, model);
  BlockTable blocks;
  (void)blocks.number_of(Digest{});  // numbers differ from those of the first segment
  SegmentBuilder builder(blocks);
  for (const auto& [ref, artifact] : model) builder.add(artifact.record, records_of(artifact, blocks));
  value_of(builder.write(directory_.io(), path(), {}));
  EXPECT_EQ(directory_.load(directory_.store().segment_path(1)), directory_.load(path()));
}

TEST_F(Segment, FileHashIsTheOneReported) {
  const auto written = directory_.write(kNumber, ArtifactMaker(12).make_many(100));
  EXPECT_EQ(sha256(directory_.load(path())), written.hash);
  const Digest other{};
  const auto verified = value_of(directory_.open(kNumber))->verify_whole(&other);
  ASSERT_FALSE(verified.has_value());
  EXPECT_EQ(verified.error().code, ErrorCode::kIntegrity);
}

TEST_F(Segment, BuilderJoinsRepeats) {
  ArtifactMaker maker(13);
  auto artifact = maker.make_of(2, false);
  BlockTable blocks;
  SegmentBuilder builder(blocks);
  artifact.record.flags = kRecordPinned;
  builder.add(artifact.record, records_of(artifact, blocks));
  artifact.record.flags = kRecordFixed;
  artifact.extents[1].location.block = maker.digest();
  artifact.extents[1].hole = false;
  artifact.extents[1] = maker.extent(artifact.extents[1].artifact_offset, false);
  artifact.record.length = artifact.extents[1].artifact_offset + artifact.extents[1].raw_length;
  builder.add(artifact.record, records_of(artifact, blocks));
  EXPECT_EQ(value_of(builder.write(directory_.io(), path(), {})).record_count, 1U);
  artifact.record.flags = kRecordPinned | kRecordFixed;
  const auto reader = value_of(directory_.open(kNumber));
  expect_same(artifact, *value_of(reader->find(artifact.record.ref)), *reader);
  EXPECT_EQ(builder.record_count(), 0U);
}

TEST_F(Segment, BlocksMayBeSealedAfterTheirExtentsAreKnown) {
  ArtifactMaker maker(14);
  const auto artifact = maker.make_of(1, true);
  BlockTable blocks;
  SegmentBuilder builder(blocks);
  const std::uint32_t open_block = blocks.reserve();
  auto extents = records_of(artifact, blocks);
  extents[0].block_index = open_block;
  builder.add(artifact.record, extents);
  auto early = builder.write(directory_.io(), path(), {});
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, ErrorCode::kUsage);
  EXPECT_FALSE(io::exists(directory_.io(), path()));

  builder.add(artifact.record, extents);
  blocks.resolve(open_block, artifact.extents[0].location.block);
  value_of(builder.write(directory_.io(), path(), {}));
  const auto reader = value_of(directory_.open(kNumber));
  expect_same(artifact, *value_of(reader->find(artifact.record.ref)), *reader);
}

TEST_F(Segment, WriterRefusesWhatBreaksTheFormat) {
  ArtifactMaker maker(15);
  const auto refuse = [&](const char* what, auto&& change) {
    ModelArtifact artifact = maker.make_of(3, false);
    for (std::size_t k = 0; k < 3; ++k) artifact.extents[k] = maker.extent(k * 1000, false);
    for (auto& extent : artifact.extents) {
      extent.raw_length = extent.location.raw_length_bytes = extent.location.stored_length_bytes = 1000;
      extent.location.codec = Codec::kNone;
    }
    artifact.record.length = 3000;
    BlockTable blocks;
    auto extents = records_of(artifact, blocks);
    change(artifact.record, extents);
    SegmentBuilder builder(blocks);
    builder.add(artifact.record, extents);
    const auto written = builder.write(directory_.io(), path(), {});
    ASSERT_FALSE(written.has_value()) << what;
    EXPECT_EQ(written.error().code, ErrorCode::kUsage) << what;
    EXPECT_FALSE(io::exists(directory_.io(), path())) << what;
  };
  using Extents = std::vector<ExtentRecord>;
  refuse("a gap", [](ArtifactRecord&, Extents& e) { e[1].artifact_offset = 1001; });
  refuse("an overlap", [](ArtifactRecord&, Extents& e) { e[1].artifact_offset = 999; });
  refuse("too short", [](ArtifactRecord& r, Extents&) { r.length = 3001; });
  refuse("too long", [](ArtifactRecord& r, Extents&) { r.length = 2999; });
  refuse("two holes", [](ArtifactRecord&, Extents& e) {
    e[0] = hole_record(0, 1000);
    e[1] = hole_record(1000, 1000);
  });
  refuse("past the block", [](ArtifactRecord&, Extents& e) { e[0].block_offset = kBlockLengthMax - 999; });
  refuse("unknown block", [](ArtifactRecord&, Extents& e) { e[0].block_index = 1000; });
  refuse("unequal lengths", [](ArtifactRecord&, Extents& e) { e[0].stored_length = 999; });
  refuse("no shorter", [](ArtifactRecord&, Extents& e) { e[0].codec = Codec::kZstd; });
  refuse("a type tag", [](ArtifactRecord& r, Extents&) { r.type_tag = kTagTree; });
  refuse("no type tag", [](ArtifactRecord& r, Extents&) { r.ref.hash_id = kHashIdAsl1; });
  refuse("a foreign hash id", [](ArtifactRecord& r, Extents&) { r.ref.hash_id = 2; });
  refuse("unknown flags", [](ArtifactRecord& r, Extents&) { r.flags = 4; });
  refuse("unknown visibility", [](ArtifactRecord& r, Extents&) { r.visibility = 2; });
}

TEST_F(Segment, WriterLeavesAnExistingFileAlone) {
  directory_.save(path(), as_bytes("precious"));
  BlockTable blocks;
  EXPECT_FALSE(SegmentBuilder(blocks).write(directory_.io(), path(), {}).has_value());
  EXPECT_EQ(as_text(directory_.load(path())), "precious");
}

TEST_F(Segment, ExtentListsSpillAndComeBack) {
  ArtifactMaker maker(16);
  const auto artifact = maker.make_of(9000, false);
  BlockTable blocks;
  const auto extents = records_of(artifact, blocks);
  ExtentListBudget budget(directory_.io(), directory_.path("store/tmp"), 64 << 10);
  auto list = std::make_unique<ExtentList>(budget);
  for (const auto& extent : extents) ASL_ASSERT_OK(list->append(extent));
  EXPECT_TRUE(list->spilled());
  EXPECT_EQ(list->size(), extents.size());
  EXPECT_EQ(std::filesystem::exists(directory_.path("store/tmp/extents-0.tmp")), true);
  {
    SegmentBuilder builder(blocks);
    builder.add(artifact.record, std::move(list));
    value_of(builder.write(directory_.io(), path(), {}));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path("store/tmp")));
  const auto reader = value_of(directory_.open(kNumber));
  expect_same(artifact, *value_of(reader->find(artifact.record.ref)), *reader);
}

TEST_F(Segment, ShortExtentListsStayInMemory) {
  ArtifactMaker maker(17);
  ExtentListBudget budget(directory_.io(), directory_.path("store/tmp"));
  ExtentList list(budget);
  BlockTable blocks;
  for (const auto& extent : records_of(maker.make_of(100, false), blocks)) ASL_ASSERT_OK(list.append(extent));
  EXPECT_FALSE(list.spilled());
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path("store/tmp")));
}

TEST_F(Segment, IsReadByManyThreadsAtOnce) {
  const Model model = ArtifactMaker(18).make_many(5000);
  directory_.write(kNumber, model);
  // A cache much smaller than the segment: threads throw out each other's pages.
  const auto reader =
      value_of(SegmentReader::open(directory_.io(), path(), kNumber, std::make_shared<PageCache>(64 << 10)));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (const auto& [ref, artifact] : model) {
        const auto handle = reader->find(ref);
        if (!handle || !*handle || (*handle)->record.length != artifact.record.length) ++wrong;
        if (handle && *handle && !artifact.extents.empty()) {
          const auto extent = reader->extent(**handle, 0);
          if (!extent || !same_extent(*extent, artifact.extents[0])) ++wrong;
        }
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(Segment, PageCacheStaysInItsBounds) {
  const Model model = ArtifactMaker(19).make_many(20000);
  directory_.write(kNumber, model);
  const auto pages = std::make_shared<PageCache>(256 << 10);
  const auto reader = value_of(SegmentReader::open(directory_.io(), path(), kNumber, pages));
  for (const auto& [ref, artifact] : model) EXPECT_TRUE(value_of(reader->find(ref)).has_value());
  EXPECT_LE(pages->page_count(), 64U);
}

TEST(SegmentNames, HaveOneSpelling) {
  EXPECT_EQ(parse_segment_name("segment-0.idx"), 0U);
  EXPECT_EQ(parse_segment_name("segment-18446744073709551615.idx"), ~std::uint64_t{0});
  EXPECT_EQ(parse_bloom_name("bloom-12.bf"), 12U);
  for (const char* name :
       {"segment-.idx", "segment-01.idx", "segment-1.idx.tmp", "segment--1.idx", "segment-1.bf",
        "segment-18446744073709551616.idx", "Segment-1.idx", "segment-1 .idx", "segment-+1.idx"})
    EXPECT_FALSE(parse_segment_name(name).has_value()) << name;
}

TEST(SegmentNames, ListingTellsSegmentsFromTheRest) {
  SegmentDirectory directory;
  directory.write(12, {});
  directory.write(3, {});
  directory.save(directory.path("store/index/bloom-3.bf"), as_bytes("x"));
  directory.save(directory.path("store/index/notes"), as_bytes("x"));
  const auto listing = value_of(directory.store().list());
  EXPECT_EQ(listing.segments, (std::vector<SegmentNumber>{3, 12}));
  EXPECT_EQ(listing.blooms, (std::vector<SegmentNumber>{3}));
  EXPECT_EQ(listing.foreign, (std::vector<std::string>{"notes"}));
  ASL_EXPECT_OK(directory.store().remove(3));
  ASL_EXPECT_OK(directory.store().remove(3));
  EXPECT_EQ(value_of(directory.store().list()).segments, (std::vector<SegmentNumber>{12}));
}

}  // namespace
}  // namespace asl
