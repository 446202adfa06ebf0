#include <algorithm>
#include <set>
#include <utility>

#include <asl/engine/artifact_details.h>

#include "store/damage_list.h"
#include "store/domain_layout.h"
#include "store/view.h"

namespace asl {
namespace {

Result<void> list_copies(const View& view, const ArtifactHandle& newest, ArtifactDetails& details) {
  const std::uint64_t unpinned_at = view.state->last_unpin(newest.reference());
  std::optional<ArtifactHandle> copy = newest;
  while (copy) {
    ASL_ASSIGN(const ArtifactRecord record, copy->record());
    const SegmentState* segment = view.state->find_segment(copy->segment());
    const std::uint64_t sealed = segment == nullptr ? 0 : segment->logseq;
    const bool pinned = (record.flags & kRecordPinned) != 0;
    details.copies.push_back({.segment_id = copy->segment(),
                              .sealed_logseq = sealed,
                              .pinned = pinned,
                              .fixed = (record.flags & kRecordFixed) != 0});
    details.pinned = details.pinned || (pinned && sealed > unpinned_at);
    ASL_ASSIGN(auto older, view.index->next_copy(*copy));
    copy = std::move(older);
  }
  return {};
}

Result<void> list_extents(const ArtifactHandle& handle, const DamageList& damage, const ExtentVisitor& visit,
                          ArtifactDetails& details) {
  // Extents of one artifact mostly lie in a run of blocks: the set stays as small as the artifact's blocks.
  std::set<BlockId> blocks;
  for (std::uint32_t k = 0; k < handle.extent_count(); ++k) {
    ASL_ASSIGN(const ArtifactExtent extent, handle.extent(k));
    ExtentDetails found{.artifact_offset_bytes = extent.artifact_offset,
                        .length_bytes = extent.raw_length,
                        .hole = extent.hole,
                        .damaged = !extent.hole && damage.contains(extent.location.digest),
                        .location = extent.location};
    if (extent.hole) {
      ++details.hole_extents;
      details.hole_bytes += extent.raw_length;
    } else {
      ++details.data_extents;
      details.stored_bytes += extent.location.stored_length_bytes;
      details.damaged_extents += found.damaged ? 1 : 0;
      blocks.insert(extent.location.block);
    }
    if (visit) ASL_TRY(visit(found));
  }
  details.blocks = blocks.size();
  return {};
}

void look_in_log(const LogState& state, ArtifactDetails& details) {
  const auto& roots = state.roots();
  details.named_by_log = std::ranges::find(roots, details.reference) != roots.end();
  for (const auto& bind : state.authority_binds())
    details.named_by_log = details.named_by_log || bind.record.reference == details.reference;
  for (const auto& [id, snapshot] : state.snapshots())
    if (!snapshot.forgotten && snapshot.reference == details.reference) details.snapshots.push_back(id);
  if (const TombstoneState* tombstone = state.tombstone(details.reference)) details.tombstone = *tombstone;
}

}  // namespace

std::string_view artifact_kind_name(std::optional<std::uint32_t> type_tag) {
  if (!type_tag) return "data";
  switch (*type_tag) {
    case kTagTree:
      return "tree";
    case kTagSnapshot:
      return "snapshot";
    case kTagPartial:
      return "partial";
    case kTagErrors:
      return "errors";
    default:
      break;
  }
  return *type_tag >= kTagAuthorityFirst && *type_tag <= kTagAuthorityLast ? "authority" : "typed";
}

Result<ArtifactDetails> artifact_details(const Domain& domain, const Reference& reference,
                                         const ExtentVisitor& visit) {
  const std::shared_ptr<const View> view = domain.view();
  ASL_ASSIGN(const auto handle, view->index->find(reference));
  if (!handle)
    return fail(
        Error{.code = ErrorCode::kNotFound, .message = "no such artifact", .object = to_text(reference)});
  ASL_ASSIGN(const DamageList damage,
             DamageList::load(domain.io(), DomainLayout(domain.directory()).damaged_file()));
  ArtifactDetails details;
  details.reference = reference;
  details.length_bytes = handle->length();
  details.type_tag = handle->type_tag();
  ASL_TRY(list_copies(*view, *handle, details));
  ASL_TRY(list_extents(*handle, damage, visit, details));
  look_in_log(*view->state, details);
  return details;
}

}  // namespace asl
