#include "maintain/verifier.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include <asl/engine/hash.h>
#include <asl/engine/partial.h>
#include <asl/engine/tree_walk.h>

#include "maintain/damage_tracer.h"
#include "store/damage_list.h"

namespace asl {
namespace {

// Metadata of blocks kept while segments are compared with it: at most 3 MiB each. A segment names few
// blocks.
constexpr std::size_t kMetasKept = 24;
constexpr std::size_t kExtentBatch = 256;
constexpr std::size_t kHashBufferBytes = 4 << 20;

constexpr std::string_view kRepairHint =
    "asl repair --from PLACE, where PLACE is another store or holds the original files; or ingest the "
    "original "
    "again";
constexpr std::string_view kSegmentHint =
    "asl repair --from STORE, where STORE is a copy of this one; or ingest the originals again: what only "
    "this "
    "segment named is stored anew";
constexpr std::string_view kCopyHint = "asl copy STORE takes what still verifies into another store";

// Bytes are gone, or cannot be vouched for.
bool means_loss(FindingKind kind) {
  return kind != FindingKind::kMetadata && kind != FindingKind::kPadding;
}

}  // namespace

Verifier::Verifier(const Domain& domain, const VerifyOptions& options, ProgressCounters& progress,
                   const StopToken& stop)
    : domain_(domain),
      impl_(const_cast<Domain&>(domain).impl()),
      options_(options),
      progress_(progress),
      stop_(stop),
      view_(domain.view()),
      pacer_(options.bytes_per_second) {}

void Verifier::add(FindingKind kind, Error error) {
  ++report_.finding_count;
  report_.lost = report_.lost || means_loss(kind);
  progress_add(progress_.errors, 1);
  if (report_.findings.size() < VerifyReport::kFindingsMax)
    report_.findings.push_back({.kind = kind, .error = std::move(error), .number = report_.findings.size()});
}

// Of the last finding, which is about one place of one snapshot.
void Verifier::name_place(std::uint64_t snapshot, const std::string& path) {
  if (report_.finding_count != report_.findings.size()) return;  // too many to be listed
  Finding& finding = report_.findings.back();
  finding.files = {fmt::format("{}:/{}", snapshot, path)};
  finding.file_count = 1;
  finding.snapshots = {snapshot};
}

Result<void> Verifier::check_log() {
  auto outcome = replay_log(domain_.io(), impl_.log_files, {}, [&](const LogGroup& group) -> Result<void> {
    report_.log_records += group.records.size();
    return stop_.check();
  });
  ASL_TRY(outcome);
  for (LogDamage& damage : outcome->damage) {
    if (damage.error.hint.empty()) damage.error.hint = kCopyHint;
    add(FindingKind::kLog, std::move(damage.error));
  }
  return {};
}

Result<void> Verifier::check_segments() {
  for (const Index::Segment& segment : view_->index->segments()) {
    ASL_TRY(stop_.check());
    ++report_.segments;
    if (segment.reader == nullptr) {
      Error error = segment.error.value_or(Error{.message = "a segment cannot be opened"});
      error.hint = kSegmentHint;
      damage_.bad_segments.insert(segment.live.number);
      add(FindingKind::kSegment, std::move(error));
      continue;
    }
    if (auto checked = check_segment(segment); !checked) {
      Error error = std::move(checked).error();
      if (error.code == ErrorCode::kInterrupted) return fail(std::move(error));
      damage_.bad_segments.insert(segment.live.number);
      if (error.code == ErrorCode::kIntegrity)
        DamageList::report(domain_.io(), impl_.layout.damaged_file(), segment.live.number);
      error.hint = kSegmentHint;
      add(FindingKind::kSegment, std::move(error));
    }
  }
  return {};
}

Result<void> Verifier::check_segment(const Index::Segment& segment) {
  ASL_TRY(segment.reader->verify_whole(&segment.live.hash));
  SegmentCursor cursor(segment.reader);
  RecordHandle handle;
  while (true) {
    ASL_ASSIGN(const bool more, cursor.next(handle));
    if (!more) return {};
    ++report_.artifacts;
    if (report_.artifacts % 1024 == 0) ASL_TRY(stop_.check());
    ASL_TRY(check_record_places(cursor, handle));
  }
}

Result<void> Verifier::check_record_places(SegmentCursor& cursor, const RecordHandle& handle) {
  std::array<ExtentRecord, kExtentBatch> extents;
  while (true) {
    ASL_ASSIGN(const std::size_t count, cursor.next_extents(extents));
    if (count == 0) return {};
    ASL_ASSIGN(const std::span<const BlockId> blocks, cursor.blocks());
    for (const ExtentRecord& extent : std::span(extents).first(count)) {
      if (extent.is_hole()) continue;
      const BlockId& block = blocks[extent.block_index];
      std::uint64_t& end = blocks_[block];
      end = std::max(end, std::uint64_t{extent.block_offset} + extent.stored_length);
      check_place(handle, extent, block);
    }
  }
}

const BlockMeta* Verifier::meta_of(const BlockId& id) {
  if (const auto at = metas_.find(id); at != metas_.end()) return at->second.get();
  if (metas_.size() >= kMetasKept) metas_.clear();
  std::unique_ptr<BlockMeta> owned;
  if (auto meta = impl_.blocks.read_meta(id)) {
    owned = std::make_unique<BlockMeta>(std::move(*meta));
  } else if (bad_metas_.insert(id).second) {
    Error error = std::move(meta).error();
    error.message = "a block's metadata is missing or damaged (" + error.message + ")";
    error.hint = "nothing is lost: asl repair makes it again from the index";
    damage_.bad_metas.insert(id);
    add(FindingKind::kMetadata, std::move(error));
  }
  return metas_.emplace(id, std::move(owned)).first->second.get();
}

// What the segment says of an extent must be what the block's own metadata says.
void Verifier::check_place(const RecordHandle& handle, const ExtentRecord& extent, const BlockId& block) {
  const BlockMeta* meta = meta_of(block);
  if (meta == nullptr) return;
  const auto at = std::lower_bound(
      meta->extents.begin(), meta->extents.end(), extent.block_offset,
      [](const StoredExtent& stored, std::uint32_t offset) { return stored.offset_bytes < offset; });
  const bool same = at != meta->extents.end() && at->offset_bytes == extent.block_offset &&
                    at->stored_length_bytes == extent.stored_length &&
                    (extent.codec != Codec::kNone || at->stored_digest == extent.digest);
  if (same) return;
  const bool first =
      damage_.extents.emplace(std::pair(block, extent.block_offset), report_.findings.size()).second;
  if (!first) return;
  add(FindingKind::kExtent, integrity_error("the index names an extent that its block does not have",
                                            impl_.blocks.path_of(block), extent.block_offset)
                                .with_object(to_text(handle.record.ref))
                                .with_hint(std::string(kRepairHint)));
}

Result<void> Verifier::check_snapshots() {
  if (options_.snapshot_id) return check_snapshot(*options_.snapshot_id);
  for (const auto& [id, anchor] : view_->state->snapshots()) {
    if (!anchor.forgotten) ASL_TRY(check_snapshot(id));
  }
  return {};
}

Result<void> Verifier::check_snapshot(std::uint64_t id) {
  auto snapshot = domain_.snapshot(id);
  if (!snapshot) {
    if (options_.snapshot_id && snapshot.error().code == ErrorCode::kNotFound) return fail(snapshot.error());
    damage_.missing.insert(view_->state->find_snapshot(id)->reference);
    add(FindingKind::kMissing, std::move(snapshot).error().with_hint(std::string(kRepairHint)));
    name_place(id, "");
    return {};
  }
  ++report_.snapshots;
  if (!snapshot->errors.is_null()) check_content(id, "", snapshot->errors);
  const auto visit = [&](const std::string& path, const Entry& entry) {
    return check_entry(id, path, entry);
  };
  const auto on_error = [&](const std::string& path, const Error& error) -> Result<void> {
    if (error.code == ErrorCode::kInterrupted) return fail(error);
    add(FindingKind::kTree, Error(error).with_hint(std::string(kRepairHint)));
    name_place(id, path);
    return {};
  };
  return walk_snapshot(domain_, *snapshot, "", visit, on_error);
}

Result<WalkStep> Verifier::check_entry(std::uint64_t snapshot, const std::string& path, const Entry& entry) {
  ASL_TRY(stop_.check());
  for (const Xattr& xattr : entry.xattrs)
    if (!xattr.ref.is_null()) check_content(snapshot, path, xattr.ref);
  if (entry.type == EntryType::kFile) check_content(snapshot, path, entry.content);
  if (entry.type != EntryType::kDirectory || entry.content.is_null()) return WalkStep::kContinue;
  if (trees_seen_.contains(entry.content)) return WalkStep::kSkipBelow;
  if (trees_seen_.size() < kTreesRememberedMax) trees_seen_.insert(entry.content);
  ++report_.trees;
  if (options_.snapshot_id) want_blocks(entry.content);
  return WalkStep::kContinue;
}

void Verifier::check_content(std::uint64_t snapshot, const std::string& path, const Reference& ref) {
  const auto missing = [&](Error error) {
    damage_.missing.insert(ref);
    add(FindingKind::kMissing, std::move(error));
    name_place(snapshot, path);
  };
  const auto artifact = domain_.find(ref);
  if (!artifact) {
    if (artifact.error().code == ErrorCode::kRefused) return;  // withdrawn on purpose
    return missing(Error(artifact.error()).with_hint(std::string(kRepairHint)));
  }
  if (options_.snapshot_id) want_blocks(ref);
  if (artifact->type_tag() != kTagPartial) return;
  const auto bytes = domain_.read_typed(ref, kTagPartial, kPartialSizeMax);
  const auto partial = bytes ? decode_partial(*bytes) : Result<Partial>(std::unexpected(bytes.error()));
  if (!partial) return missing(partial.error());
  for (const PartialPiece& piece : partial->pieces) check_content(snapshot, path, piece.ref);
}

void Verifier::want_blocks(const Reference& ref) {
  const auto handle = view_->index->find(ref);
  if (!handle || !*handle) return;  // reported where it was looked up
  for (std::uint32_t k = 0; k < (*handle)->extent_count(); ++k) {
    const auto extent = (*handle)->extent(k);
    if (extent && !extent->hole) wanted_blocks_.insert(extent->location.block);
  }
}

Result<void> Verifier::check_artifacts() {
  if (!options_.artifacts) return {};
  hash_buffer_ = AlignedBuffer(kHashBufferBytes);
  for (const Index::Segment& segment : view_->index->segments()) {
    if (segment.reader == nullptr) continue;
    SegmentCursor cursor(segment.reader);
    RecordHandle handle;
    while (true) {
      const auto more = cursor.next(handle);
      if (!more || !*more) break;  // a damaged segment was reported before
      if (handle.extent_count < 2) continue;
      ASL_TRY(hash_artifact(*segment.reader, handle));
    }
  }
  return {};
}

Result<void> Verifier::hash_artifact(const SegmentReader& segment, const RecordHandle& handle) {
  ASL_TRY(stop_.check());
  const auto artifact = domain_.find(handle.record.ref);
  if (!artifact) return {};
  Sha256 hash;
  if (handle.record.type_tag) hash.update(typed_prefix(*handle.record.type_tag, artifact->length()));
  Result<void> read;
  for (std::uint64_t at = 0; at < artifact->length() && read;) {
    ASL_TRY(stop_.check());
    const auto got = artifact->read(at, hash_buffer_.span());
    if (!got) {
      read = fail(got.error());
      break;
    }
    hash.update(hash_buffer_.span().first(*got));
    at += *got;
    pacer_.pace(*got, stop_);
  }
  ++report_.artifacts_hashed;
  if (read && hash.finish() != handle.record.ref.digest)
    read = fail(integrity_error("an artifact's extents are good and their sum is not", segment.path(),
                                handle.number));
  if (read) return {};
  damage_.missing.insert(handle.record.ref);
  add(FindingKind::kArtifact, std::move(read).error().with_object(to_text(handle.record.ref)));
  return {};
}

Result<void> Verifier::trace_damage() {
  DamageTracer tracer(domain_, view_, damage_, report_, stop_);
  ASL_TRY(tracer.trace());
  still_needed_ = tracer.needed();
  return {};
}

}  // namespace asl
