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
using test::header_of;
using test::Model;
using test::ModelArtifact;
using test::records_of;
using test::reseal;
using test::same_extent;
using test::SegmentDirectory;
using test::value_of;

class Segment : public ::testing::Test {
 protected:
  static constexpr SegmentNumber kNumber = 7;
  SegmentDirectory directory_;

  std::shared_ptr<const SegmentReader> write_and_open(const Model& model) {
    directory_.write(kNumber, model);
    return value_of(directory_.open(kNumber));
  }
  std::string path() const { return directory_.store().segment_path(kNumber); }

  // The error of opening, or else of verifying, the segment with `bytes`.
  Error error_with(const Bytes& bytes) {
    directory_.save(path(), bytes);
    auto reader = directory_.open(kNumber);
    if (!reader) return reader.error();
    auto verified = (*reader)->verify_whole(nullptr);
    EXPECT_FALSE(verified.has_value()) << "a broken segment passed";
    return verified ? Error{} : verified.error();
  }
};

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

// Every bit of every section, some of them flipped one at a time.
TEST_F(Segment, AFlippedBitIsAnErrorNeverAnAnswer) {
  const Model model = ArtifactMaker(20).make_many(200);
  directory_.write(kNumber, model);
  const Bytes good = directory_.load(path());
  for (std::size_t at = 0; at < good.size(); at += 97) {
    Bytes bad = good;
    bad[at] ^= static_cast<std::byte>(1U << (at % 8));
    directory_.save(path(), bad);
    const auto reader = SegmentReader::open(directory_.io(), path(), kNumber, std::make_shared<PageCache>());
    if (!reader) {
      EXPECT_NE(reader.error().path, "");
      continue;
    }
    for (const auto& [ref, artifact] : model) {
      const auto handle = (*reader)->find(ref);
      if (!handle) {
        EXPECT_EQ(handle.error().code, ErrorCode::kIntegrity);
        EXPECT_TRUE(handle.error().offset.has_value());
        EXPECT_EQ(handle.error().path, path());
        break;  // other pages may still be good
      }
      ASSERT_TRUE(handle->has_value()) << "byte " << at;
      bool failed = false;
      for (std::uint32_t k = 0; k < artifact.extents.size(); ++k) {
        const auto extent = (*reader)->extent(**handle, k);
        failed = !extent;
        if (failed) break;
        ASSERT_TRUE(same_extent(*extent, artifact.extents[k])) << "byte " << at;
      }
      if (failed) break;
    }
    EXPECT_FALSE((*reader)->verify_whole(nullptr).has_value()) << "byte " << at;
  }
}

TEST_F(Segment, ATruncatedFileIsRefused) {
  directory_.write(kNumber, ArtifactMaker(21).make_many(300));
  const Bytes good = directory_.load(path());
  for (std::size_t size = 0; size < good.size(); size += 1 + good.size() / 97) {
    const Error error = error_with(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_EQ(error.code, ErrorCode::kIntegrity) << size;
  }
  Bytes longer = good;
  longer.push_back(std::byte{0});
  EXPECT_EQ(error_with(longer).code, ErrorCode::kIntegrity);
}

TEST_F(Segment, AFileThatShrinksWhileOpenIsAnError) {
  const Model model = ArtifactMaker(22).make_many(5000);
  const auto reader = write_and_open(model);
  std::filesystem::resize_file(path(), 8192);
  int failed = 0;
  for (const auto& [ref, artifact] : model) {
    const auto handle = reader->find(ref);
    failed += handle ? 0 : 1;
    if (handle) {
      EXPECT_TRUE(handle->has_value());
    }
  }
  EXPECT_GT(failed, 4000);
  EXPECT_FALSE(reader->verify_whole(nullptr).has_value());
}

TEST_F(Segment, EveryHeaderFieldIsChecked) {
  directory_.write(kNumber, ArtifactMaker(23).make_many(300));
  const Bytes good = directory_.load(path());
  const std::uint64_t sums = header_of(good).page_sums_offset;
  const auto refuse = [&](const char* field, std::uint64_t offset, ErrorCode code, auto&& change) {
    Bytes bad = good;
    SegmentHeader header = header_of(good);
    change(header);
    std::memcpy(bad.data(), &header, sizeof header);
    reseal(bad, sums);
    const Error error = error_with(bad);
    EXPECT_EQ(error.code, code) << field;
    EXPECT_EQ(error.path, path()) << field;
    if (offset != ~std::uint64_t{0}) {
      EXPECT_EQ(error.offset, offset) << field;
    }
  };
  using H = SegmentHeader;
  constexpr auto kBad = ErrorCode::kIntegrity;
  refuse("magic", 0, kBad, [](H& h) { h.magic[7] = '2'; });
  refuse("version", 8, ErrorCode::kUnsupported, [](H& h) { h.version = 2; });
  refuse("shard_id", 10, kBad, [](H& h) { h.shard_id = 1; });
  refuse("header_size", 12, kBad, [](H& h) { h.header_size = 256; });
  refuse("snapshots", 16, kBad, [](H& h) { h.snapshot_min = 5; });
  for (const std::uint64_t count :
       {std::uint64_t{299}, std::uint64_t{301}, std::uint64_t{0}, ~std::uint64_t{0}})
    refuse("record_count", ~std::uint64_t{0}, kBad, [&](H& h) { h.record_count = count; });
  refuse("records_offset", 40, kBad, [](H& h) { h.records_offset += 8; });
  refuse("digests_offset", 48, kBad, [](H& h) { h.digests_offset -= 8; });
  refuse("digests_size", 56, kBad, [](H& h) { h.digests_size += 32; });
  refuse("blocks_offset", 64, kBad, [](H& h) { h.blocks_offset += 1; });
  for (const std::uint32_t count : {4U, 6U, 0xFFFFFFFFU})
    refuse("block_count", ~std::uint64_t{0}, kBad, [&](H& h) { h.block_count = count; });
  refuse("flags", 76, kBad, [](H& h) { h.flags = 1; });
  refuse("extents_offset", 80, kBad, [](H& h) { h.extents_offset = ~std::uint64_t{0}; });
  for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{100000}, ~std::uint64_t{0} / 64})
    refuse("extent_count", ~std::uint64_t{0}, kBad, [&](H& h) { h.extent_count = count; });
  refuse("visibility", 116, kBad, [](H& h) { h.visibility = 2; });
  refuse("federation_version", 117, kBad, [](H& h) { h.federation_version = 1; });
  refuse("zero", 118, kBad, [](H& h) { h.zero[1] = 1; });
  refuse("page_sums_offset", 120, kBad, [](H& h) { h.page_sums_offset += 4096; });
}

