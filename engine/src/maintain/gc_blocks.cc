#include "maintain/gc_blocks.h"

#include <algorithm>
#include <array>

#include "maintain/gc_marker.h"

namespace asl {
namespace {

constexpr std::size_t kExtentBatch = 256;
constexpr std::uint64_t kStopCheckRecords = 4096;
// A segment is written anew for its dead records alone when they are more than one in this many.
constexpr std::uint64_t kDeadRecordsShare = 8;

void touch(BlockUsage& usage, const ExtentRecord& extent) {
  const std::uint64_t first = extent.block_offset / kPageSize;
  const std::uint64_t last = (std::uint64_t{extent.block_offset} + extent.stored_length - 1) / kPageSize;
  if (usage.pages.size() <= last) usage.pages.resize(last + 1);
  for (std::uint64_t page = first; page <= last; ++page) {
    if (usage.pages[page]) continue;
    usage.pages[page] = true;
    ++usage.live_pages;
  }
}

}  // namespace

Result<void> GcBlocks::count(const StopToken& stop) {
  for (const Index::Segment& segment : view_->index->segments()) ASL_TRY(count_segment(segment, stop));
  for (auto& [id, usage] : usage_) {
    if (const auto length = blocks_.length_of(id)) usage.length_bytes = *length;
  }
  return {};
}

Result<void> GcBlocks::count_segment(const Index::Segment& segment, const StopToken& stop) {
  SegmentCursor cursor(segment.reader);
  ASL_ASSIGN(const std::span<const BlockId> ids, cursor.blocks());
  std::vector<BlockUsage*> usage_of;
  usage_of.reserve(ids.size());
  for (const BlockId& id : ids) usage_of.push_back(&usage_[id]);
  SegmentUsage& own = segments_[segment.live.number];
  RecordHandle handle;
  for (std::uint64_t count = 0;; ++count) {
    if (count % kStopCheckRecords == 0) ASL_TRY(stop.check());
    ASL_ASSIGN(const bool more, cursor.next(handle));
    if (!more) return {};
    const bool live = marks_.needs_copy(segment.live.number, handle.number);
    const bool erased = is_erased(*view_->state, handle.record.ref);
    (live ? records_live_ : records_dead_) += 1;
    if (!live) own.records_dead += 1;
    ASL_TRY(count_extents(cursor, handle, live, erased, usage_of));
  }
}

Result<void> GcBlocks::count_extents(SegmentCursor& cursor, const RecordHandle& handle, bool live,
                                     bool erased, std::vector<BlockUsage*>& usage_of) {
  if (!live && !erased) return {};
  const bool fixed = (handle.record.flags & kRecordFixed) != 0;
  std::array<ExtentRecord, kExtentBatch> extents;
  while (true) {
    ASL_ASSIGN(const std::size_t got, cursor.next_extents(extents));
    if (got == 0) return {};
    for (const ExtentRecord& extent : std::span(extents).first(got)) {
      if (extent.is_hole()) continue;
      BlockUsage& usage = *usage_of[extent.block_index];
      if (live) {
        touch(usage, extent);
        ++usage.live_extents;
      }
      usage.fixed = usage.fixed || (live && fixed);
      usage.erased = usage.erased || erased;
    }
  }
}

Result<void> GcBlocks::decide(const GcOptions& options, const BlockSet& worn, std::uint64_t extents_max) {
  for (const auto& [id, usage] : usage_) {
    if (usage.live_pages == 0) {
      removed_.insert(id);
    } else if (usage.length_bytes != 0) {
      const bool mostly_dead =
          usage.live_bytes() * 100 < usage.length_bytes * options.repack_below_percent && !usage.fixed;
      if (mostly_dead || usage.erased || (worn.contains(id) && !usage.fixed)) repacked_.insert(id);
    }
  }
  choose_small_blocks();
  limit_repacking(extents_max);
  for (const Index::Segment& segment : view_->index->segments()) {
    SegmentUsage& own = segments_[segment.live.number];
    ASL_ASSIGN(const bool names, names_any(*segment.reader));
    own.rewrite = names || own.records_dead * kDeadRecordsShare > segment.reader->record_count();
  }
  return {};
}

// Every session leaves its last blocks partly filled.
void GcBlocks::choose_small_blocks() {
  std::vector<BlockId> small;
  for (const auto& [id, usage] : usage_) {
    const bool is_small = usage.length_bytes != 0 && usage.length_bytes < kGcSmallBlockBytes;
    if (is_small && !usage.fixed && !removed_.contains(id)) small.push_back(id);
  }
  if (small.size() > kGcSmallBlocksMax) repacked_.insert(small.begin(), small.end());
}

// The blocks with the least to move come first.
void GcBlocks::limit_repacking(std::uint64_t extents_max) {
  std::vector<std::pair<std::uint64_t, BlockId>> order;
  for (const BlockId& id : repacked_) order.emplace_back(usage_.at(id).live_extents, id);
  std::ranges::sort(order);
  std::uint64_t total = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    total += order[k].first;
    if (k == 0 || total <= extents_max) continue;
    repacked_.erase(order[k].second);
    more_to_repack_ = true;
  }
}

Result<bool> GcBlocks::names_any(const SegmentReader& segment) const {
  for (std::uint32_t k = 0; k < segment.block_count(); ++k) {
    ASL_ASSIGN(const BlockId id, segment.block_id(k));
    if (removed_.contains(id) || repacked_.contains(id)) return true;
  }
  return false;
}

std::vector<Index::Segment> GcBlocks::segments_to_rewrite() const {
  std::vector<Index::Segment> wanted;
  for (const Index::Segment& segment : view_->index->segments()) {
    if (segments_.at(segment.live.number).rewrite) wanted.push_back(segment);
  }
  return wanted;
}

std::uint64_t GcBlocks::total_bytes() const {
  std::uint64_t total = 0;
  for (const auto& [id, usage] : usage_) total += usage.length_bytes;
  return total;
}

}  // namespace asl
