#include "maintain/gc_marks.h"

#include <algorithm>
#include <utility>

namespace asl {
namespace {

Result<bool> same_places(const ArtifactHandle& one, const ArtifactHandle& other) {
  if (one.extent_count() != other.extent_count()) return false;
  for (std::uint32_t k = 0; k < one.extent_count(); ++k) {
    ASL_ASSIGN(const ArtifactExtent a, one.extent(k));
    ASL_ASSIGN(const ArtifactExtent b, other.extent(k));
    if (a.hole != b.hole || a.location != b.location) return false;
  }
  return true;
}

}  // namespace

GcMarks::GcMarks(std::shared_ptr<const View> view, BlockStore& blocks)
    : view_(std::move(view)), reader_(blocks, {.cache_bytes = 0}) {
  for (const Index::Segment& segment : view_->index->segments()) {
    Bits& bits = bits_[segment.live.number];
    bits.marked.resize(segment.reader->record_count());
    bits.superseded.resize(segment.reader->record_count());
  }
}

bool GcMarks::contains(SegmentNumber segment, std::uint64_t record_number) const {
  return bits_.at(segment).marked.at(record_number);
}

bool GcMarks::needs_copy(SegmentNumber segment, std::uint64_t record_number) const {
  const Bits& bits = bits_.at(segment);
  return bits.marked.at(record_number) && !bits.superseded.at(record_number);
}

Result<std::optional<ArtifactHandle>> GcMarks::mark(const Reference& ref) {
  ASL_ASSIGN(auto newest, view_->index->find(ref));
  if (!newest)
    return fail(Error{.code = ErrorCode::kNotFound,
                      .message = "something that is needed is not in the store",
                      .object = to_text(ref)});
  // Copies are only ever marked together.
  if (contains(newest->segment(), newest->record_number())) return std::nullopt;
  std::vector<ArtifactHandle> copies;
  for (std::optional<ArtifactHandle> copy = newest; copy;) {
    bits_.at(copy->segment()).marked.at(copy->record_number()) = true;
    copies.push_back(*copy);
    ASL_ASSIGN(copy, view_->index->next_copy(copies.back()));
  }
  if (copies.size() > 1) ASL_TRY(choose_survivor(copies));
  return newest;
}

Result<void> GcMarks::choose_survivor(std::span<const ArtifactHandle> copies) {
  bool all_the_same = true;
  for (const ArtifactHandle& copy : copies.subspan(1)) {
    ASL_ASSIGN(const bool same, same_places(copies[0], copy));
    all_the_same = all_the_same && same;
  }
  const auto survivor =
      all_the_same
          ? copies.begin()
          : std::ranges::find_if(copies, [this](const ArtifactHandle& copy) { return reads_back(copy); });
  if (survivor == copies.end()) return {};
  ASL_ASSIGN(const std::uint32_t kept_flags, flags_in_force(*survivor));
  for (auto copy = copies.begin(); copy != copies.end(); ++copy) {
    if (copy == survivor) continue;
    ASL_ASSIGN(const std::uint32_t flags, flags_in_force(*copy));
    const bool fixed = (flags & kRecordFixed) != 0;
    bits_.at(copy->segment()).superseded.at(copy->record_number()) = !fixed && (flags & ~kept_flags) == 0;
  }
  return {};
}

// The record's flags, without a pin that was taken away.
Result<std::uint32_t> GcMarks::flags_in_force(const ArtifactHandle& copy) const {
  ASL_ASSIGN(const ArtifactRecord record, copy.record());
  const SegmentState* segment = view_->state->find_segment(copy.segment());
  const bool pins = segment != nullptr && segment->logseq > view_->state->last_unpin(record.ref);
  return pins ? record.flags : record.flags & ~kRecordPinned;
}

bool GcMarks::reads_back(const ArtifactHandle& copy) {
  Bytes buffer(kExtentLengthMax);
  for (std::uint32_t k = 0; k < copy.extent_count(); ++k) {
    const auto extent = copy.extent(k);
    if (!extent) return false;
    if (extent->hole) continue;
    if (!reader_.read(extent->location, MutableByteSpan(buffer).first(extent->raw_length))) return false;
  }
  return true;
}

}  // namespace asl
