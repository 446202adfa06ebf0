#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <thread>
#include <utility>

#include <asl/engine/copy.h>
#include <asl/engine/source_errors.h>

#include "store/pins.h"
#include "store/snapshot_anchor.h"
#include "store/view.h"
#include "transfer/artifact_copier.h"
#include "transfer/tree_copier.h"

namespace asl {
namespace {

constexpr unsigned kJobsMax = 64;

bool is_authority(std::uint32_t tag) {
  return tag >= kTagAuthorityFirst && tag <= kTagAuthorityLast;
}

// What a snapshot is the same as, wherever it was copied to.
using Identity = std::pair<DomainId, Reference>;

Identity identity_of(const Snapshot& snapshot, const Reference& reference) {
  if (snapshot.origin) return {snapshot.origin->domain_id, snapshot.origin->ref};
  return {snapshot.domain_id, reference};
}

bool is_incomplete(const Snapshot& snapshot) {
  return std::find(snapshot.tags.begin(), snapshot.tags.end(), kIncompleteCopyTag) != snapshot.tags.end();
}

// One copy, on the thread that called.
class SnapshotCopier {
 public:
  SnapshotCopier(CopyRun& run, Domain& target, const CopyOptions& options, CopyReport& report)
      : run_(run), source_(run.source), target_(target), options_(options), report_(report) {}

  Result<void> copy_all();

 private:
  Result<void> find_present();
  Result<void> copy_one(std::uint64_t id);
  Result<void> copy_contents(const std::string& place, const Snapshot& snapshot);
  Result<void> anchor(const Snapshot& snapshot, const Reference& reference, bool complete);
  Result<void> copy_roots();
  Result<void> copy_root(const Reference& ref, std::uint32_t flags, std::optional<std::uint32_t> tag);
  std::optional<Snapshot> base_for(const Snapshot& snapshot) const;
  std::string label_for(const SnapshotState& state, const Snapshot& snapshot);
  std::vector<NewRecord> tombstone_records();

