// Joining index segments as part of writing: a store that is written to often keeps few segments.
#include <algorithm>
#include <utility>

#include "block/block_reader.h"
#include "index/merge.h"
#include "store/domain_impl.h"
#include "store/writer_session.h"

namespace asl {
namespace {

// Every extent of this copy reads back right.
Result<bool> copy_verifies(BlockReader& reader, const SegmentReader& segment, const RecordHandle& handle) {
  Bytes buffer(kExtentLengthMax);
  for (std::uint32_t k = 0; k < handle.extent_count; ++k) {
    ASL_ASSIGN(const ArtifactExtent extent, segment.extent(handle, k));
    if (extent.hole) continue;
    const MutableByteSpan into = MutableByteSpan(buffer).first(extent.raw_length);
    if (!reader.read(extent.location, into)) return false;
  }
  return true;
}

}  // namespace

Result<void> StoreWriter::Impl::merge_segments_if_due() {
  if (options.dry_run) return {};
  const Gate::Closed closed(gate);
  while (true) {
    ASL_TRY(check_alive());
    if (derived.valid()) static_cast<void>(derived.get());
    const std::shared_ptr<const View> view = domain.view();
    const std::vector<std::size_t> picked = pick_merge(view->index->segments());
    if (picked.empty()) return {};
    ASL_ASSIGN(const bool merged, merge_once(*view, picked));
    if (!merged) return {};
  }
}

// False if the inputs cannot be joined after all.
Result<bool> StoreWriter::Impl::merge_once(const View& view, std::span<const std::size_t> picked) {
  std::vector<Index::Segment> inputs;
  for (const std::size_t position : picked) inputs.push_back(view.index->segments()[position]);
  // Its own reader: what is vouched for here must come from the disk and not from a cache.
  BlockReader reader(blocks, {.cache_bytes = 0});
  MergeRules rules;
  rules.survivor_verifies = [&](const SegmentReader& segment, const RecordHandle& handle) {
    return copy_verifies(reader, segment, handle);
  };
  rules.unpinned_at = [&](const Reference& ref) { return view.state->last_unpin(ref); };
  const SegmentNumber number = next_segment++;
  ended = true;  // until everything below has succeeded
  ASL_ASSIGN(const std::optional<MergedSegment> merged,
             asl::merge_segments(io, segments.segment_tmp_path(number), inputs, rules));
  if (!merged) {
    ended = false;
    return false;
  }
  ASL_TRY(segments.publish_segment(number));
  ASL_TRY(segments.sync_directory());
  const NewRecord group[] = {
      new_record(SegmentSealRecord{.segment_id = number, .file_hash = merged->written.hash}),
      new_record(SegmentRetireRecord{.segment_ids = merged->inputs})};
  ASL_TRY(domain.state()->check(group));
  ASL_TRY(log->append(group));
  commits += 1;
  ASL_TRY(domain.refresh());
  ended = false;
  static_cast<void>(update_cache(number, true));
  // The log has let go of them: readers that still have them open keep them, others look up again.
  for (const SegmentNumber retired : merged->inputs) static_cast<void>(segments.remove(retired));
  return true;
}

}  // namespace asl
