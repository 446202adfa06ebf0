#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <utility>

#include <asl/engine/artifact_details.h>

#include "index/segment_reader.h"
#include "maintain/stats_parts.h"
#include "transfer/spill_place.h"

namespace asl {
namespace {

constexpr std::size_t kExtentBatch = 256;
constexpr std::uint64_t kRecordsPerStopCheck = 4096;

// Walks all segments side by side, so that the copies of an artifact are met together.
class StatsCollector {
 public:
  StatsCollector(const Domain& domain, ProgressCounters& progress, const StopToken& stop)
      : domain_(domain),
        view_(domain.view()),
        progress_(progress),
        stop_(stop),
        places_(domain.io(), spill_place_for_reading()) {}

  Result<StoreStats> collect(const StatsOptions& options) {
    ASL_ASSIGN(history_, SealHistory::read(domain_));
    count_snapshots();
    open_segments();
    ASL_TRY(walk_segments());
    for (auto& [kind, counted] : kinds_) stats_.kinds.push_back(std::move(counted));
    ASL_TRY(places_.sort());
    ASL_TRY(walk_places());
    const std::uint64_t uncompressed = stats_.extents.raw_bytes - stats_.compressed.raw_bytes;
    ASL_ASSIGN(stats_.compression, sample_compression(domain_, places_, blocks_, uncompressed,
                                                      options.compression_sample_bytes, stop_));
    ASL_ASSIGN(stats_.disk, disk_usage(domain_.io(), domain_.directory(), stop_));
    return std::move(stats_);
  }

 private:
  // One segment being walked, at its next record.
  struct Walk {
    const Index::Segment* segment = nullptr;
    std::unique_ptr<SegmentCursor> cursor;
    SealHistory::Range range;
    std::vector<std::uint32_t> block_numbers;  // by block_index
    RecordHandle head;
  };

  void count_snapshots() {
    for (const auto& [id, snapshot] : view_->state->snapshots()) {
      if (snapshot.forgotten) continue;
      ++stats_.snapshots;
      const auto facts = domain_.snapshot(id);
      if (!facts) {
        stats_.damaged.push_back(facts.error());
        continue;
      }
      stats_.snapshot_files += facts->counts.files;
      stats_.snapshot_bytes += facts->counts.bytes;
    }
  }

  void open_segments() {
    std::uint64_t records = 0;
    for (const Index::Segment& segment : view_->index->segments()) {
      ++stats_.segments;
      Walk walk;
      walk.segment = &segment;
      walk.range = history_.range_of(segment.live.number);
      auto opened = open_walk(walk);
      if (!opened) {
        give_up(segment, std::move(opened).error());
        continue;
      }
      records += segment.reader->record_count();
      if (*opened) heap_.push_back(std::move(walk));
    }
    std::ranges::make_heap(heap_, later);
    progress_.files_total = records;
    progress_.totals_final = true;
  }

  Result<bool> open_walk(Walk& walk) {
    if (walk.segment->reader == nullptr) return fail(*walk.segment->error);
    walk.cursor = std::make_unique<SegmentCursor>(walk.segment->reader);
    ASL_ASSIGN(const auto ids, walk.cursor->blocks());
    for (const BlockId& id : ids) walk.block_numbers.push_back(blocks_.number_of(id));
    return walk.cursor->next(walk.head);
  }

  void give_up(const Index::Segment& segment, Error error) {
    error.object = "segment " + std::to_string(segment.live.number);
    error.hint = "asl verify names the files it touches";
    stats_.damaged.push_back(std::move(error));
  }

  static bool later(const Walk& a, const Walk& b) { return a.head.record.ref > b.head.record.ref; }

  Result<void> walk_segments() {
    while (!heap_.empty()) {
      std::ranges::pop_heap(heap_, later);
      Walk& walk = heap_.back();
      const auto more = take_record(walk);
      if (more && *more) {
        std::ranges::push_heap(heap_, later);
        continue;
      }
      if (!more) {
        // Only what is wrong with the segment itself: the others can still be counted.
        if (more.error().code != ErrorCode::kIntegrity) return fail(more.error());
        give_up(*walk.segment, more.error());
      }
      heap_.pop_back();
    }
    return {};
  }

