// The order of a restore: look, write, finish directories from below, sync, read back.
#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <thread>
#include <utility>
#include <vector>

#include <asl/engine/restore.h>

#include "io/tree_fs.h"
#include "restore/read_back.h"
#include "restore/restore_visitors.h"
#include "restore/restore_worker.h"

namespace asl {
namespace {

// Threads wait for the disk now and then; two more than there are processors keep those busy.
constexpr std::uint32_t kSpareThreads = 2;
constexpr std::uint32_t kThreadsMax = 64;
// Batches that wait, for each thread: the scan keeps a little ahead and no further.
constexpr std::size_t kQueuedBatches = 2;

std::uint32_t thread_count(const RestoreOptions& options) {
  const std::uint32_t usual = std::max(1U, std::thread::hardware_concurrency()) + kSpareThreads;
  return std::clamp(options.jobs == 0 ? usual : options.jobs, 1U, kThreadsMax);
}

// Runs `scan` in this thread and a worker in each of the others, until the queue is empty.
template <typename Worker, typename Queue, typename Scan>
void run_threads(RestoreRun& run, std::vector<std::unique_ptr<Worker>>& workers, Queue& queue, Scan scan) {
  std::vector<std::jthread> threads;
  threads.reserve(workers.size());
  for (const auto& worker : workers) {
    threads.emplace_back([&run, &queue, &worker] {
      if (auto worked = worker->work(queue); !worked) run.abort(std::move(worked).error());
      // Nobody would take what is still pushed.
      if (run.must_stop()) queue.close();
    });
  }
  scan();
  queue.close();
}

class Restore {
 public:
  Restore(RestoreRun& run, const Snapshot& snapshot, Entry start, const SnapshotPath& from,
          Selection selection)
      : run_(run),
        snapshot_(snapshot),
        start_(std::move(start)),
        from_(from),
        selection_(std::move(selection)),
        metadata_(run) {}

  Result<void> look();
  Result<void> write();
  Result<void> read_back();

 private:
  std::optional<Entry> root_metadata() const;
  bool set_totals();

