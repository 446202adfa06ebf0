#include <algorithm>
#include <utility>

#include <asl/engine/hash.h>

#include "store/writer_session.h"

namespace asl {
namespace {

// Compression in "auto" mode is tried on each extent and kept where it saves this much: less is not worth the
// time that every later read spends on it.
constexpr std::size_t kAutoSavingShare = 8;  // an eighth

ArtifactRecord record_of(const Reference& ref, std::uint64_t length, std::optional<std::uint32_t> tag,
                         bool pinned) {
  return {.ref = ref, .length = length, .flags = pinned ? kRecordPinned : 0, .type_tag = tag};
}

// More than any tree has, and few enough that looking is cheaper than placing them.
constexpr std::uint32_t kExtentsLookedAt = 16;

// No hole and no cut is possible below these: one extent, without asking the cutter.
constexpr std::size_t kSurelySingle = std::min(kCutMin, kHoleMin);

}  // namespace

Lane::Impl::Impl(StoreWriter::Impl& owner, std::unique_ptr<WriteLane> write_lane)
    : session(owner), writes(std::move(write_lane)) {
  if (owner.options.compression.mode != CompressionMode::kOff)
    compressor.emplace(owner.options.compression.level);
  const std::lock_guard lock(owner.lanes_mutex);
  owner.lanes.insert(this);
}

Lane::Impl::~Impl() {
  // What was packed and not committed is dropped with the open blocks, unless the lane ends in the middle of
  // a session.
  const Gate::Closed closed(session.gate);
  if (!session.ended) {
    if (auto sealed = seal_all(); !sealed) session.end_with(sealed.error());
  }
  const std::lock_guard lock(session.lanes_mutex);
  session.lanes.erase(this);
}

Lane::Lane(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Lane::~Lane() = default;

Result<WrittenArtifact> Lane::put(ByteSpan bytes, bool pinned) {
  auto written = [&]() -> Result<WrittenArtifact> {
    const Gate::Pass pass(impl_->session.gate);
    return impl_->put_whole(bytes, std::nullopt, pinned);
  }();
  ASL_TRY(written);
  ASL_TRY(impl_->session.commit_if_due());
  return written;
}

Result<void> Lane::put_many(std::span<const ByteSpan> artifacts, std::span<Result<WrittenArtifact>> written,
                            bool pinned) {
  std::vector<ByteSpan> uncut;
  for (const ByteSpan& bytes : artifacts)
    if (bytes.size() < kSurelySingle) uncut.push_back(bytes);
  std::vector<Digest> digests(uncut.size());
  sha256_many(uncut, digests);
  std::size_t next_uncut = 0;
  for (std::size_t k = 0; k < artifacts.size(); ++k) {
    {
      const Gate::Pass pass(impl_->session.gate);
      ASL_TRY(impl_->session.check_alive());
      if (artifacts[k].size() < kSurelySingle)
        written[k] =
            impl_->put_single(artifacts[k], untyped_reference(digests[next_uncut++]), std::nullopt, pinned);
      else
        written[k] = impl_->put_whole(artifacts[k], std::nullopt, pinned);
    }
    if (!written[k] && written[k].error().code != ErrorCode::kRefused) return fail(written[k].error());
    ASL_TRY(impl_->session.commit_if_due());
  }
  return {};
}

Result<void> Lane::Impl::start(OpenBlock& open) {
  ASL_ASSIGN(open.writer, BlockWriter::create(session.blocks, *writes,
                                              {.capacity_bytes = session.options.block_capacity,
                                               .needed_bytes = kExtentLengthMax}));
  open.number = session.block_table.reserve();
  return {};
}

Result<void> Lane::Impl::seal(OpenBlock& open) {
  if (open.writer == nullptr) return {};
  const std::unique_ptr<BlockWriter> writer = std::move(open.writer);
  if (writer->extent_count() == 0) return {};
  ASL_ASSIGN(SealedBlock block, writer->seal());
  session.block_table.resolve(open.number, block.id);
  const std::lock_guard lock(session.batch_mutex);
  session.sealed.push_back({std::move(block), open.number});
  return {};
}

Result<void> Lane::Impl::seal_all() {
  ASL_TRY(seal(small));
  ASL_TRY(seal(large));
  return seal(trees);
}

Result<ExtentRecord> Lane::Impl::pack(ByteSpan raw, const Digest& digest, bool as_tree) {
  ExtentRecord extent;
  extent.raw_length = raw.size();
  extent.digest = digest;
  ByteSpan stored = raw;
  Digest stored_digest = digest;
  if (compressor) {
    ASL_ASSIGN(const ByteSpan compressed, compressor->compress(raw));
    const bool much = compressed.size() + raw.size() / kAutoSavingShare <= raw.size();
    if (!compressed.empty() && (much || session.options.compression.mode == CompressionMode::kZstd)) {
      stored = compressed;
      stored_digest = sha256(stored);
      extent.codec = Codec::kZstd;
    }
  }
  extent.stored_length = static_cast<std::uint32_t>(stored.size());
  session.bytes_new += raw.size();
  session.bytes_stored += stored.size();
  session.extents_new += 1;
  session.batch_bytes += stored.size();
  if (session.options.progress != nullptr) progress_add(session.options.progress->bytes_new, raw.size());
  OpenBlock& open = as_tree ? trees : (stored.size() < kSmallExtentMax ? small : large);
  if (session.options.dry_run) {
    extent.block_index = 0;
    return extent;
  }
  if (open.writer != nullptr && !open.writer->fits(stored.size())) ASL_TRY(seal(open));
  if (open.writer == nullptr) ASL_TRY(start(open));
  ASL_ASSIGN(extent.block_offset, open.writer->append(stored, stored_digest));
  extent.block_index = open.number;
  return extent;
}

Result<PlacedExtent> Lane::Impl::place(ByteSpan raw, const Digest& digest, bool as_tree) {
  SessionIndex::Shard& shard = session.session.shard(digest);
  {
    const std::lock_guard lock(shard.mutex);
    const SessionIndex::Entry* known = session.session.find(shard, digest);
    if (known != nullptr && known->has_extent) return PlacedExtent{known->extent, false};
  }
  ASL_ASSIGN(const std::optional<ExtentRecord> committed, session.find_committed(digest));
  if (committed) return PlacedExtent{*committed, false};
  const std::lock_guard lock(shard.mutex);
  const SessionIndex::Entry* known = session.session.find(shard, digest);
  if (known != nullptr && known->has_extent) return PlacedExtent{known->extent, false};
  ASL_ASSIGN(const ExtentRecord extent, pack(raw, digest, as_tree));
  SessionIndex::Entry& entry = session.session.touch(shard, digest);
  entry.extent = extent;
  entry.has_extent = true;
  if (session.damage->contains(digest)) {
    session.extents_healed += 1;
    const std::lock_guard batch_lock(session.batch_mutex);
    session.healed.push_back(digest);
  }
  return PlacedExtent{extent, true};
}

Result<WrittenArtifact> Lane::Impl::put_uncut(ByteSpan bytes, std::optional<std::uint32_t> type_tag,
                                              bool pinned) {
  const Reference ref = type_tag ? typed_reference(*type_tag, bytes) : untyped_reference(sha256(bytes));
  return put_single(bytes, ref, type_tag, pinned);
}

Result<WrittenArtifact> Lane::Impl::put_single(ByteSpan bytes, const Reference& ref,
                                               std::optional<std::uint32_t> type_tag, bool pinned) {
  WrittenArtifact written;
  written.reference = ref;
  written.length = bytes.size();
  if (pinned) {
    ASL_TRY(session.check_allowed(ref));
  } else {
    ASL_ASSIGN(const bool known, session.is_intact(written.reference, kExtentsLookedAt));
    if (known) return written;
  }
  const Digest digest = type_tag ? sha256(bytes) : written.reference.digest;
  if (bytes.empty()) {
    ASL_TRY(session.record(record_of(written.reference, 0, type_tag, pinned), std::span<const ExtentRecord>(),
                           false));
    return written;
  }
  ASL_ASSIGN(const PlacedExtent placed, place(bytes, digest, type_tag.has_value()));
  if (placed.is_new) written.bytes_new = bytes.size();
  ASL_TRY(session.record(record_of(written.reference, bytes.size(), type_tag, pinned),
                         std::span(&placed.extent, 1), placed.is_new));
  return written;
}

Result<WrittenArtifact> Lane::Impl::put_whole(ByteSpan bytes, std::optional<std::uint32_t> type_tag,
                                              bool pinned) {
  ASL_TRY(session.check_alive());
  if (bytes.size() < kSurelySingle) return put_uncut(bytes, type_tag, pinned);
  Cutter cutter;
  auto cut = cutter.next(bytes, true);
  if (cut && !cut->hole && cut->length_bytes == bytes.size()) return put_uncut(bytes, type_tag, pinned);

  WrittenArtifact written;
  written.length = bytes.size();
  std::vector<ExtentRecord> extents;
  Sha256 whole;
  if (type_tag) whole.update(typed_prefix(*type_tag, bytes.size()));
  std::uint64_t at = 0;
  bool stored_anew = false;
  for (; cut; cut = cutter.next(bytes.subspan(at), true)) {
    const ByteSpan piece = bytes.subspan(at, cut->length_bytes);
    if (cut->hole) {
      whole.update(piece);
      written.hole_bytes += piece.size();
      if (!extents.empty() && extents.back().is_hole())
        extents.back().raw_length += piece.size();
      else
        extents.push_back(hole_record(at, piece.size()));
    } else {
      Sha256 own;
      Sha256::update_pair(whole, piece, own, piece);
      ASL_ASSIGN(PlacedExtent placed, place(piece, own.finish(), type_tag.has_value()));
      placed.extent.artifact_offset = at;
      extents.push_back(placed.extent);
      stored_anew = stored_anew || placed.is_new;
      if (placed.is_new) written.bytes_new += piece.size();
    }
    at += cut->length_bytes;
  }
  const Digest digest = whole.finish();
  written.reference = type_tag ? Reference{kHashIdAsl1, digest} : untyped_reference(digest);
  ASL_TRY(session.record(record_of(written.reference, bytes.size(), type_tag, pinned), extents, stored_anew));
  return written;
}

}  // namespace asl
