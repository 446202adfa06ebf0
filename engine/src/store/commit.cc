// The commit: the one way in which anything becomes visible (doc/commit.md). Ingest, put, gc, merge and
// everything that is signed come through here.
#include <algorithm>
#include <iterator>
#include <utility>

#include "index/bloom.h"
#include "store/domain_impl.h"
#include "store/writer_session.h"

namespace asl {

bool StoreWriter::Impl::commit_due() const {
  if (options.dry_run) return false;
  if (batch_bytes.load(std::memory_order_relaxed) >= options.commit_bytes) return true;
  const std::uint64_t artifacts = batch_artifacts.load(std::memory_order_relaxed);
  if (artifacts >= options.commit_artifacts) return true;
  // A million empty files are one artifact and a million rows.
  if (batch_rows.load(std::memory_order_relaxed) >= options.commit_artifacts) return true;
  return artifacts > 0 && std::chrono::steady_clock::now() - batch_start >= options.commit_interval;
}

Result<void> StoreWriter::Impl::commit_if_due() {
  if (!commit_due()) return {};
  const Gate::Closed closed(gate);
  if (!commit_due()) return {};  // another lane was faster
  return commit_batch({});
}

Result<void> StoreWriter::Impl::commit(std::span<const NewRecord> log_records) {
  const Gate::Closed closed(gate);
  return commit_batch(log_records);
}

Result<void> StoreWriter::Impl::check_alive() const {
  if (!ended) return {};
  const std::lock_guard guard(failure_mutex);
  if (failure) return fail(*failure);
  return fail(ErrorCode::kIo, "the writing session has ended with an earlier failure");
}

void StoreWriter::Impl::end_with(const Error& error) {
  const std::lock_guard guard(failure_mutex);
  if (!failure) failure = error;
  ended = true;
}

Result<void> StoreWriter::Impl::seal_lanes() {
  const std::lock_guard guard(lanes_mutex);
  for (Lane::Impl* lane : lanes) {
    ASL_TRY(lane->seal_all());
    if (lane->stream != nullptr) ASL_TRY(lane->stream->record_finished_extents());
  }
  return {};
}

// Steps 2 to 4 for blocks: metadata synced, both renamed, directories synced.
Result<void> StoreWriter::Impl::install_blocks() {
  std::vector<BlockId> ids;
  for (SealedInSession& entry : sealed) {
    ASL_TRY(blocks.stage_meta(entry.block));
    ids.push_back(entry.block.id);
  }
  for (const SealedInSession& entry : sealed) ASL_TRY(blocks.install(entry.block));
  if (!ids.empty()) ASL_TRY(blocks.sync_directories(ids));
  return {};
}

Result<void> StoreWriter::Impl::commit_batch(std::span<const NewRecord> log_records) {
  ASL_TRY(check_alive());
  if (options.dry_run) return {};
  auto done = write_batch(log_records);
  if (!done) end_with(done.error());
  return done;
}

Result<void> StoreWriter::Impl::write_batch(std::span<const NewRecord> log_records) {
  // The cache must not fall two commits behind the log. What becomes of it is no matter for the commit.
  if (derived.valid()) static_cast<void>(derived.get());
  ended = true;  // until everything below has succeeded
  if (options.progress != nullptr) options.progress->set_phase(ProgressPhase::kCommitting);
  ASL_TRY(seal_lanes());
  std::vector<NewRecord> group;
  std::vector<SegmentNumber> sealed_now;
  if (records.record_count() > 0) {
    const SegmentNumber segment = next_segment++;
    sealed_now.push_back(segment);
    ASL_TRY(install_blocks());
    ASL_ASSIGN(const WrittenSegment written,
               records.write(io, segments.segment_tmp_path(segment), {.domain_id = domain.id()}));
    ASL_TRY(segments.publish_segment(segment));
    ASL_TRY(segments.sync_directory());
    group.push_back(new_record(SegmentSealRecord{.segment_id = segment, .file_hash = written.hash}));
  }
  group.insert(group.end(), log_records.begin(), log_records.end());
  if (!group.empty()) {
    ASL_TRY(domain.state()->check(group));
    ASL_TRY(log->append(group));
    // From here on the batch is durable and visible.
    commits += 1;
    ASL_TRY(domain.refresh());
  }
  session.start_generation();
  for (const Digest& digest : healed) damage->heal(digest);
  healed.clear();
  sealed.clear();
  committed_rows = std::exchange(rows, RowBatch());
  batch_rows = 0;
  batch_bytes = 0;
  batch_artifacts = 0;
  batch_start = std::chrono::steady_clock::now();
  ended = false;
  start_derived(std::move(sealed_now));
  if (options.progress != nullptr) options.progress->set_phase(ProgressPhase::kIngesting);
  return {};
}

// The derived things, beside the next batch. They are awaited before the next commit starts.
void StoreWriter::Impl::start_derived(std::vector<SegmentNumber> sealed_now) {
  derived = std::async(std::launch::async,
                       [this, numbers = std::move(sealed_now)] { return update_cache(numbers); });
}

Result<void> StoreWriter::Impl::update_cache(const std::vector<SegmentNumber>& sealed_now) {
  const std::shared_ptr<const View> view = domain.view();
  RowBatch batch;
  {
    const std::lock_guard guard(batch_mutex);
    std::swap(batch, committed_rows);
  }
  std::vector<Index::Segment> fresh;
  for (const Index::Segment& live : view->index->segments()) {
    if (std::ranges::find(sealed_now, live.live.number) != sealed_now.end()) fresh.push_back(live);
  }
  for (const Index::Segment& segment : fresh) {
    if (segment.reader != nullptr)
      static_cast<void>(write_bloom(segments, segment.reader, segment.live.hash));
  }
  if (cache != nullptr) {
    ASL_TRY(cache->apply(fresh, {view->state->last_logseq(), view->state->record_hash()}, std::move(batch)));
    // Until now look-ups searched the new segment itself: a page or two for every digest that is not known.
    if (!fresh.empty()) ASL_TRY(domain.impl().show_again());
  }
  session.drop_older_generation();
  return damage->save(io, layout.damaged_file());
}

}  // namespace asl
