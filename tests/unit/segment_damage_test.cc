// Segments that are damaged, or that say what the format does not allow: refused, never an answer.
#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "index/segment_reader.h"
#include "segment_fixture.h"

namespace asl {
namespace {

using test::ArtifactMaker;
using test::header_of;
using test::Model;
using test::ModelArtifact;
using test::reseal;
using test::same_extent;
using test::value_of;

class SegmentDamage : public test::SegmentTest {
 protected:
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

// Every bit of every section, some of them flipped one at a time.
TEST_F(SegmentDamage, AFlippedBitIsAnErrorNeverAnAnswer) {
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

TEST_F(SegmentDamage, ATruncatedFileIsRefused) {
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

TEST_F(SegmentDamage, AFileThatShrinksWhileOpenIsAnError) {
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

TEST_F(SegmentDamage, EveryHeaderFieldIsChecked) {
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

TEST_F(SegmentDamage, EveryRecordFieldIsChecked) {
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

TEST_F(SegmentDamage, EveryExtentFieldIsChecked) {
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

TEST_F(SegmentDamage, DisorderIsFoundByVerify) {
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

TEST_F(SegmentDamage, AFooterThatDoesNotFitIsRefused) {
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

TEST_F(SegmentDamage, MissingIsNotFound) {
  const auto reader = directory_.open(99);
  ASSERT_FALSE(reader.has_value());
  EXPECT_EQ(reader.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace asl