TEST_F(Segment, EveryRecordFieldIsChecked) {
  ArtifactMaker maker(24);
  Model model;
  for (const bool typed : {true, false}) {
    const auto artifact = maker.make_of(1, typed);
    model.emplace(artifact.record.ref, artifact);
  }
  const auto empty = maker.make_of(0, false);
  model.emplace(empty.record.ref, empty);
  directory_.write(kNumber, model);
  const Bytes good = directory_.load(path());
  const SegmentHeader header = header_of(good);
  const bool empty_is_last = model.rbegin()->first == empty.record.ref;
  const std::uint64_t filled = empty_is_last ? 1 : 2;
  const auto refuse = [&](const char* field, std::uint64_t number, auto&& change) {
    Bytes bad = good;
    std::byte* at = bad.data() + header.records_offset + number * sizeof(SegmentRecord);
    SegmentRecord record;
    std::memcpy(&record, at, sizeof record);
    change(record);
    std::memcpy(at, &record, sizeof record);
    reseal(bad, header.page_sums_offset);
    const Error error = error_with(bad);
    EXPECT_EQ(error.code, ErrorCode::kIntegrity) << field;
    // The single look-up must object too.
    EXPECT_FALSE(value_of(directory_.open(kNumber))->record(number).has_value()) << field;
  };
  using R = SegmentRecord;
  refuse("hash_id", 0, [](R& r) { r.hash_id = 0; });
  refuse("hash_id", 0, [](R& r) { r.hash_id = 0x0100; });
  refuse("hash_id", 0, [](R& r) { r.hash_id = kHashIdSha256; });
  refuse("digest_len", 0, [](R& r) { r.digest_len = 20; });
  refuse("flags", 0, [](R& r) { r.flags = 4; });
  refuse("digest_offset", 0, [](R& r) { r.digest_offset += 32; });
  refuse("digest_offset", 0, [](R& r) { r.digest_offset = ~std::uint64_t{0} - 16; });
  refuse("length", 0, [](R& r) { r.length = 1ULL << 63; });
  refuse("length", 0, [](R& r) { r.length = 0; });
  refuse("type_tag", filled, [](R& r) { r.type_tag = 1; });
  refuse("has_type_tag", filled, [](R& r) { r.has_type_tag = 1; });
  refuse("has_type_tag", 0, [](R& r) { r.has_type_tag = 2; });
  refuse("visibility", 0, [](R& r) { r.visibility = 2; });
  refuse("zero", 0, [](R& r) { r.zero = 1; });
  refuse("zero2", 0, [](R& r) { r.zero2 = 1; });
  refuse("extent_first", 0, [](R& r) { r.extent_first = 2; });
  refuse("extent_first", 0, [](R& r) { r.extent_first = ~std::uint64_t{0}; });
  refuse("extent_count", 0, [](R& r) { r.extent_count = 3; });
  refuse("extent_count", 0, [](R& r) { r.extent_count = 0; });
  refuse("extent_first of none", empty_is_last ? 2 : 1, [](R& r) { r.extent_first = 1; });
}

