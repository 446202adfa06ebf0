// What the threads of one restore share: options, counters, problems, and the failure that ends it.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <asl/engine/domain.h>
#include <asl/engine/restore.h>

#include "restore/owner_map.h"
#include "restore/problem_list.h"

namespace asl {

// Thread-safe.
class RestoreRun {
 public:
  RestoreRun(const Domain& store_domain, io::Io& io_of_target, const RestoreOptions& restore_options,
             OwnerMap owner_map, ProgressCounters& counters, const StopToken& stop_token)
      : domain(store_domain),
        target_io(io_of_target),
        options(restore_options),
        owners(std::move(owner_map)),
        progress(counters),
        problems(counters),
        stop_(stop_token) {}

  const Domain& domain;
  io::Io& target_io;
  const RestoreOptions& options;
  const OwnerMap owners;
  ProgressCounters& progress;
  ProblemList problems;

  // What was done, as in RestoreReport.
  std::atomic<std::uint64_t> files_written{0}, files_unchanged{0}, files_kept{0}, files_verified{0};
  std::atomic<std::uint64_t> directories{0}, symlinks{0}, special_files{0}, hard_links{0}, removed{0};
  std::atomic<std::uint64_t> bytes_written{0}, bytes_holes{0};

  // A problem, unless the error means that nothing more can be written (no space, a read-only file system):
  // then the run ends.
  void problem(RestoreProblemKind kind, std::string path, Error error);
  // Ends the run: the first failure counts, everybody sees must_stop().
  void abort(Error error);
  // By the user's wish or a failure.
  bool must_stop();
  std::optional<Error> failure() const;

  // Tells options.on_action; `path` is a callable, asked only if somebody listens.
  template <typename PathOf>
  void acted(RestoreOptions::Action action, PathOf path) {
    if (!options.on_action) return;
    const std::lock_guard lock(action_mutex_);
    options.on_action(action, path());
  }

  // Moves counts and problems into the report, when all threads have ended.
  void report_to(RestoreReport& report);

 private:
  const StopToken stop_;
  std::atomic<bool> aborted_{false};
  mutable std::mutex failure_mutex_;
  std::optional<Error> failure_;
  std::mutex action_mutex_;
};

}  // namespace asl
