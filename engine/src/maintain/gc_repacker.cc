#include "maintain/gc_repacker.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <asl/engine/hash.h>

namespace asl {
namespace {

constexpr std::size_t kExtentBatch = 256;
constexpr std::uint64_t kStopCheckRecords = 4096;
// Reports of damage kept for people.
constexpr std::size_t kDamageShown = 1000;

}  // namespace

GcRepacker::~GcRepacker() {
  for (const SealedBlock& block : sealed_) blocks_.discard(block);
}

Result<void> GcRepacker::collect(const View& view, const GcMarks& marks, const BlockSet& wanted,
                                 const StopToken& stop) {
  // Oldest first: what was stored together stays together.
  const auto segments = view.index->segments();
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment)
    ASL_TRY(collect_segment(*segment, marks, wanted, stop));
  sort_and_join();
  return {};
}

Result<void> GcRepacker::collect_segment(const Index::Segment& segment, const GcMarks& marks,
                                         const BlockSet& wanted, const StopToken& stop) {
  SegmentCursor cursor(segment.reader);
  ASL_ASSIGN(const std::span<const BlockId> ids, cursor.blocks());
  std::vector<bool> is_wanted;
  for (const BlockId& id : ids) {
    is_wanted.push_back(wanted.contains(id));
    if (is_wanted.back()) sources_.try_emplace(id, static_cast<std::uint32_t>(sources_.size()));
  }
  if (std::ranges::find(is_wanted, true) == is_wanted.end()) return {};
  std::array<ExtentRecord, kExtentBatch> batch;
  RecordHandle handle;
  for (std::uint64_t count = 0;; ++count) {
    if (count % kStopCheckRecords == 0) ASL_TRY(stop.check());
    ASL_ASSIGN(const bool more, cursor.next(handle));
    if (!more) return {};
    if (!marks.needs_copy(segment.live.number, handle.number)) continue;
    while (true) {
      ASL_ASSIGN(const std::size_t got, cursor.next_extents(batch));
      if (got == 0) break;
      for (const ExtentRecord& extent : std::span(batch).first(got)) {
        if (extent.is_hole() || !is_wanted[extent.block_index]) continue;
        const BlockId& block = ids[extent.block_index];
        const bool tree = handle.record.type_tag == kTagTree;
        const Stream packed = extent.stored_length < kSmallExtentMax ? Stream::kSmall : Stream::kLarge;
        extents_.push_back({.from = locate(extent, block).location,
                            .source = sources_.at(block),
                            .stream = tree ? Stream::kTrees : packed});
      }
    }
    // Artifacts share extents: what was noted twice must not count against the round's memory.
    if (extents_.size() > 2 * kGcExtentsPerRound) sort_and_join();
  }
}

void GcRepacker::sort_and_join() {
  const auto place = [](const Moved& extent) { return std::tuple(extent.source, extent.from.offset_bytes); };
  std::ranges::sort(extents_, {}, place);
  const auto repeats = std::ranges::unique(extents_, {}, place);
  extents_.erase(repeats.begin(), repeats.end());
}

Result<void> GcRepacker::run(const StopToken& stop) {
  if (extents_.empty()) return {};
  ASL_ASSIGN(lane_, WriteLane::create(blocks_.io()));
  ASL_ASSIGN(const auto reader, BatchReader::create(blocks_));
  std::vector<ExtentLocation> places;
  places.reserve(extents_.size());
  for (const Moved& extent : extents_) {
    places.push_back(extent.from);
    progress_add(progress_.bytes_total, extent.from.stored_length_bytes);
  }
  const auto sink = [&](std::size_t index, Result<ByteSpan> raw) -> Result<void> {
    ASL_TRY(stop.check());
    Moved& extent = extents_[index];
    progress_add(progress_.bytes_done, extent.from.stored_length_bytes);
    if (raw) return take(extent, reader->stored());
    left_alone_.insert(extent.from.block);
    if (damage_.size() < kDamageShown) damage_.push_back(std::move(raw).error());
    return {};
  };
  ASL_TRY(reader->run(places, sink));
  for (Open& open : open_) ASL_TRY(seal(open));
  return {};
}

Result<void> GcRepacker::take(Moved& extent, ByteSpan stored) {
  Open& open = open_[static_cast<std::size_t>(extent.stream)];
  if (open.writer != nullptr && !open.writer->fits(stored.size())) ASL_TRY(seal(open));
  if (open.writer == nullptr) {
    ASL_ASSIGN(open.writer, BlockWriter::create(blocks_, *lane_, {}));
    open.target = static_cast<std::uint32_t>(sealed_ids_.size());
    sealed_ids_.emplace_back();
  }
  const Digest digest = extent.from.codec == Codec::kNone ? extent.from.digest : sha256(stored);
  ASL_ASSIGN(extent.target_offset, open.writer->append(stored, digest));
  extent.target = open.target;
  bytes_moved_ += stored.size();
  return {};
}

Result<void> GcRepacker::seal(Open& open) {
  if (open.writer == nullptr) return {};
  ASL_ASSIGN(SealedBlock block, open.writer->seal());
  open.writer.reset();
  sealed_ids_[open.target] = block.id;
  sealed_.push_back(std::move(block));
  return {};
}

Result<void> GcRepacker::relocate(ExtentLocation& location) const {
  const auto source = sources_.find(location.block);
  if (source == sources_.end() || left_alone_.contains(location.block)) return {};
  const auto wanted = std::tuple(source->second, location.offset_bytes);
  const auto at = std::ranges::lower_bound(extents_, wanted, {}, [](const Moved& extent) {
    return std::tuple(extent.source, extent.from.offset_bytes);
  });
  if (at == extents_.end() || at->from != location)
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "two records describe the same place differently",
                      .object = "block " + to_hex(location.block),
                      .path = blocks_.path_of(location.block),
                      .offset = location.offset_bytes});
  location.block = sealed_ids_[at->target];
  location.offset_bytes = at->target_offset;
  return {};
}

}  // namespace asl