TEST_F(Segment, EveryExtentFieldIsChecked) {
  ArtifactMaker maker(25);
  ModelArtifact artifact = maker.make_of(1, false);
  artifact.extents = {maker.extent(0, false)};
  std::uint64_t end = artifact.extents[0].raw_length;
  artifact.extents.push_back(maker.extent(end, true));
  end += artifact.extents[1].raw_length;
  artifact.extents.push_back(maker.extent(end, false));
  artifact.record.length = end + artifact.extents[2].raw_length;
  for (const std::size_t k : {0U, 2U}) {
    artifact.extents[k].location.codec = Codec::kNone;
    artifact.extents[k].location.stored_length_bytes = artifact.extents[k].location.raw_length_bytes;
  }
  directory_.write(kNumber, {{artifact.record.ref, artifact}});
  const Bytes good = directory_.load(path());
  const SegmentHeader header = header_of(good);
  const auto refuse = [&](const char* field, std::uint32_t k, ErrorCode code, auto&& change) {
    Bytes bad = good;
    std::byte* at = bad.data() + header.extents_offset + k * sizeof(SegmentExtent);
    SegmentExtent extent;
    std::memcpy(&extent, at, sizeof extent);
    change(extent);
    std::memcpy(at, &extent, sizeof extent);
    reseal(bad, header.page_sums_offset);
    EXPECT_EQ(error_with(bad).code, code) << field;
  };
  using E = SegmentExtent;
  constexpr auto kBad = ErrorCode::kIntegrity;
  refuse("artifact_offset", 0, kBad, [](E& e) { e.artifact_offset = 1; });
  refuse("artifact_offset", 2, kBad, [](E& e) { e.artifact_offset -= 1; });
  refuse("artifact_offset", 2, kBad, [](E& e) { e.artifact_offset = ~std::uint64_t{0}; });
  refuse("raw_length", 1, kBad, [](E& e) { e.raw_length += 1; });
  refuse("raw_length", 1, kBad, [](E& e) { e.raw_length = 0; });
  refuse("raw_length", 1, kBad, [](E& e) { e.raw_length = ~std::uint64_t{0}; });
  refuse("raw_length", 0, kBad, [](E& e) { e.raw_length = kExtentLengthMax + 1; });
  refuse("block_index", 0, kBad, [](E& e) { e.block_index = 5; });
  refuse("block_index", 0, kBad, [](E& e) { e.block_index = kHoleBlock; });
  refuse("block_offset", 0, kBad, [](E& e) { e.block_offset = 0xFFFFFFFF; });
  refuse("stored_length", 0, kBad, [](E& e) { e.stored_length -= 1; });
  refuse("stored_length", 0, kBad, [](E& e) { e.stored_length = 0; });
  refuse("codec", 0, ErrorCode::kUnsupported, [](E& e) { e.codec = 2; });
  refuse("codec", 0, kBad, [](E& e) { e.codec = 1; });
  refuse("flags", 0, kBad, [](E& e) { e.flags = 1; });
  refuse("zero", 0, kBad, [](E& e) { e.zero = 1; });
  refuse("hole in a block", 1, kBad, [](E& e) { e.block_index = 0; });
  refuse("hole block_offset", 1, kBad, [](E& e) { e.block_offset = 1; });
  refuse("hole stored_length", 1, kBad, [](E& e) { e.stored_length = 1; });
  refuse("hole codec", 1, kBad, [](E& e) { e.codec = 1; });
  refuse("hole digest", 1, kBad, [](E& e) { e.digest[31] = std::byte{1}; });
}

TEST_F(Segment, DisorderIsFoundByVerify) {
  directory_.write(kNumber, ArtifactMaker(26).make_many(300));
  const Bytes good = directory_.load(path());
  const SegmentHeader header = header_of(good);
  const auto refuse = [&](const char* what, std::uint64_t offset, std::size_t size) {
    Bytes bad = good;
    std::swap_ranges(bad.data() + offset, bad.data() + offset + size, bad.data() + offset + size);
    reseal(bad, header.page_sums_offset);
    EXPECT_EQ(error_with(bad).code, ErrorCode::kIntegrity) << what;
  };
  refuse("digests", header.digests_offset + 320, 32);
  refuse("block ids", header.blocks_offset, 32);
  Bytes bad = good;
  std::memcpy(bad.data() + header.digests_offset + 32, bad.data() + header.digests_offset, 32);
  reseal(bad, header.page_sums_offset);
  EXPECT_EQ(error_with(bad).code, ErrorCode::kIntegrity) << "a repeated digest";
  bad = good;
  bad[header.page_sums_offset - 1] = std::byte{1};
  reseal(bad, header.page_sums_offset);
  EXPECT_EQ(error_with(bad).code, ErrorCode::kIntegrity) << "padding";
}

TEST_F(Segment, AFooterThatDoesNotFitIsRefused) {
  directory_.write(kNumber, ArtifactMaker(27).make_many(50));
  const Bytes good = directory_.load(path());
  const std::size_t footer = good.size() - sizeof(SegmentFooter);
  for (const std::size_t at : {std::size_t{0}, std::size_t{8}, std::size_t{16}, std::size_t{47}}) {
    Bytes bad = good;
    bad[footer + at] ^= std::byte{1};
    const Error error = error_with(bad);
    EXPECT_EQ(error.code, ErrorCode::kIntegrity);
    EXPECT_GE(error.offset, footer);
  }
}

TEST_F(Segment, MissingIsNotFound) {
  const auto reader = directory_.open(99);
  ASSERT_FALSE(reader.has_value());
  EXPECT_EQ(reader.error().code, ErrorCode::kNotFound);
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
