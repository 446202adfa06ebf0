// The parts of an ingest and of a look-up, one by one.
#include <benchmark/benchmark.h>
#include <fstream>

#include <asl/engine/hash.h>
#include <asl/engine/ingest.h>
#include <asl/engine/tree.h>

#include "block/block_store.h"
#include "block/block_writer.h"
#include "block/cutter.h"
#include "index/bloom.h"
#include "index/index.h"
#include "index/index_cache.h"
#include "index/segment_writer.h"
#include "log/log_writer.h"
#include "workshop.h"

namespace asl {
namespace {

using bench::random_bytes;
using bench::random_digest;
using bench::value_of;

void count_bytes(benchmark::State& state, std::size_t each_round) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(each_round));
}

void cut(benchmark::State& state) {
  const Bytes data = random_bytes(64 << 20);
  for (auto _ : state) {
    Cutter cutter;
    ByteSpan rest(data);
    while (const auto next = cutter.next(rest, true)) rest = rest.subspan(next->length_bytes);
    benchmark::DoNotOptimize(rest);
  }
  count_bytes(state, data.size());
}
BENCHMARK(cut);

// Extents of one size into blocks, the blocks sealed and synced: packing and the write path together.
void pack(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  constexpr std::size_t kRoundBytes = 192 << 20;
  bench::Store store;
  const auto lane = value_of(WriteLane::create(*store.io));
  BlockStore& blocks = store.domain->blocks();
  const Bytes data = random_bytes(size);
  const Digest digest = sha256(data);
  for (auto _ : state) {
    const auto writer = value_of(BlockWriter::create(blocks, *lane, {}));
    for (std::size_t done = 0; done < kRoundBytes && writer->fits(size); done += size)
      value_of(writer->append(data, digest));
    SealedBlock sealed = value_of(writer->seal());
    benchmark::DoNotOptimize(sealed);  // dropped here, and so removed
  }
  count_bytes(state, kRoundBytes / size * size);
}
BENCHMARK(pack)->Arg(4096)->Arg(65536)->Arg(512 << 10)->Unit(benchmark::kMillisecond);

// Everything between a buffer and a commit: hash, look up, pack, record, seal, sync.
void put_and_commit(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::size_t count = (64U << 20) / size;
  bench::Store store;
  const auto writer = value_of(StoreWriter::open(*store.domain, {}));
  const auto lane = value_of(writer->make_lane());
  Bytes data = random_bytes(count * size);
  for (auto _ : state) {
    state.PauseTiming();
    // New in every round: a page of each is another.
    for (std::size_t k = 0; k < count; ++k) {
      std::uint64_t word = load_le<std::uint64_t>(data.data() + k * size);
      store_le(data.data() + k * size, word + 1);
    }
    std::vector<ByteSpan> artifacts;
    for (std::size_t k = 0; k < count; ++k) artifacts.push_back(ByteSpan(data).subspan(k * size, size));
    std::vector<Result<WrittenArtifact>> written(count);
    state.ResumeTiming();
    value_of(lane->put_many(artifacts, written));
    value_of(writer->commit());
  }
  count_bytes(state, count * size);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}
BENCHMARK(put_and_commit)->Arg(4096)->Arg(65536)->Arg(1 << 20)->Unit(benchmark::kMillisecond);

// ---- the index ----

// A segment of single extents, and what is needed to ask it.
struct Indexed {
  bench::Directory directory;
  std::unique_ptr<io::Io> io = io::make_plain_io();
  SegmentStore segments{*io, directory / "store"};
  std::shared_ptr<PageCache> pages = std::make_shared<PageCache>();
  std::vector<Digest> digests;
  std::vector<LiveSegment> live;

  Indexed() {
    for (const char* name : {"store/index", "store/tmp", "store/cache"})
      std::filesystem::create_directories(directory / name);
  }
  static void fill(SegmentBuilder& builder, BlockTable& blocks, std::vector<Digest>& digests,
                   std::size_t count) {
    std::mt19937_64 random(1);
    const std::uint32_t block = blocks.number_of(random_digest(random));
    for (std::size_t k = 0; k < count; ++k) {
      digests.push_back(random_digest(random));
      const ExtentRecord extent{.artifact_offset = 0,
                                .raw_length = 4096,
                                .block_index = block,
                                .block_offset = static_cast<std::uint32_t>(k % 65536 * 4096),
                                .stored_length = 4096,
                                .codec = Codec::kNone,
                                .digest = digests.back()};
      ArtifactRecord record;
      record.ref = untyped_reference(digests.back());
      record.length = 4096;
      builder.add(record, {&extent, 1});
    }
  }
  void seal(std::size_t count) {
    BlockTable blocks;
    SegmentBuilder builder(blocks);
    fill(builder, blocks, digests, count);
    const WrittenSegment written = value_of(builder.write(*io, segments.segment_tmp_path(1), {}));
    value_of(segments.publish_segment(1));
    live.push_back({1, written.hash, 1});
    value_of(write_bloom(segments, value_of(SegmentReader::open(*io, segments.segment_path(1), 1, pages)),
                         written.hash));
  }
  std::shared_ptr<const Index> open(IndexCache* cache) {
    return Index::open(segments, live, nullptr, cache, pages);
  }
  std::unique_ptr<IndexCache> open_cache() {
    const auto index = open(nullptr);
    return value_of(IndexCache::open(
        directory / "store/cache/index",
        {.segments = index->segments(), .head = {2, {}}, .log_has = [](const Watermark&) { return true; }},
        nullptr));
  }
};

