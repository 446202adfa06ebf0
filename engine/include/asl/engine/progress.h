// How far long work has come. The engine counts, somebody else looks: no callbacks, no locks.
#pragma once

#include <atomic>
#include <cstdint>

namespace asl {

// What the work is busy with. The word shown for each is in tools/cli/progress.cc.
enum class ProgressPhase : std::uint8_t {
  kNone,        // nothing to say yet
  kScanning,    // listing the source; totals still grow
  kIngesting,   // reading, hashing and writing
  kCommitting,  // making a commit durable
  kRestoring,
  kVerifying,
  kCopying,
  kIndexing,  // rebuilding the cache
  kMarking,   // gc: finding what is reachable
  kSweeping,  // gc: removing what is not
};

// Owned by the caller of the work, which it must outlive; the work only adds. Every member may be touched by
// any thread with relaxed ordering: the values are for people, nothing is synchronised through them. Add in
// batches (per buffer, per file), not per byte: the counters share cache lines. `bytes_total` and
// `files_total` of zero mean that the total is not known at all.
struct ProgressCounters {
  std::atomic<std::uint64_t> bytes_done{0};
  std::atomic<std::uint64_t> bytes_total{0};
  std::atomic<std::uint64_t> files_done{0};
  std::atomic<std::uint64_t> files_total{0};
  std::atomic<std::uint64_t> bytes_new{0};  // written because the store did not have them
  std::atomic<std::uint64_t> errors{0};     // parts of the source or store that could not be read
  std::atomic<bool> totals_final{false};    // the totals no longer grow: an ETA makes sense
  std::atomic<ProgressPhase> phase{ProgressPhase::kNone};

  void set_phase(ProgressPhase value) { phase.store(value, std::memory_order_relaxed); }
};

inline void progress_add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) {
  counter.fetch_add(amount, std::memory_order_relaxed);
}

}  // namespace asl
