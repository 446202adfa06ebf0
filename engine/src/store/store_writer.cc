#include <algorithm>
#include <limits>
#include <utility>

#include <asl/engine/store_writer.h>

#include "store/domain_impl.h"
#include "store/pins.h"
#include "store/session_opening.h"
#include "store/writer_session.h"

namespace asl {

StoreWriter::Impl::Impl(Domain& target, const WriterOptions& writer_options)
    : domain(target),
      options(writer_options),
      io(target.io()),
      layout(target.directory()),
      blocks(target.blocks()),
      segments(target.io(), target.directory() + "/store"),
      presence(target.blocks()),
      extent_budget(target.io(), DomainLayout(target.directory()).tmp()),
      records(block_table) {}

StoreWriter::StoreWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

StoreWriter::~StoreWriter() {
  const bool clean = !impl_->ended;
  impl_->ended = true;  // lanes that end now drop what they hold
  if (impl_->derived.valid()) static_cast<void>(impl_->derived.get());
  impl_->own_lane.reset();
  // Blocks that were sealed for a commit that never came.
  for (const SealedInSession& entry : impl_->sealed) impl_->blocks.discard(entry.block);
  if (impl_->lock == nullptr) return;
  close_session(impl_->domain, *impl_, clean);
}

Result<std::unique_ptr<StoreWriter>> StoreWriter::open(Domain& domain, const WriterOptions& options) {
  auto impl = std::make_unique<Impl>(domain, options);
  ASL_TRY(open_session(domain, *impl));
  std::unique_ptr<StoreWriter> writer(new StoreWriter(std::move(impl)));
  ASL_ASSIGN(writer->impl_->own_lane, writer->make_lane());
  return writer;
}

Result<std::unique_ptr<Lane>> StoreWriter::make_lane() {
  // A buffer for each block being filled, and the writes in flight.
  constexpr std::size_t kOpenBlocksPerLane = 3;
  ASL_ASSIGN(auto writes, WriteLane::create(impl_->io, impl_->options.queue_depth + kOpenBlocksPerLane));
  return std::unique_ptr<Lane>(new Lane(std::make_unique<Lane::Impl>(*impl_, std::move(writes))));
}

Result<Reference> StoreWriter::put_typed(std::uint32_t type_tag, ByteSpan bytes, bool pinned) {
  Result<WrittenArtifact> written;
  {
    const Gate::Pass pass(impl_->gate);
    const std::lock_guard guard(impl_->own_lane_mutex);
    written = impl_->own_lane->impl_->put_whole(bytes, type_tag, pinned);
  }
  ASL_TRY(written);
  ASL_TRY(impl_->commit_if_due());
  return written->reference;
}

Result<Reference> StoreWriter::put_untyped(ByteSpan bytes) {
  Result<WrittenArtifact> written;
  {
    const Gate::Pass pass(impl_->gate);
    const std::lock_guard guard(impl_->own_lane_mutex);
    written = impl_->own_lane->impl_->put_whole(bytes, std::nullopt, false);
  }
  ASL_TRY(written);
  ASL_TRY(impl_->commit_if_due());
  return written->reference;
}

Result<bool> StoreWriter::holds(const Reference& ref) const {
  const Gate::Pass pass(impl_->gate);
  return impl_->is_intact(ref, std::numeric_limits<std::uint32_t>::max());
}

Result<void> StoreWriter::commit(std::span<const NewRecord> records) {
  return impl_->commit(records);
}

Result<void> StoreWriter::merge_segments() {
  return impl_->merge_segments_if_due();
}

Result<std::optional<ExtentRecord>> StoreWriter::Impl::find_committed(const Digest& digest) {
  if (damage->contains(digest)) return std::nullopt;
  ASL_ASSIGN(const std::optional<FoundExtent> found,
             or_unknown(domain.view()->index->find_extent(digest, ExtentSearch::kIndexed)));
  if (!found || !presence.holds(found->location)) return std::nullopt;
  return ExtentRecord{.artifact_offset = 0,
                      .raw_length = found->location.raw_length_bytes,
                      .block_index = block_table.number_of(found->location.block),
                      .block_offset = found->location.offset_bytes,
                      .stored_length = found->location.stored_length_bytes,
                      .codec = found->location.codec,
                      .digest = digest};
}

Result<bool> StoreWriter::Impl::pass_over_damaged(const Error& error) {
  if (error.code != ErrorCode::kIntegrity && error.code != ErrorCode::kIo) return false;
  const std::shared_ptr<const View> view = domain.view();
  const auto number = view->index->segment_of(error);
  if (!number) return false;
  if (view->index->segment(*number) == nullptr) return true;
  damage->add(*number);
  ASL_TRY(domain.impl().distrust({*number}));
  return true;
}

Result<bool> StoreWriter::Impl::is_recorded(const Reference& ref) {
  ASL_ASSIGN(const auto found, or_unknown(domain.view()->index->find(ref)));
  return found.has_value();
}

bool StoreWriter::Impl::is_there(const ExtentLocation& extent) {
  return !damage->contains(extent.digest) && presence.holds(extent);
}

Result<bool> StoreWriter::Impl::is_intact(const Reference& ref, std::uint32_t extents_max) {
  {
    SessionIndex::Shard& shard = session.shard(ref.digest);
    const std::lock_guard guard(shard.mutex);
    const SessionIndex::Entry* known = session.find(shard, ref.digest);
    if (known != nullptr && (ref.is_typed() ? known->has_typed : known->has_untyped)) return true;
  }
  ASL_ASSIGN(const auto found, or_unknown(domain.view()->index->find(ref)));
  if (!found || found->extent_count() > extents_max) return false;
  for (std::uint32_t k = 0; k < found->extent_count(); ++k) {
    const auto extent = found->extent(k);
    if (!extent) {
      ASL_ASSIGN(const bool damaged, pass_over_damaged(extent.error()));
      if (damaged) return false;
      return fail(extent.error());
    }
    if (!extent->hole && !is_there(extent->location)) return false;
  }
  return true;
}

Result<void> StoreWriter::Impl::check_allowed(const Reference& ref) const {
  const TombstoneState* tombstone = domain.view()->state->tombstone(ref);
  if (tombstone == nullptr) return {};
  return fail(Error{
      .code = ErrorCode::kRefused,
      .message = "withdrawn by a tombstone (" + std::string(tombstone_reason_name(tombstone->reason)) + ")",
      .object = to_text(ref)});
}

// True if the record is to be written; from then on the session counts it as written.
Result<bool> StoreWriter::Impl::claim_record(const ArtifactRecord& artifact, bool stored_anew) {
  const bool pinned = (artifact.flags & kRecordPinned) != 0;
  const bool typed = artifact.ref.is_typed();
  SessionIndex::Shard& shard = session.shard(artifact.ref.digest);
  {
    const std::lock_guard guard(shard.mutex);
    const SessionIndex::Entry* known = session.find(shard, artifact.ref.digest);
    if (known != nullptr && (typed ? known->has_typed : known->has_untyped) && !pinned) return false;
  }
  if (pinned) ASL_TRY(check_allowed(artifact.ref));
  if (!stored_anew) {
    ASL_ASSIGN(const bool recorded, is_recorded(artifact.ref));
    if (recorded && !pinned) return false;
    if (recorded) {
      ASL_ASSIGN(const bool pinned_already, is_pinned(domain, artifact.ref));
      if (pinned_already) return false;
    }
  }
  const std::lock_guard guard(shard.mutex);
  SessionIndex::Entry& entry = session.touch(shard, artifact.ref.digest);
  bool& mine = typed ? entry.has_typed : entry.has_untyped;
  if (mine && !pinned) return false;
  mine = true;
  artifacts_new += 1;
  batch_artifacts += 1;
  return true;
}

// What heals a pinned artifact pins it too: gc could not let go of the damaged copy otherwise.
ArtifactRecord StoreWriter::Impl::keeping_pin(const ArtifactRecord& artifact, bool stored_anew) {
  ArtifactRecord written = artifact;
  if (!stored_anew || (damage->empty() && !presence.found_missing())) return written;
  const auto pinned = is_pinned(domain, artifact.ref);
  if (pinned && *pinned) written.flags |= kRecordPinned;
  return written;
}

Result<void> StoreWriter::Impl::record(const ArtifactRecord& artifact, std::span<const ExtentRecord> extents,
                                       bool stored_anew) {
  ASL_ASSIGN(const bool claimed, claim_record(artifact, stored_anew));
  if (!claimed) return {};
  const ArtifactRecord written = keeping_pin(artifact, stored_anew);
  const std::lock_guard guard(batch_mutex);
  records.add(written, extents);
  return {};
}

Result<void> StoreWriter::Impl::record(const ArtifactRecord& artifact, std::unique_ptr<ExtentList> extents,
                                       bool stored_anew) {
  ASL_ASSIGN(const bool claimed, claim_record(artifact, stored_anew));
  if (!claimed) return {};
  const ArtifactRecord written = keeping_pin(artifact, stored_anew);
  const std::lock_guard guard(batch_mutex);
  records.add(written, std::move(extents));
  return {};
}

void StoreWriter::put_cache_row(ByteSpan key, ByteSpan value) {
  const std::lock_guard guard(impl_->batch_mutex);
  impl_->rows.put(as_text(key), as_text(value));
  impl_->batch_rows += 1;
}

void StoreWriter::remove_cache_row(ByteSpan key) {
  const std::lock_guard guard(impl_->batch_mutex);
  impl_->rows.remove(as_text(key));
  impl_->batch_rows += 1;
}

Result<void> StoreWriter::for_each_cache_row(
    ByteSpan prefix, ByteSpan from, const std::function<bool(ByteSpan key, ByteSpan value)>& each) const {
  if (impl_->cache == nullptr) return {};
  return impl_->cache->for_each_row(
      as_text(prefix), as_text(from),
      [&](std::string_view key, std::string_view value) { return each(as_bytes(key), as_bytes(value)); });
}

std::uint64_t StoreWriter::cache_epoch() const {
  return impl_->cache == nullptr ? 0 : impl_->cache->epoch();
}

bool StoreWriter::knows_damage() const {
  return !impl_->damage->empty();
}

Result<bool> StoreWriter::still_holds(const Reference& ref) {
  ASL_ASSIGN(const auto found, impl_->or_unknown(impl_->domain.view()->index->find(ref)));
  if (!found) return false;
  for (std::uint32_t k = 0; k < found->extent_count(); ++k) {
    const auto extent = found->extent(k);
    if (!extent) {
      ASL_ASSIGN(const bool damaged, impl_->pass_over_damaged(extent.error()));
      if (damaged) return false;
      return fail(extent.error());
    }
    if (!extent->hole && !impl_->is_there(extent->location)) return false;
  }
  return true;
}

const Domain& StoreWriter::domain() const {
  return impl_->domain;
}

WriterTotals StoreWriter::totals() const {
  return {.bytes_new = impl_->bytes_new,
          .bytes_stored = impl_->bytes_stored,
          .artifacts_new = impl_->artifacts_new,
          .extents_new = impl_->extents_new,
          .extents_healed = impl_->extents_healed,
          .commits = impl_->commits};
}

const std::vector<std::string>& StoreWriter::notices() const {
  return impl_->notices;
}

}  // namespace asl