  RestoreRun& run_;
  const Snapshot& snapshot_;
  const Entry start_;
  const SnapshotPath& from_;
  const Selection selection_;
  const MetadataSetter metadata_;
};

// What lies beside what is restored, or above a file, has no metadata in the snapshot.
std::optional<Entry> Restore::root_metadata() const {
  const bool is_directory = start_.type == EntryType::kDirectory && !start_.content.is_null();
  if (!is_directory || !selection_.includes_root()) return std::nullopt;
  return start_;
}

Result<void> Restore::look() {
  TargetTree tree(run_, metadata_, TargetTree::Access::kLook);
  ASL_TRY(tree.open_target(run_.options.target));
  EntryPlacer placer(run_, tree, metadata_);
  LookingVisitor visitor(run_, tree, placer);
  const auto root = tree.root(root_metadata());
  SnapshotScan scan(run_, tree, selection_, visitor, {.look_for_extraneous = run_.options.remove_extraneous});
  scan.run(snapshot_, start_, root);
  if (auto failure = run_.failure()) return fail(std::move(*failure));
  return {};
}

// Whether the totals are known: the snapshot counts the whole of itself only.
bool Restore::set_totals() {
  if (!from_.path.empty() || !selection_.is_everything()) return false;
  const SnapshotCounts& counts = snapshot_.counts;
  progress_add(run_.progress.files_total, counts.files + counts.symlinks + counts.others);
  progress_add(run_.progress.bytes_total, counts.bytes);
  run_.progress.totals_final = !run_.options.verify;
  return true;
}

Result<void> Restore::write() {
  TargetTree tree(run_, metadata_, TargetTree::Access::kChange);
  ASL_TRY(tree.open_target(run_.options.target));
  EntryPlacer placer(run_, tree, metadata_);
  HardLinks links(run_, tree, placer);
  const auto root = tree.root(root_metadata());
  const DirectoryHandle target = tree.open(*root);
  const bool name_taken = !start_.content.is_null() && start_.type == EntryType::kDirectory &&
                          find_entry(run_.domain, start_.content, HardLinks::kDirectoryName).has_value();
  links.begin(target, name_taken);

  std::vector<std::unique_ptr<RestoreWorker>> workers;
  for (std::uint32_t i = 0; i < thread_count(run_.options); ++i) {
    ASL_ASSIGN(auto worker, RestoreWorker::create(run_, tree, placer));
    workers.push_back(std::move(worker));
  }
  RestoreQueue queue(kQueuedBatches * workers.size());
  run_.progress.set_phase(ProgressPhase::kRestoring);
  const bool totals_known = set_totals();
  run_threads(run_, workers, queue, [&] {
    RestoringVisitor visitor(run_, tree, placer, links, queue, !totals_known);
    SnapshotScan scan(run_, tree, selection_, visitor, {.look_for_extraneous = true});
    scan.run(snapshot_, start_, root);
    visitor.flush();
    if (!run_.options.verify) run_.progress.totals_final = true;
  });
  workers.clear();
  links.end();
  tree.release(root);
  if (auto failure = run_.failure()) return fail(std::move(*failure));
  run_.progress.set_phase(ProgressPhase::kCommitting);
  return tree.sync();
}

Result<void> Restore::read_back() {
  TargetTree tree(run_, metadata_, TargetTree::Access::kLook);
  ASL_TRY(tree.open_target(run_.options.target));
  std::vector<std::unique_ptr<ReadBackWorker>> workers;
  for (std::uint32_t i = 0; i < thread_count(run_.options); ++i) {
    ASL_ASSIGN(auto worker, ReadBackWorker::create(run_, tree));
    workers.push_back(std::move(worker));
  }
  ReadBackQueue queue(kQueuedBatches * workers.size());
  run_.progress.set_phase(ProgressPhase::kVerifying);
  run_threads(run_, workers, queue, [&] {
    ReadBackVisitor visitor(run_, tree, queue);
    SnapshotScan scan(run_, tree, selection_, visitor, {.report_damage = false});
    scan.run(snapshot_, start_, tree.root(root_metadata()));
    visitor.flush();
    run_.progress.totals_final = true;
  });
  if (auto failure = run_.failure()) return fail(std::move(*failure));
  return {};
}

// One pattern forgotten would remove everything that is not in the snapshot.
Result<void> check_removal(const RestoreOptions& options) {
  if (!options.remove_extraneous || !options.include.empty()) return {};
  const auto target = io::stat_at(AT_FDCWD, (options.target + "/.").c_str());
  const auto root = io::stat_at(AT_FDCWD, "/");
  if (target && root && target->device == root->device && target->inode == root->inode)
    return fail(Error{.code = ErrorCode::kRefused,
                      .message = "removing what is not in the snapshot from / itself needs --include"});
  return {};
}

}  // namespace

Result<RestoreReport> restore(const Domain& domain, const SnapshotPath& from, const RestoreOptions& options,
                              ProgressCounters& progress, const StopToken& stop) {
  const auto begin = std::chrono::steady_clock::now();
  ASL_ASSIGN(Selection selection, Selection::make(options));
  ASL_TRY(check_removal(options));
  ASL_ASSIGN(const Snapshot snapshot, domain.snapshot(from.snapshot_id));
  ASL_ASSIGN(Entry start, find_path(domain, snapshot, from.path));
  OwnerMap owners;
  if (!options.numeric_ids) owners = OwnerMap::by_name(snapshot.users, snapshot.groups);
  const auto target_io = io::make_default_io();
  RestoreRun run(domain, *target_io, options, std::move(owners), progress, stop);
  Restore work(run, snapshot, std::move(start), from, std::move(selection));
  if (options.dry_run) {
    ASL_TRY(work.look());
  } else {
    ASL_TRY(work.write());
    if (options.verify) ASL_TRY(work.read_back());
  }
  RestoreReport report;
  run.report_to(report);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace asl
