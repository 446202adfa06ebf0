#include "maintain/gc_marks.h"

#include <utility>

namespace asl {

GcMarks::GcMarks(std::shared_ptr<const Index> index) : index_(std::move(index)) {
  for (const Index::Segment& segment : index_->segments())
    bits_[segment.live.number].resize(segment.reader->record_count());
}

bool GcMarks::set(SegmentNumber segment, std::uint64_t record_number) {
  std::vector<bool>::reference bit = bits_.at(segment).at(record_number);
  const bool is_new = !bit;
  bit = true;
  return is_new;
}

bool GcMarks::contains(SegmentNumber segment, std::uint64_t record_number) const {
  return bits_.at(segment).at(record_number);
}

Result<std::optional<ArtifactHandle>> GcMarks::mark(const Reference& ref) {
  ASL_ASSIGN(auto newest, index_->find(ref));
  if (!newest)
    return fail(Error{.code = ErrorCode::kNotFound,
                      .message = "something that is needed is not in the store",
                      .object = to_text(ref)});
  // Copies are only ever marked together.
  if (!set(newest->segment(), newest->record_number())) return std::nullopt;
  for (ArtifactHandle copy = *newest;;) {
    ASL_ASSIGN(auto older, index_->next_copy(copy));
    if (!older) break;
    set(older->segment(), older->record_number());
    copy = std::move(*older);
  }
  return newest;
}

}  // namespace asl
