// Replacing live segments by new ones, in one commit: what merges and gc have in common.
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

Result<SegmentRewriteReport> StoreWriter::Impl::rewrite_segments(SegmentRewrite rewrite) {
  ASL_TRY(check_alive());
  ended = true;  // until everything below has succeeded
  std::vector<BlockId> ids;
  for (SealedBlock& block : rewrite.blocks) {
    ASL_TRY(blocks.stage_meta(block));
    ids.push_back(block.id);
  }
  for (const SealedBlock& block : rewrite.blocks) ASL_TRY(blocks.install(block));
  if (!ids.empty()) ASL_TRY(blocks.sync_directories(ids));

  // Its own reader: what is vouched for here must come from the disk and not from a cache.
  BlockReader reader(blocks, {.cache_bytes = 0});
  rewrite.rules.survivor_verifies = [&](const SegmentReader& segment, const RecordHandle& handle) {
    return copy_verifies(reader, segment, handle);
  };
  const std::shared_ptr<const View> view = domain.view();
  rewrite.rules.unpinned_at = [&](const Reference& ref) { return view->state->last_unpin(ref); };
  ASL_ASSIGN(SegmentRewriteReport report, write_replacements(rewrite));
  if (report.retired.empty()) {
    ended = false;
    return report;
  }
  ASL_TRY(commit_replacements(report));
  ended = false;
  static_cast<void>(update_cache(report.sealed_numbers()));
  // The log has let go of them: readers that still have them open keep them, others look up again.
  for (const SegmentNumber retired : report.retired) static_cast<void>(segments.remove(retired));
  return report;
}

Result<SegmentRewriteReport> StoreWriter::Impl::write_replacements(const SegmentRewrite& rewrite) {
  SegmentRewriteReport report;
  for (const std::vector<Index::Segment>& inputs : rewrite.groups) {
    const SegmentNumber number = next_segment++;
    const std::string path = segments.segment_tmp_path(number);
    ASL_ASSIGN(std::optional<MergedSegment> merged, asl::merge_segments(io, path, inputs, rewrite.rules));
    if (!merged) continue;
    report.retired.insert(report.retired.end(), merged->inputs.begin(), merged->inputs.end());
    report.artifacts_dropped += merged->artifacts_dropped;
    if (merged->written.record_count == 0) {
      ASL_TRY(io.remove(path));
      continue;
    }
    ASL_TRY(segments.publish_segment(number));
    report.sealed.push_back({.segment_id = number, .file_hash = merged->written.hash});
  }
  return report;
}

Result<void> StoreWriter::Impl::commit_replacements(const SegmentRewriteReport& report) {
  ASL_TRY(segments.sync_directory());
  std::vector<NewRecord> group;
  for (const SegmentSealRecord& seal : report.sealed) group.push_back(new_record(seal));
  group.push_back(new_record(SegmentRetireRecord{.segment_ids = report.retired}));
  ASL_TRY(domain.state()->check(group));
  ASL_TRY(log->append(group));
  commits += 1;
  ASL_TRY(domain.refresh());
  return {};
}

Result<void> StoreWriter::Impl::merge_segments_if_due() {
  if (options.dry_run) return {};
  const Gate::Closed closed(gate);
  while (true) {
    ASL_TRY(check_alive());
    if (derived.valid()) static_cast<void>(derived.get());
    const std::shared_ptr<const View> view = domain.view();
    const std::vector<std::size_t> picked = pick_merge(view->index->segments());
    if (picked.empty()) return {};
    std::vector<Index::Segment> inputs;
    for (const std::size_t position : picked) inputs.push_back(view->index->segments()[position]);
    const auto report = rewrite_segments({.groups = {std::move(inputs)}, .rules = {}, .blocks = {}});
    if (!report) {
      // Whoever picks again does so without the segment that cannot be read.
      ASL_ASSIGN(const bool damaged, pass_over_damaged(report.error()));
      if (!damaged) return fail(report.error());
      const std::string unfinished = segments.segment_tmp_path(next_segment - 1);
      if (io::exists(io, unfinished)) ASL_TRY(io.remove(unfinished));
      ended = false;
      continue;
    }
    if (report->retired.empty()) return {};  // they cannot be joined after all
  }
}

}  // namespace asl