  CopyRun& run_;
  const Domain& source_;
  Domain& target_;
  const CopyOptions& options_;
  CopyReport& report_;
  std::unique_ptr<CopyWorkers> workers_;
  std::optional<TreeCopier> trees_;
  std::multimap<Identity, std::uint64_t> present_;     // ids in the target
  std::multimap<Identity, std::uint64_t> incomplete_;  // likewise, of copies that lack something
  std::map<std::uint64_t, std::uint64_t> target_ids_;  // of snapshots of the source, whole in the target
};

// Snapshots of the target by what they are copies of. One that cannot be read is as good as not there.
Result<void> SnapshotCopier::find_present() {
  for (const auto& [id, state] : target_.state()->snapshots()) {
    ASL_TRY(run_.stop.check());
    if (state.forgotten) continue;
    const auto snapshot = target_.snapshot(id);
    if (!snapshot) continue;
    (is_incomplete(*snapshot) ? incomplete_ : present_).emplace(identity_of(*snapshot, state.reference), id);
  }
  return {};
}

Result<void> SnapshotCopier::copy_all() {
  ASL_TRY(find_present());
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  ASL_ASSIGN(workers_,
             CopyWorkers::start(run_, std::clamp(options_.jobs == 0 ? cores : options_.jobs, 1U, kJobsMax)));
  trees_.emplace(run_, *workers_);
  std::vector<std::uint64_t> ids = options_.snapshot_ids;
  if (ids.empty()) {
    for (const auto& [id, state] : source_.state()->snapshots())
      if (!state.forgotten) ids.push_back(id);
  }
  // Parents before children, each once.
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  for (const std::uint64_t id : ids) {
    ASL_TRY(run_.stop.check());
    ASL_TRY(copy_one(id));
  }
  if (options_.snapshot_ids.empty()) ASL_TRY(copy_roots());
  workers_.reset();
  return {};
}

Result<void> SnapshotCopier::copy_one(std::uint64_t id) {
  const SnapshotState* const state = source_.state()->find_snapshot(id);
  if (state == nullptr || state->forgotten)
    return fail(
        Error{.code = ErrorCode::kNotFound, .message = "no such snapshot", .object = std::to_string(id)});
  const std::string place = std::to_string(id) + ":/";
  const auto snapshot = source_.snapshot(id);
  if (!snapshot) {
    if (!run_.note(std::to_string(id), state->reference, snapshot.error())) return fail(snapshot.error());
    report_.left_out.push_back(id);
    return {};
  }
  const auto [first, last] = present_.equal_range(identity_of(*snapshot, state->reference));
  for (auto at = first; at != last; ++at) {
    const auto there = target_.snapshot(at->second);
    if (!there || there->roots != snapshot->roots) continue;
    target_ids_[id] = at->second;
    ++report_.snapshots_present;
    return {};
  }
  const std::uint64_t problems = run_.problem_count();
  ASL_TRY(copy_contents(place, *snapshot));
  const bool complete = run_.problem_count() == problems;
  // Another copy that lacks something would be of no use.
  const bool tried = incomplete_.contains(identity_of(*snapshot, state->reference));
  if (!complete && (!options_.salvage || tried)) {
    report_.left_out.push_back(id);
    return {};
  }
  return anchor(*snapshot, state->reference, complete);
}

// The nearest ancestor that is whole in the target: what it shares with the snapshot need not be looked at.
std::optional<Snapshot> SnapshotCopier::base_for(const Snapshot& snapshot) const {
  std::uint64_t id = snapshot.parent_id;
  while (id != 0) {
    auto parent = source_.snapshot(id);
    if (!parent) return std::nullopt;
    if (target_ids_.contains(id)) return std::move(*parent);
    id = parent->parent_id;
  }
  return std::nullopt;
}

Result<void> SnapshotCopier::copy_contents(const std::string& place, const Snapshot& snapshot) {
  const std::optional<Snapshot> base = base_for(snapshot);
  trees_->set_totals_known(!base);
  if (!base) {
    progress_add(run_.progress.bytes_total, snapshot.counts.bytes);
    progress_add(run_.progress.files_total, snapshot.counts.files);
  }
  for (const SnapshotRoot& root : snapshot.roots) {
    const Entry* base_entry = nullptr;
    for (std::size_t k = 0; base && k < base->roots.size(); ++k) {
      if (base->roots[k].source_path == root.source_path) base_entry = &base->roots[k].entry;
    }
    const bool alone = snapshot.roots.size() == 1 && root.entry.type == EntryType::kDirectory;
    ASL_TRY(trees_->copy_entry(alone ? place : place + root.entry.name, root.entry, base_entry));
  }
  if (!snapshot.errors.is_null()) ASL_TRY(workers_->add({.ref = snapshot.errors, .place = place}));
  if (!snapshot.claim.is_null()) ASL_TRY(workers_->add({.ref = snapshot.claim, .place = place}));
  return workers_->finish();
}

// The label that the snapshot has now, unless another snapshot of the target's own has it.
std::string SnapshotCopier::label_for(const SnapshotState& state, const Snapshot& snapshot) {
  const std::string label = state.label_logseq != 0 ? state.label : snapshot.label;
  const SnapshotState* const holder = label.empty() ? nullptr : target_.state()->find_label(label);
  if (holder == nullptr) return label;
  const auto labelled = target_.snapshot(holder->id);
  const DomainId from = snapshot.origin ? snapshot.origin->domain_id : source_.id();
  const bool of_the_same = labelled && labelled->origin && labelled->origin->domain_id == from;
  if (of_the_same) return label;
  report_.notices.push_back("the label '" + label + "' stays with snapshot " + std::to_string(holder->id) +
                            ", which is no copy; the copy of snapshot " + std::to_string(state.id) +
                            " has none");
  return {};
}

// What was withdrawn there stays withdrawn here.
std::vector<NewRecord> SnapshotCopier::tombstone_records() {
  std::vector<NewRecord> records;
  for (const Reference& ref : run_.take_tombstones()) {
    const TombstoneState* const stone = source_.state()->tombstone(ref);
    if (stone == nullptr || target_.state()->tombstone(ref) != nullptr) continue;
    records.push_back(new_record(
        TombstoneRecord{.reference = ref, .scope = TombstoneScope::kThis, .reason = stone->reason}));
  }
  report_.tombstones += records.size();
  return records;
}

Result<void> SnapshotCopier::anchor(const Snapshot& snapshot, const Reference& reference, bool complete) {
  const SnapshotState state = *source_.state()->find_snapshot(snapshot.snapshot_id);
  Snapshot copy = snapshot;
  const auto [domain_id, origin_ref] = identity_of(snapshot, reference);
  copy.origin = SnapshotOrigin{.domain_id = domain_id, .ref = origin_ref};
  copy.domain_id = target_.id();
  copy.snapshot_id = target_.state()->next_snapshot_id();
  const auto parent = target_ids_.find(snapshot.parent_id);
  copy.parent_id = parent == target_ids_.end() ? 0 : parent->second;
  copy.label = label_for(state, snapshot);
  if (complete) {
    std::erase(copy.tags, kIncompleteCopyTag);
  } else {
    copy.tags.emplace_back(kIncompleteCopyTag);
    copy.tags = sorted_tags(std::move(copy.tags));
  }
  std::vector<NewRecord> more = tombstone_records();
  if (state.held)
    more.push_back(new_record(
        SnapshotHoldRecord{.snapshot_id = copy.snapshot_id, .on = true, .reason = state.hold_reason}));
  ASL_TRY(anchor_snapshot(run_.writer, target_, copy, more, report_.notices));
  report_.copied.push_back({snapshot.snapshot_id, copy.snapshot_id, complete});
  if (complete) target_ids_[snapshot.snapshot_id] = copy.snapshot_id;
  return {};
}

// What gc keeps without any snapshot: pins and authority objects, found by one pass over the source's
// segments.
Result<void> SnapshotCopier::copy_roots() {
  const std::shared_ptr<const View> view = source_.view();
  for (const Index::Segment& segment : view->index->segments()) {
    if (segment.reader == nullptr) {
      if (segment.error && !run_.note("", {}, *segment.error)) return fail(*segment.error);
      continue;
    }
    SegmentCursor cursor(segment.reader);
    RecordHandle handle;
    while (true) {
      ASL_TRY(run_.stop.check());
      const auto more = cursor.next(handle);
      if (!more && !run_.note("", {}, more.error())) return fail(more.error());
      if (!more || !*more) break;
      ASL_TRY(copy_root(handle.record.ref, handle.record.flags, handle.record.type_tag));
    }
  }
  ASL_TRY(workers_->finish());
  return run_.writer.commit(tombstone_records());
}

Result<void> SnapshotCopier::copy_root(const Reference& ref, std::uint32_t flags,
                                       std::optional<std::uint32_t> tag) {
  if (tag && is_authority(*tag)) ASL_TRY(workers_->add({.ref = ref}));
  if ((flags & kRecordPinned) == 0) return {};
  const auto pinned = is_pinned(source_, ref);
  if (!pinned || !*pinned) return {};
  const auto there = is_pinned(target_, ref);
  if (there && *there) return {};
  if (tag == kTagTree) ASL_TRY(trees_->copy_tree("", ref, {}));
  if (tag == kTagPartial) ASL_TRY(trees_->copy_partial("", ref));
  ++report_.pins;
  return workers_->add({.ref = ref, .pinned = true});
}

Result<void> check_pair(const Domain& source, const Domain& target) {
  if (source.id() != target.id()) return {};
  std::error_code failed;
  const bool same = std::filesystem::equivalent(source.directory(), target.directory(), failed);
  if (same) return fail(ErrorCode::kUsage, "a domain cannot be copied into itself");
  return fail(Error{.code = ErrorCode::kRefused,
                    .message = "both are the same domain: one is a copy of the other's directory",
                    .object = to_hex(source.id()),
                    .hint = "copy into a domain of its own, made by 'asl init'"});
}

Result<void> copy_into(const Domain& source, Domain& target, StoreWriter& writer, const CopyOptions& options,
                       ProgressCounters& progress, const StopToken& stop, CopyReport& report) {
  CopyRun run(source, writer, progress, stop);
  auto done = SnapshotCopier(run, target, options, report).copy_all();
  run.report_to(report);
  return done;
}

}  // namespace

Result<CopyReport> copy_snapshots(const Domain& source, Domain& target, const CopyOptions& options,
                                  ProgressCounters& progress, const StopToken& stop) {
  const auto start = std::chrono::steady_clock::now();
  ASL_TRY(check_pair(source, target));
  CopyReport report;
  ASL_ASSIGN(const std::unique_ptr<StoreWriter> writer,
             StoreWriter::open(target, {.compression = options.compression,
                                        .commit_bytes = options.commit_bytes,
                                        .commit_artifacts = options.commit_artifacts,
                                        .progress = &progress}));
  report.notices = writer->notices();
  progress.set_phase(ProgressPhase::kCopying);
  auto done = copy_into(source, target, *writer, options, progress, stop, report);
  if (!done) {
    // What was copied is kept: the next run goes on from there.
    if (done.error().code == ErrorCode::kInterrupted) static_cast<void>(writer->commit());
    return fail(std::move(done).error());
  }
  report.written = writer->totals();
  if (auto merged = writer->merge_segments(); !merged)
    report.notices.push_back("small index segments could not be joined: " + merged.error().to_string());
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace asl