void build_segment(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Indexed place;
  for (auto _ : state) {
    BlockTable blocks;
    SegmentBuilder builder(blocks);
    std::vector<Digest> digests;
    Indexed::fill(builder, blocks, digests, count);
    value_of(builder.write(*place.io, place.segments.segment_tmp_path(1), {}));
    value_of(place.io->remove(place.segments.segment_tmp_path(1)));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(build_segment)->Arg(100'000)->Unit(benchmark::kMillisecond);

void look_up(benchmark::State& state, bool with_cache, bool absent) {
  constexpr std::size_t kRecords = 500'000;
  Indexed place;
  place.seal(kRecords);
  const auto cache = with_cache ? place.open_cache() : nullptr;
  const auto index = place.open(cache.get());
  std::mt19937_64 random(7);
  for (auto _ : state) {
    const Digest digest = absent ? random_digest(random) : place.digests[random() % place.digests.size()];
    const auto found = value_of(index->find(untyped_reference(digest)));
    if (found.has_value() == absent) return state.SkipWithError("the index gave a wrong answer");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(look_up, segment_hit, false, false);
BENCHMARK_CAPTURE(look_up, segment_miss, false, true);
BENCHMARK_CAPTURE(look_up, rocksdb_hit, true, false);
BENCHMARK_CAPTURE(look_up, rocksdb_miss, true, true);

// ---- trees ----

TreeLeaf leaf_of(std::size_t count) {
  std::mt19937_64 random(3);
  TreeLeaf leaf;
  for (std::size_t k = 0; k < count; ++k) {
    Entry entry;
    entry.name = "file-" + std::to_string(100'000 + k) + ".txt";
    entry.mode = 0644;
    entry.nlink = 1;
    entry.size_bytes = random() % 100'000;
    entry.mtime_s = 1'700'000'000 + static_cast<std::int64_t>(k);
    entry.content = untyped_reference(random_digest(random));
    leaf.entries.push_back(std::move(entry));
  }
  return leaf;
}

void encode_tree_leaf(benchmark::State& state) {
  const TreeLeaf leaf = leaf_of(1000);
  for (auto _ : state) benchmark::DoNotOptimize(value_of(encode_leaf(leaf)));
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(encode_tree_leaf)->Unit(benchmark::kMicrosecond);

void decode_tree_leaf(benchmark::State& state) {
  const Bytes bytes = value_of(encode_leaf(leaf_of(1000)));
  for (auto _ : state) benchmark::DoNotOptimize(value_of(decode_tree(bytes)));
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(decode_tree_leaf)->Unit(benchmark::kMicrosecond);

// ---- the log ----

// One record and one sync: what the smallest commit costs at least.
void append_to_log(benchmark::State& state) {
  bench::Store store;
  const auto writer = value_of(StoreWriter::open(*store.domain, {}));
  std::mt19937_64 random(5);
  const Reference pinned = value_of(writer->put_untyped(random_bytes(10)));
  value_of(writer->commit());
  const std::vector<NewRecord> records{new_record(ArtifactUnpinRecord{.reference = pinned})};
  for (auto _ : state) value_of(writer->commit(records));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(append_to_log)->Unit(benchmark::kMicrosecond);

// ---- the stat cache ----

// A tree that did not change, ingested again: a scan, a comparison for each file, and a commit.
void ingest_unchanged(benchmark::State& state) {
  const auto files = static_cast<std::size_t>(state.range(0));
  bench::Store store;
  const std::string source = store.directory / "source";
  for (std::size_t k = 0; k < files; ++k) {
    const std::string folder = source + "/" + std::to_string(k / 100);
    if (k % 100 == 0) std::filesystem::create_directories(folder);
    std::ofstream(folder + "/" + std::to_string(k)) << k;
  }
  IngestOptions how;
  how.sources = {source};
  ProgressCounters progress;
  value_of(ingest(*store.domain, how, progress, StopToken()));
  for (auto _ : state) {
    const IngestReport report = value_of(ingest(*store.domain, how, progress, StopToken()));
    if (report.bytes_read != 0) return state.SkipWithError("files were read again");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ingest_unchanged)->Arg(20'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace asl

BENCHMARK_MAIN();
