#include "store/pins.h"

#include "store/view.h"

namespace asl {

Result<bool> is_pinned(const Domain& domain, const Reference& reference) {
  const std::shared_ptr<const View> view = domain.view();
  const std::uint64_t unpinned_at = view->state->last_unpin(reference);
  ASL_ASSIGN(auto copy, view->index->find(reference));
  if (!copy)
    return fail(
        Error{.code = ErrorCode::kNotFound, .message = "no such artifact", .object = to_text(reference)});
  while (copy) {
    const SegmentState* segment = view->state->find_segment(copy->segment());
    ASL_ASSIGN(const ArtifactRecord record, copy->record());
    const bool counts = segment != nullptr && segment->logseq > unpinned_at;
    if (counts && (record.flags & kRecordPinned) != 0) return true;
    ASL_ASSIGN(auto older, view->index->next_copy(*copy));
    copy = std::move(older);
  }
  return false;
}

}  // namespace asl