  // False after the segment's last record.
  Result<bool> take_record(Walk& walk) {
    if (++stats_.records % kRecordsPerStopCheck == 0) {
      ASL_TRY(stop_.check());
      progress_add(progress_.files_done, kRecordsPerStopCheck);
    }
    const ArtifactRecord& record = walk.head.record;
    const bool first_copy = !last_ || *last_ != record.ref;
    if (first_copy) {
      last_ = record.ref;
      last_pinned_ = false;
      ++stats_.artifacts;
      stats_.artifact_bytes += record.length;
      const std::string kind(artifact_kind_name(record.type_tag));
      KindStats& counted = kinds_[kind];
      counted.kind = kind;
      ++counted.artifacts;
      counted.bytes += record.length;
    }
    if (!last_pinned_ && (record.flags & kRecordPinned) != 0 &&
        walk.segment->live.seal_logseq > view_->state->last_unpin(record.ref)) {
      last_pinned_ = true;
      ++stats_.pinned;
      stats_.pinned_bytes += record.length;
    }
    ASL_TRY(take_extents(walk, first_copy));
    return walk.cursor->next(walk.head);
  }

  Result<void> take_extents(Walk& walk, bool first_copy) {
    std::array<ExtentRecord, kExtentBatch> extents;
    while (true) {
      ASL_ASSIGN(const std::size_t got, walk.cursor->next_extents(extents));
      if (got == 0) return {};
      for (const ExtentRecord& extent : std::span(extents).first(got)) {
        if (extent.is_hole()) {
          stats_.hole_bytes += first_copy ? extent.raw_length : 0;
          continue;
        }
        ASL_TRY(add_place(places_, {.block = walk.block_numbers[extent.block_index],
                                    .offset_bytes = extent.block_offset,
                                    .range = walk.range,
                                    .stored_bytes = extent.stored_length,
                                    .raw_bytes = static_cast<std::uint32_t>(extent.raw_length),
                                    .compressed = extent.codec != Codec::kNone}));
      }
    }
  }

  // The different places by block: sums, fill, growth.
  Result<void> walk_places() {
    std::map<std::pair<std::uint32_t, std::uint32_t>, ExtentStats> growth;
    for (std::uint32_t k = 0; k < history_.positions(); ++k) growth[{k, k}];
    PlaceReader reader(places_);
    std::optional<std::uint32_t> block;
    std::uint64_t live = 0;
    std::uint64_t count = 0;
    while (true) {
      ASL_ASSIGN(const auto place, reader.next());
      if (++count % kRecordsPerStopCheck == 0) ASL_TRY(stop_.check());
      if (block && (!place || place->block != *block)) {
        count_block(*block, live);
        live = 0;
      }
      if (!place) break;
      block = place->block;
      live += place->stored_bytes;
      stats_.extents.add(place->raw_bytes, place->stored_bytes);
      if (place->compressed) stats_.compressed.add(place->raw_bytes, place->stored_bytes);
      growth[{place->range.from, place->range.to}].add(place->raw_bytes, place->stored_bytes);
    }
    for (const auto& [range, added] : growth) {
      const std::uint64_t to = history_.snapshot_at(range.second);
      // The time after the last snapshot is told of only if something came in it.
      if (to == 0 && added.extents == 0) continue;
      stats_.growth.push_back({history_.snapshot_at(range.first), to, added});
    }
    return {};
  }

  void count_block(std::uint32_t number, std::uint64_t live_bytes) {
    ++stats_.blocks;
    const auto length = domain_.blocks().length_of(*blocks_.find(number));
    if (!length) {
      ++stats_.blocks_missing;
      return;
    }
    stats_.block_bytes += *length;
    const std::uint64_t fill = *length == 0 ? 0 : live_bytes * 100 / *length;
    const auto limit = std::ranges::upper_bound(StoreStats::kFillLimits, fill);
    ++stats_.blocks_by_fill[static_cast<std::size_t>(limit - StoreStats::kFillLimits.begin())];
  }

  const Domain& domain_;
  const std::shared_ptr<const View> view_;
  ProgressCounters& progress_;
  const StopToken stop_;
  StoreStats stats_;
  SealHistory history_;
  BlockTable blocks_;
  ExternalSorter places_;
  std::vector<Walk> heap_;  // the smallest reference on top
  std::optional<Reference> last_;
  bool last_pinned_ = false;
  std::map<std::string, KindStats> kinds_;
};

}  // namespace

Result<StoreStats> store_stats(const Domain& domain, const StatsOptions& options, ProgressCounters& progress,
                               const StopToken& stop) {
  const auto start = std::chrono::steady_clock::now();
  progress.set_phase(ProgressPhase::kScanning);
  ASL_ASSIGN(StoreStats stats, StatsCollector(domain, progress, stop).collect(options));
  stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return stats;
}

}  // namespace asl
