// What repair needs of a writing session: damaged extents are stored again elsewhere, and artifacts get new
// records.
#include <utility>

#include "store/writer_session.h"

namespace asl {

Result<ExtentRecord> StoreWriter::Impl::store_again(const ExtentLocation& damaged, ByteSpan raw,
                                                    bool as_tree) {
  // While it is listed, no other place of these bytes is believed in, and the commit strikes it out.
  damage->add(damaged);
  Result<PlacedExtent> placed;
  {
    const Gate::Pass pass(gate);
    const std::lock_guard guard(own_lane_mutex);
    placed = own_lane->impl_->place(raw, damaged.digest, as_tree);
  }
  ASL_TRY(placed);
  return placed->extent;
}

Result<bool> StoreWriter::Impl::record_again(const Reference& ref, const MovedExtents& moved) {
  const Gate::Pass pass(gate);
  ASL_ASSIGN(const auto handle, domain.view()->index->find(ref));
  if (!handle) return false;
  ASL_ASSIGN(ArtifactRecord artifact, handle->record());
  auto extents = std::make_unique<ExtentList>(extent_budget);
  bool changed = false;
  for (std::uint32_t k = 0; k < handle->extent_count(); ++k) {
    ASL_ASSIGN(const ArtifactExtent extent, handle->extent(k));
    if (extent.hole) {
      ASL_TRY(extents->append(hole_record(extent.artifact_offset, extent.raw_length)));
      continue;
    }
    const ExtentLocation& at = extent.location;
    ExtentRecord record{.artifact_offset = extent.artifact_offset,
                        .raw_length = extent.raw_length,
                        .block_index = block_table.number_of(at.block),
                        .block_offset = at.offset_bytes,
                        .stored_length = at.stored_length_bytes,
                        .codec = at.codec,
                        .digest = at.digest};
    const auto now = moved.find({at.block, at.offset_bytes});
    if (now != moved.end() && now->second.digest == at.digest) {
      record = now->second;
      record.artifact_offset = extent.artifact_offset;
      changed = true;
    }
    ASL_TRY(extents->append(record));
  }
  if (!changed) return false;
  // Whether it is pinned is looked up anew: an old record may have been unpinned since.
  artifact.flags &= ~kRecordPinned;
  ASL_TRY(record(artifact, std::move(extents), true));
  return true;
}

}  // namespace asl
