#include "maintain/gc_marker.h"

#include <utility>

#include "store/domain_impl.h"

namespace asl {
namespace {

constexpr std::uint64_t kStopCheckRecords = 4096;

bool is_authority(const ArtifactRecord& record) {
  return record.type_tag && *record.type_tag >= kTagAuthorityFirst && *record.type_tag <= kTagAuthorityLast;
}

}  // namespace

bool is_erased(const LogState& state, const Reference& ref) {
  const TombstoneState* tombstone = state.tombstone(ref);
  return tombstone != nullptr &&
         (tombstone->reason == TombstoneReason::kLegal || tombstone->reason == TombstoneReason::kSecret);
}

GcMarker::GcMarker(const Domain& domain, std::shared_ptr<const View> view, GcMarks& marks,
                   ProgressCounters& progress, const StopToken& stop)
    : domain_(domain), view_(std::move(view)), marks_(marks), progress_(progress), stop_(stop) {}

Result<void> GcMarker::mark_snapshots() {
  for (const auto& [id, snapshot] : view_->state->snapshots()) {
    if (snapshot.forgotten) continue;
    GcRoot root{.kind = GcRootKind::kSnapshot, .snapshot_id = id, .label = snapshot.label};
    auto reached = reach(snapshot.reference, Named::kRequired, root);
    if (!reached) {
      Error error = std::move(reached).error();
      if (error.code != ErrorCode::kInterrupted)
        error.message = "snapshot " + std::to_string(id) + ": " + error.message;
      return fail(std::move(error));
    }
    snapshots_.push_back(std::move(root));
  }
  return {};
}

Result<void> GcMarker::mark_log_roots() {
  for (const Reference& ref : view_->state->roots()) {
    if (ref.hash_id != 0) ASL_TRY(reach(ref, Named::kRequired, published_));
  }
  return {};
}

Result<void> GcMarker::mark_record_roots() {
  for (const Index::Segment& segment : view_->index->segments()) ASL_TRY(mark_records_of(segment));
  return {};
}

Result<void> GcMarker::mark_records_of(const Index::Segment& segment) {
  SegmentCursor cursor(segment.reader);
  RecordHandle handle;
  for (std::uint64_t count = 0;; ++count) {
    if (count % kStopCheckRecords == 0) ASL_TRY(stop_.check());
    ASL_ASSIGN(const bool more, cursor.next(handle));
    if (!more) return {};
    const ArtifactRecord& record = handle.record;
    const bool pinned = (record.flags & kRecordPinned) != 0 &&
                        segment.live.seal_logseq > view_->state->last_unpin(record.ref);
    if (is_authority(record)) ASL_TRY(reach(record.ref, Named::kRequired, authority_));
    if (pinned) ASL_TRY(reach(record.ref, Named::kRequired, pinned_));
    if ((record.flags & kRecordFixed) != 0) ASL_TRY(reach(record.ref, Named::kRequired, fixed_));
  }
}

Result<void> GcMarker::reach(const Reference& ref, Named named, GcRoot& root) {
  ASL_TRY(mark(ref, named, root));
  while (!pending_.empty()) {
    ASL_TRY(stop_.check());
    const ArtifactHandle handle = std::move(pending_.back());
    pending_.pop_back();
    auto read = read_below(handle, root);
    // What is withdrawn may be damaged beyond reading: then nothing below it can be told.
    if (!read && view_->state->tombstone(handle.reference()) == nullptr) return read;
  }
  return {};
}

Result<void> GcMarker::mark(const Reference& ref, Named named, GcRoot& root) {
  if (is_erased(*view_->state, ref)) return {};
  auto marked = marks_.mark(ref);
  if (!marked) {
    const bool explained = named == Named::kIfThere || view_->state->tombstone(ref) != nullptr;
    if (marked.error().code == ErrorCode::kNotFound && explained) return {};
    Error error = std::move(marked).error();
    if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kIntegrity;
    error.hint = "asl verify lists what is missing; nothing was removed";
    return fail(std::move(error));
  }
  if (!*marked) return {};
  ArtifactHandle& handle = **marked;
  root.artifacts += 1;
  root.bytes += handle.length();
  progress_add(progress_.files_done, 1);
  if (names_others(handle.type_tag())) pending_.push_back(std::move(handle));
  return {};
}

Result<void> GcMarker::read_below(const ArtifactHandle& handle, GcRoot& root) {
  // What lies below a withdrawn artifact is kept: the tombstone may be lifted.
  ASL_ASSIGN(const Bytes bytes, read_naming_artifact(domain_, view_, handle));
  return visit_named(*handle.type_tag(), bytes,
                     [&](const Reference& ref, Named named) { return mark(ref, named, root); });
}

std::vector<GcRoot> GcMarker::take_roots() {
  std::vector<GcRoot> roots = std::move(snapshots_);
  for (GcRoot* root : {&published_, &authority_, &pinned_, &fixed_}) {
    if (root->artifacts > 0) roots.push_back(std::move(*root));
  }
  return roots;
}

}  // namespace asl
