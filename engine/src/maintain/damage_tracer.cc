#include "maintain/damage_tracer.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include <asl/engine/partial.h>

#include "store/domain_layout.h"

namespace asl {
namespace {

constexpr std::size_t kExtentBatch = 256;
constexpr std::string_view kSupersededHint = "asl gc drops it; nothing is lost, a good copy is in use";
constexpr std::string_view kNoFileHint =
    "no file of a snapshot needs it; asl gc frees what nothing needs, and asl repair --from PLACE brings the "
    "rest "
    "back";

bool means_loss(FindingKind kind) {
  return kind != FindingKind::kMetadata && kind != FindingKind::kPadding;
}

}  // namespace

DamageTracer::DamageTracer(const Domain& domain, std::shared_ptr<const View> view, const DamageMap& damage,
                           VerifyReport& report, const StopToken& stop)
    : domain_(domain),
      view_(std::move(view)),
      damage_(damage),
      report_(report),
      stop_(stop),
      reader_(domain.blocks(), {.cache_bytes = 0}),
      buffer_(kExtentLengthMax) {}

Result<void> DamageTracer::trace() {
  if (damage_.extents.empty() && damage_.lost_blocks.empty()) return {};
  if (auto list = DamageList::load(domain_.io(), DomainLayout(domain_.directory()).damaged_file()))
    noted_.emplace(std::move(*list));
  ASL_TRY(find_artifacts());
  ASL_TRY(name_files());
  set_aside_superseded();
  return {};
}

Finding* DamageTracer::finding(std::size_t number) {
  return number < report_.findings.size() ? &report_.findings[number] : nullptr;
}

Result<void> DamageTracer::find_artifacts() {
  for (const Index::Segment& segment : view_->index->segments()) {
    if (segment.reader == nullptr) {
      every_record_seen_ = false;
      continue;
    }
    SegmentCursor cursor(segment.reader);
    if (auto seen = look_at_segment(cursor); !seen) {
      if (seen.error().code == ErrorCode::kInterrupted) return seen;
      every_record_seen_ = false;
    }
  }
  return {};
}

Result<void> DamageTracer::look_at_segment(SegmentCursor& cursor) {
  std::array<ExtentRecord, kExtentBatch> extents;
  RecordHandle handle;
  while (true) {
    ASL_TRY(stop_.check());
    ASL_ASSIGN(const bool more, cursor.next(handle));
    if (!more) return {};
    while (true) {
      ASL_ASSIGN(const std::size_t count, cursor.next_extents(extents));
      if (count == 0) break;
      ASL_ASSIGN(const std::span<const BlockId> blocks, cursor.blocks());
      for (const ExtentRecord& extent : std::span(extents).first(count)) {
        if (extent.is_hole() || !damage_.contains(blocks[extent.block_index], extent.block_offset)) continue;
        look_at_extent(handle.record.ref, extent, blocks[extent.block_index]);
      }
    }
  }
}

void DamageTracer::note(const ExtentLocation& place) {
  if (!needed_digests_.insert(place.digest).second) return;
  if (noted_ && noted_->contains(place.digest)) return;
  DamageList::report(domain_.io(), DomainLayout(domain_.directory()).damaged_file(), place);
}

void DamageTracer::look_at_extent(const Reference& ref, const ExtentRecord& extent, const BlockId& block) {
  const auto damaged = damage_.extents.find({block, extent.block_offset});
  const std::size_t number =
      damaged != damage_.extents.end() ? damaged->second : damage_.lost_blocks.at(block);
  const ArtifactExtent located = locate(extent, block);
  if (has_other_copy(ref, located)) return;
  needed_.insert(number);
  note(located.location);
  auto& numbers = artifacts_[ref];
  if (!numbers.empty() && numbers.back() == number) return;
  numbers.push_back(number);
  Finding* const found = finding(number);
  if (found == nullptr) return;
  ++found->artifact_count;
  if (found->artifacts.size() < Finding::kFilesShown) found->artifacts.push_back(to_text(ref));
}

// The same rule as that of readers and gc: another record of the artifact, whose extent reads back right.
bool DamageTracer::has_other_copy(const Reference& ref, const ArtifactExtent& extent) {
  auto copy = view_->index->find(ref);
  while (copy && *copy) {
    const auto number = (*copy)->find_extent_at(extent.artifact_offset);
    const auto other = number ? (*copy)->extent(*number) : Result<ArtifactExtent>(fail(number.error()));
    const bool same = other && !other->hole && other->artifact_offset == extent.artifact_offset &&
                      other->location.digest == extent.location.digest &&
                      other->raw_length == extent.raw_length &&
                      !damage_.contains(other->location.block, other->location.offset_bytes);
    if (same && reader_.read(other->location, MutableByteSpan(buffer_).first(other->raw_length))) return true;
    copy = view_->index->next_copy(**copy);
  }
  return false;
}

Result<void> DamageTracer::name_files() {
  if (artifacts_.empty()) return {};
  for (const auto& [id, anchor] : view_->state->snapshots()) {
    if (anchor.forgotten) continue;
    touch(anchor.reference, id, "");
    ASL_TRY(name_in(id));
  }
  return {};
}

Result<void> DamageTracer::name_in(std::uint64_t id) {
  const auto snapshot = domain_.snapshot(id);
  if (!snapshot) return {};  // reported before
  touch(snapshot->errors, id, "");
  const auto visit = [&](const std::string& path, const Entry& entry) -> Result<WalkStep> {
    ASL_TRY(stop_.check());
    touch(entry.content, id, path);
    for (const Xattr& xattr : entry.xattrs) touch(xattr.ref, id, path);
    if ((entry.flags & kEntryPartial) != 0) touch_pieces(entry.content, id, path);
    return WalkStep::kContinue;
  };
  return walk_snapshot(domain_, *snapshot, "", visit, [](const std::string&, const Error& error) {
    return error.code == ErrorCode::kInterrupted ? Result<void>(fail(error)) : Result<void>();
  });
}

void DamageTracer::touch(const Reference& content, std::uint64_t snapshot, const std::string& path) {
  if (content.is_null()) return;
  const auto at = artifacts_.find(content);
  if (at == artifacts_.end()) return;
  for (const std::size_t number : at->second) {
    Finding* const found = finding(number);
    if (found == nullptr) continue;
    found->snapshots.insert(snapshot);
    ++found->file_count;
    if (found->files.size() < Finding::kFilesShown)
      found->files.push_back(fmt::format("{}:/{}", snapshot, path));
  }
}

void DamageTracer::touch_pieces(const Reference& partial, std::uint64_t snapshot, const std::string& path) {
  const auto bytes = domain_.read_typed(partial, kTagPartial, kPartialSizeMax);
  const auto decoded = bytes ? decode_partial(*bytes) : Result<Partial>(fail(bytes.error()));
  if (!decoded) return;  // reported where it was checked
  for (const PartialPiece& piece : decoded->pieces) touch(piece.ref, snapshot, path);
}

void DamageTracer::set_aside_superseded() {
  std::unordered_set<std::size_t> aside;
  const auto judge = [&](std::size_t number) {
    if (every_record_seen_ && !needed_.contains(number)) aside.insert(number);
  };
  for (const auto& [place, number] : damage_.extents) judge(number);
  for (const auto& [block, number] : damage_.lost_blocks) judge(number);
  report_.finding_count -= aside.size();
  report_.superseded_count += aside.size();
  std::vector<Finding> kept;
  for (std::size_t number = 0; number < report_.findings.size(); ++number) {
    Finding& one = report_.findings[number];
    const bool is_place = one.kind == FindingKind::kExtent || one.kind == FindingKind::kBlock;
    if (aside.contains(number)) {
      one.kind = FindingKind::kSuperseded;
      one.error.hint = kSupersededHint;
      report_.superseded.push_back(std::move(one));
      continue;
    }
    if (is_place && one.file_count == 0 && every_record_seen_) one.error.hint = kNoFileHint;
    kept.push_back(std::move(one));
  }
  report_.findings = std::move(kept);
  if (report_.finding_count == report_.findings.size())
    report_.lost =
        std::ranges::any_of(report_.findings, [](const Finding& one) { return means_loss(one.kind); });
}

}  // namespace asl
