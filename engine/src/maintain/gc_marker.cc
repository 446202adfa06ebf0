#include "maintain/gc_marker.h"

#include <utility>
#include <variant>

#include <asl/engine/partial.h>
#include <asl/engine/snapshot.h>

#include "store/domain_impl.h"

namespace asl {
namespace {

constexpr std::uint64_t kStopCheckRecords = 4096;

bool is_authority(const ArtifactRecord& record) {
  return record.type_tag && *record.type_tag >= kTagAuthorityFirst && *record.type_tag <= kTagAuthorityLast;
}

// What names other artifacts. Authority objects name theirs by records of the log and by pins.
bool has_references(std::optional<std::uint32_t> tag) {
  return tag == kTagTree || tag == kTagSnapshot || tag == kTagPartial;
}

std::uint64_t size_max_of(std::uint32_t tag) {
  if (tag == kTagTree) return kFanOutSizeMax;
  return tag == kTagPartial ? kPartialSizeMax : kSnapshotSizeMax;
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
    auto reached = reach(snapshot.reference, Need::kRequired, root);
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
    if (ref.hash_id != 0) ASL_TRY(reach(ref, Need::kRequired, published_));
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
    if (is_authority(record)) ASL_TRY(reach(record.ref, Need::kRequired, authority_));
    if (pinned) ASL_TRY(reach(record.ref, Need::kRequired, pinned_));
    if ((record.flags & kRecordFixed) != 0) ASL_TRY(reach(record.ref, Need::kRequired, fixed_));
  }
}

Result<void> GcMarker::reach(const Reference& ref, Need need, GcRoot& root) {
  ASL_TRY(mark(ref, need, root));
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

Result<void> GcMarker::mark(const Reference& ref, Need need, GcRoot& root) {
  if (is_erased(*view_->state, ref)) return {};
  auto marked = marks_.mark(ref);
  if (!marked) {
    const bool explained = need == Need::kIfThere || view_->state->tombstone(ref) != nullptr;
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
  if (has_references(handle.type_tag())) pending_.push_back(std::move(handle));
  return {};
}

Result<Bytes> GcMarker::read_typed(const ArtifactHandle& handle) const {
  const std::uint32_t tag = *handle.type_tag();
  if (handle.length() > size_max_of(tag))
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "too long for its type",
                      .object = to_text(handle.reference())});
  // Not Domain::find: what lies below a withdrawn artifact is kept, the tombstone may be lifted.
  const Artifact artifact(std::make_shared<const Artifact::Impl>(
      Artifact::Impl{.domain = &domain_, .view = view_, .handle = handle}));
  Bytes bytes(artifact.length());
  ASL_ASSIGN(const std::size_t got, artifact.read(0, bytes));
  if (got != bytes.size() || typed_reference(tag, bytes) != handle.reference())
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "the bytes are not what their reference says",
                      .object = to_text(handle.reference())});
  return bytes;
}

Result<void> GcMarker::read_below(const ArtifactHandle& handle, GcRoot& root) {
  ASL_ASSIGN(const Bytes bytes, read_typed(handle));
  if (handle.type_tag() == kTagTree) return mark_tree(bytes, root);
  if (handle.type_tag() == kTagPartial) return mark_partial(bytes, root);
  return mark_snapshot(bytes, root);
}

Result<void> GcMarker::mark_tree(ByteSpan bytes, GcRoot& root) {
  ASL_ASSIGN(const TreeNode node, decode_tree(bytes));
  if (const auto* fan_out = std::get_if<TreeFanOut>(&node)) {
    for (const FanOutItem& leaf : fan_out->leaves) ASL_TRY(mark(leaf.ref, Need::kRequired, root));
    return {};
  }
  for (const Entry& entry : std::get<TreeLeaf>(node).entries) ASL_TRY(mark_entry(entry, root));
  return {};
}

Result<void> GcMarker::mark_entry(const Entry& entry, GcRoot& root) {
  if (entry.type == EntryType::kFile || entry.type == EntryType::kDirectory)
    ASL_TRY(mark(entry.content, Need::kRequired, root));
  for (const Xattr& xattr : entry.xattrs) {
    if (xattr.ref != Reference{}) ASL_TRY(mark(xattr.ref, Need::kRequired, root));
  }
  return {};
}

Result<void> GcMarker::mark_partial(ByteSpan bytes, GcRoot& root) {
  ASL_ASSIGN(const Partial partial, decode_partial(bytes));
  for (const PartialPiece& piece : partial.pieces) ASL_TRY(mark(piece.ref, Need::kRequired, root));
  return {};
}

Result<void> GcMarker::mark_snapshot(ByteSpan bytes, GcRoot& root) {
  ASL_ASSIGN(const Snapshot snapshot, decode_snapshot(bytes));
  for (const SnapshotRoot& source : snapshot.roots) ASL_TRY(mark_entry(source.entry, root));
  if (snapshot.errors != Reference{}) ASL_TRY(mark(snapshot.errors, Need::kRequired, root));
  if (snapshot.claim != Reference{}) ASL_TRY(mark(snapshot.claim, Need::kRequired, root));
  // Usually only its name is known here.
  if (snapshot.origin) ASL_TRY(mark(snapshot.origin->ref, Need::kIfThere, root));
  return {};
}

std::vector<GcRoot> GcMarker::take_roots() {
  std::vector<GcRoot> roots = std::move(snapshots_);
  for (GcRoot* root : {&published_, &authority_, &pinned_, &fixed_}) {
    if (root->artifacts > 0) roots.push_back(std::move(*root));
  }
  return roots;
}

}  // namespace asl
