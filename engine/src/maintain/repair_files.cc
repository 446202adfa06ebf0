// Repair of whole files: index segments and the metadata of blocks.
#include <fmt/format.h>
#include <utility>

#include <asl/engine/hash.h>

#include "maintain/readable_extents.h"
#include "maintain/repairer.h"
#include "maintain/verifier.h"
#include "store/domain_impl.h"

namespace asl {
namespace {

// As a writer's own: somebody may be just about to finish.
constexpr std::uint32_t kLockWaitMs = 2000;

}  // namespace

Result<void> Repairer::heal_files() {
  Verifier verifier(domain(), {}, progress_, stop_);
  ASL_TRY(verifier.check_segments());
  const DamageMap& found = verifier.damage();
  if (found.bad_segments.empty() && found.bad_metas.empty()) return {};
  const DomainLayout layout(directory_);
  std::unique_ptr<io::Lock> lock;
  if (!options_.dry_run) {
    ASL_ASSIGN(lock, io_.lock(layout.lock_file(), kLockWaitMs));
    // A directory of blocks may be what was lost.
    ASL_TRY(layout.make_missing_directories(io_));
  }
  bool segments_healed = false;
  for (const SegmentNumber number : found.bad_segments) {
    ASL_TRY(stop_.check());
    ASL_ASSIGN(const bool healed, heal_segment(number));
    segments_healed = segments_healed || healed;
  }
  BlockSet metas = found.bad_metas;
  if (segments_healed && !options_.dry_run) {
    // They name blocks that nobody has looked at yet.
    ASL_TRY(open_domain());
    Verifier again(domain(), {}, progress_, stop_);
    ASL_TRY(again.check_segments());
    metas = again.damage().bad_metas;
  }
  return heal_metas(metas);
}

Result<bool> Repairer::heal_segment(SegmentNumber number) {
  const SegmentState* const state = domain().state()->find_segment(number);
  if (state == nullptr) return false;
  const SegmentStore segments(io_, DomainLayout(directory_).store());
  const std::string temporary = options_.dry_run ? std::string() : segments.segment_tmp_path(number);
  if (!temporary.empty() && io::exists(io_, temporary)) ASL_TRY(io_.remove(temporary));
  ASL_ASSIGN(const auto source, sources_->copy_segment(state->file_hash, number, temporary));
  if (!source) return false;
  if (!options_.dry_run) {
    // Only a file whose hash is the log's takes the place of one that is damaged.
    ASL_TRY(io_.rename(temporary, segments.segment_path(number), true));
    ASL_TRY(segments.sync_directory());
  }
  healed(HealedKind::kSegment, fmt::format("segment {}", number), *source, 0);
  return true;
}

Result<void> Repairer::heal_metas(const BlockSet& wanted) {
  if (wanted.empty()) return {};
  std::map<BlockId, std::map<std::uint32_t, ExtentLocation>> named;
  ASL_TRY(visit_readable_extents(*domain().view()->index, stop_,
                                 [&](const RecordHandle&, const BlockId& block, const ExtentRecord& extent) {
                                   if (wanted.contains(block))
                                     named[block].insert_or_assign(extent.block_offset,
                                                                   locate(extent, block).location);
                                 }));
  for (const BlockId& id : wanted) {
    ASL_TRY(stop_.check());
    ASL_ASSIGN(const bool done, heal_meta(id, named[id]));
    if (done) to_read_.insert(id);  // nobody could check its bytes before
  }
  return {};
}

// Out of another store, else out of what the index names, if that is all there is in the block: the id tells.
Result<bool> Repairer::heal_meta(const BlockId& id, const std::map<std::uint32_t, ExtentLocation>& extents) {
  std::string source = "another store";
  std::optional<BlockMeta> meta = sources_->meta_of(id);
  if (!meta) {
    source = "the store itself";
    meta.emplace();
    std::uint64_t end = 0;
    for (const auto& [offset, at] : extents) {
      Digest stored = at.digest;
      if (at.codec != Codec::kNone) {
        Bytes bytes(at.stored_length_bytes);
        if (!read_foreign(io_, domain().blocks().path_of(id), offset, bytes)) return false;
        stored = sha256(bytes);
      }
      meta->extents.push_back({offset, at.stored_length_bytes, stored});
      end = std::uint64_t{offset} + at.stored_length_bytes;
    }
    meta->length_bytes = round_up(end, kPageSize);
  }
  const auto bytes = encode_block_meta(*meta);
  if (!bytes || block_id_of(*bytes) != id) return false;
  if (!options_.dry_run) ASL_TRY(domain().blocks().write_meta(id, *bytes));
  healed(HealedKind::kMetadata, "block " + to_hex(id), source, 0);
  return true;
}

}  // namespace asl
