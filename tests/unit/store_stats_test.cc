// What stats counts, and what index rebuild brings back.
#include <asl/engine/index_rebuild.h>
#include <asl/engine/ingest.h>
#include <asl/engine/put.h>
#include <asl/engine/store_stats.h>

#include "maintain/stats_parts.h"
#include "store_fixture.h"

namespace asl::test {
namespace {

class StatsTest : public StoreTest {
 protected:
  StoreStats stats(std::uint64_t sample = 0) {
    ProgressCounters progress;
    return value_of(store_stats(domain(), {.compression_sample_bytes = sample}, progress, {}));
  }

  void put(const std::vector<Bytes>& contents, bool pinned, const Compression& compression = {}) {
    WriterOptions options = writer_options();
    options.compression = compression;
    const auto writer = value_of(StoreWriter::open(domain(), options));
    const auto lane = value_of(writer->make_lane());
    for (const Bytes& bytes : contents) value_of(lane->put(bytes, pinned));
    value_of(writer->commit());
  }

  // A snapshot of a directory that holds this file.
  void ingest(const std::string& text) {
    const std::string source = directory_ / "source";
    fs::create_directories(source);
    write_text(source + "/file", text);
    IngestOptions options;
    options.sources = {source};
    ProgressCounters progress;
    value_of(asl::ingest(domain(), options, progress, {}));
  }

  IndexRebuildReport rebuild() {
    ProgressCounters progress;
    return value_of(rebuild_index(domain(), progress, {}));
  }

