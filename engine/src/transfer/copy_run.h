// What the threads of one copy share.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include <asl/engine/copy.h>

namespace asl {

// Thread-safe.
class CopyRun {
 public:
  CopyRun(const Domain& from, StoreWriter& to, ProgressCounters& counters, const StopToken& stop_token)
      : source(from), writer(to), progress(counters), stop(stop_token) {}

  const Domain& source;
  StoreWriter& writer;
  ProgressCounters& progress;
  const StopToken stop;

  // The target needs nothing of it: it has it whole, or has withdrawn it.
  Result<bool> present(const Reference& ref);
  // What reading from the source gave. True for an error that makes the copy incomplete, and is noted; a
  // tombstone is noted too, to be carried over, and makes nothing incomplete. False: the run must end.
  bool note(const std::string& place, const Reference& ref, const Error& error);

  // Ends the run: the first failure counts.
  void abort(Error error);
  bool aborted() const { return aborted_.load(std::memory_order_relaxed); }
  std::optional<Error> failure() const;

  void count_copied(std::uint64_t bytes);
  std::uint64_t problem_count() const { return problem_count_.load(); }
  // Tombstones of the source that copied snapshots met, in no order; empties the list.
  std::set<Reference> take_tombstones();
  void report_to(CopyReport& report) const;

 private:
  std::atomic<bool> aborted_{false};
  std::atomic<std::uint64_t> problem_count_{0}, copied_{0}, present_{0}, bytes_{0};
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
  std::vector<CopyProblem> problems_;
  std::set<Reference> tombstones_;
};

}  // namespace asl