  std::string segment_file() { return files_ending(in_store("index"), ".idx").front(); }
};

TEST_F(StatsTest, AnEmptyStoreHasNothing) {
  const StoreStats empty = stats(1 << 20);
  EXPECT_EQ(empty.artifacts, 0U);
  EXPECT_EQ(empty.extents.extents, 0U);
  EXPECT_EQ(empty.blocks, 0U);
  EXPECT_TRUE(empty.growth.empty());
  EXPECT_EQ(empty.compression.extents, 0U);
  EXPECT_GT(empty.disk.log, 0U);
}

TEST_F(StatsTest, CopiesOfAnArtifactAndSharedExtentsCountOnce) {
  const Bytes a = random_bytes(1000, 1);
  const Bytes b = random_bytes(2000, 2);
  put({a, b}, false);
  put({a}, true);  // a second record of the same, in another segment
  const StoreStats found = stats();
  EXPECT_EQ(found.segments, 2U);
  EXPECT_EQ(found.records, 3U);
  EXPECT_EQ(found.artifacts, 2U);
  EXPECT_EQ(found.artifact_bytes, 3000U);
  EXPECT_EQ(found.pinned, 1U);
  EXPECT_EQ(found.pinned_bytes, 1000U);
  EXPECT_EQ(found.extents.extents, 2U);
  EXPECT_EQ(found.extents.raw_bytes, 3000U);
  EXPECT_EQ(found.extents.stored_bytes, 3000U);
  EXPECT_EQ(found.blocks, 1U);
  EXPECT_EQ(found.block_bytes, 4096U);
  EXPECT_EQ(found.blocks_by_fill[1], 1U);  // 73 %
  ASSERT_EQ(found.kinds.size(), 1U);
  EXPECT_EQ(found.kinds[0].kind, "data");
}

TEST_F(StatsTest, HolesAreCountedAndNotStored) {
  Bytes sparse(4 << 20);
  sparse.front() = std::byte{1};
  put({sparse}, true);
  const StoreStats found = stats();
  EXPECT_EQ(found.artifact_bytes, std::uint64_t{4 << 20});
  EXPECT_EQ(found.hole_bytes, std::uint64_t{4 << 20} - 4096);
  EXPECT_EQ(found.extents.raw_bytes, 4096U);
}

TEST_F(StatsTest, GrowthIsToldBySnapshotAlsoAfterSegmentsWereJoined) {
  ingest("first");
  ingest("second, which is longer");
  put({random_bytes(5000, 3)}, true);
  const StoreStats found = stats();
  EXPECT_EQ(found.snapshots, 2U);
  EXPECT_EQ(found.snapshot_files, 2U);
  ASSERT_EQ(found.growth.size(), 3U);
  EXPECT_EQ(found.growth[0].to_snapshot, 1U);
  EXPECT_EQ(found.growth[1].from_snapshot, 2U);
  EXPECT_EQ(found.growth[2].to_snapshot, 0U);
  EXPECT_EQ(found.growth[2].added.raw_bytes, 5000U);
  std::uint64_t sum = 0;
  for (const GrowthRow& row : found.growth) sum += row.added.raw_bytes;
  EXPECT_EQ(sum, found.extents.raw_bytes);

  // Enough sessions that their segments are joined.
  for (std::uint64_t k = 0; k < 12; ++k) ingest("content " + std::to_string(k));
  const StoreStats joined = stats();
  EXPECT_LT(joined.segments, 12U);
  EXPECT_EQ(joined.snapshots, 14U);
  sum = 0;
  bool some_range = false;
  for (const GrowthRow& row : joined.growth) {
    sum += row.added.raw_bytes;
    some_range = some_range || row.from_snapshot != row.to_snapshot;
  }
  EXPECT_EQ(sum, joined.extents.raw_bytes);
  EXPECT_TRUE(some_range);
}

TEST_F(StatsTest, TheSampleSeesWhatZstdWouldSave) {
  std::vector<Bytes> contents;
  for (std::uint64_t k = 0; k < 400; ++k) {
    Bytes half = random_bytes(8192, k);
    std::fill(half.begin() + 4096, half.end(), std::byte{'x'});
    contents.push_back(std::move(half));
  }
  put(contents, true);
  const StoreStats all = stats(1ULL << 30);
  EXPECT_EQ(all.compression.extents, 400U);
  EXPECT_EQ(all.compression.raw_bytes, all.extents.raw_bytes);
  EXPECT_GT(all.compression.zstd_bytes, all.compression.raw_bytes / 2);
  EXPECT_LT(all.compression.zstd_bytes, all.compression.raw_bytes * 6 / 10);
  const StoreStats part = stats(600 << 10);
  EXPECT_GE(part.compression.raw_bytes, 600U << 10);
  EXPECT_LE(part.compression.raw_bytes, 1200U << 10);
  EXPECT_EQ(stats(0).compression.extents, 0U);
}

TEST_F(StatsTest, WhatIsCompressedIsCountedAndNotSampled) {
  put({Bytes(8192, std::byte{'x'})}, true, {.mode = CompressionMode::kZstd});
  put({random_bytes(8192, 1)}, true);
  const StoreStats found = stats(1 << 20);
  EXPECT_EQ(found.compressed.extents, 1U);
  EXPECT_EQ(found.compressed.raw_bytes, 8192U);
  EXPECT_LT(found.compressed.stored_bytes, 100U);
  EXPECT_EQ(found.compression.extents, 1U);
  EXPECT_EQ(found.compression.zstd_bytes, 8192U);
}

TEST_F(StatsTest, ADamagedSegmentIsNamedAndTheOthersAreCounted) {
  put({random_bytes(1000, 1)}, true);
  const std::string first = segment_file();
  put({random_bytes(2000, 2)}, true);
  flip_byte(first, 200);
  reopen();
  const StoreStats found = stats(1 << 20);
  ASSERT_EQ(found.damaged.size(), 1U);
  EXPECT_EQ(found.damaged[0].path, first);
  EXPECT_EQ(found.artifacts, 1U);
  EXPECT_EQ(found.extents.raw_bytes, 2000U);
}

TEST_F(StatsTest, AMissingBlockIsCounted) {
  put({random_bytes(1000, 1)}, true);
  fs::remove(files_ending(in_store("blocks"), ".bin").front());
  reopen();
  const StoreStats found = stats(1 << 20);
  EXPECT_EQ(found.blocks, 1U);
  EXPECT_EQ(found.blocks_missing, 1U);
  EXPECT_EQ(found.compression.unreadable, 1U);
}

TEST_F(StatsTest, ItStopsWhenAsked) {
  put({random_bytes(1000, 1)}, true);
  const std::atomic<bool> stop{true};
  ProgressCounters progress;
  const auto stats = store_stats(domain(), {}, progress, StopToken(stop));
  ASSERT_FALSE(stats.has_value());
  EXPECT_EQ(stats.error().code, ErrorCode::kInterrupted);
}

TEST_F(StatsTest, RebuildMakesCacheAndBloomsAnew) {
  put({random_bytes(1000, 1)}, true);
  put({random_bytes(2000, 2)}, true);
  const auto blooms = files_ending(in_store("index"), ".bf");
  ASSERT_EQ(blooms.size(), 2U);
  fs::remove(blooms[0]);
  flip_byte(blooms[1], 70);
  reopen();
  const IndexRebuildReport report = rebuild();
  EXPECT_EQ(report.segments, 2U);
  EXPECT_EQ(report.artifacts, 2U);
  EXPECT_EQ(report.blooms_written, 2U);
  EXPECT_GT(report.cache_bytes, 0U);
  EXPECT_TRUE(report.damaged.empty());
  EXPECT_TRUE(report.notices.empty());
  EXPECT_EQ(files_ending(in_store("index"), ".bf").size(), 2U);
  EXPECT_EQ(rebuild().blooms_written, 0U);
  // What is known is found through the new cache.
  const auto writer = open_writer();
  const auto lane = value_of(writer->make_lane());
  EXPECT_EQ(value_of(lane->put(random_bytes(1000, 1), true)).bytes_new, 0U);
}

TEST_F(StatsTest, RebuildNamesADamagedSegmentAndServesTheOthers) {
  const Reference lost = value_of(put_all(domain(), {random_bytes(1000, 1)})).front();
  const std::string first = segment_file();
  const Reference kept = value_of(put_all(domain(), {random_bytes(2000, 2)})).front();
  for (const std::uint64_t offset : {200U, 20U}) {  // a record's page; the header
    flip_byte(first, offset);
    reopen();
    const IndexRebuildReport report = rebuild();
    ASSERT_EQ(report.damaged.size(), 1U);
    EXPECT_EQ(report.damaged[0].code, ErrorCode::kIntegrity);
    EXPECT_EQ(report.damaged[0].path, first);
    EXPECT_EQ(value_of(read_artifact(domain(), kept)), random_bytes(2000, 2));
    EXPECT_FALSE(domain().find(lost).has_value());
  }
}

TEST_F(StatsTest, RebuildThatIsInterruptedOrLockedLeavesAStoreThatWorks) {
  const Reference kept = value_of(put_all(domain(), {random_bytes(1000, 1)})).front();
  ProgressCounters progress;
  const std::atomic<bool> stop{true};
  const auto stopped = rebuild_index(domain(), progress, StopToken(stop));
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(value_of(read_artifact(domain(), kept)), random_bytes(1000, 1));
  {
    const auto writer = open_writer();
    auto other = open_domain(*io_, at());
    const auto locked = rebuild_index(*other, progress, {});
    ASSERT_FALSE(locked.has_value());
    EXPECT_EQ(locked.error().code, ErrorCode::kLocked);
  }
  EXPECT_EQ(rebuild().artifacts, 1U);
}

TEST_F(StatsTest, PlacesComeBackSortedAndOnceEach) {
  ExternalSorter places(*io_, directory_.path(), 4096);  // so small that it spills
  for (std::uint32_t k = 0; k < 1000; ++k)
    for (const std::uint32_t range : {7U, 3U})
      value_of(
          add_place(places, {.block = k % 3, .offset_bytes = k, .range = {range, range}, .raw_bytes = k}));
  value_of(places.sort());
  PlaceReader reader(places);
  std::size_t count = 0;
  std::uint32_t last_block = 0;
  while (const auto place = value_of(reader.next())) {
    EXPECT_GE(place->block, last_block);
    EXPECT_EQ(place->range, (SealHistory::Range{3, 3}));
    EXPECT_EQ(place->raw_bytes, place->offset_bytes);
    last_block = place->block;
    ++count;
  }
  EXPECT_EQ(count, 1000U);
}

}  // namespace
}  // namespace asl::test
