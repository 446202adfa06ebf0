// What went wrong during a restore, gathered from all threads.
#pragma once

#include <mutex>
#include <string>

#include <asl/engine/restore.h>

namespace asl {

// What it is that the store does not give: withdrawn, or damaged.
RestoreProblemKind kind_of_loss(const Error& error);

// Thread-safe.
class ProblemList {
 public:
  explicit ProblemList(ProgressCounters& progress) : progress_(progress) {}
  void add(RestoreProblemKind kind, std::string path, Error error);
  // Moves what was gathered into the report. To be called when no other thread adds any more.
  void move_to(RestoreReport& report);

 private:
  ProgressCounters& progress_;
  std::mutex mutex_;
  std::vector<RestoreProblem> problems_;
  std::array<std::uint64_t, kRestoreProblemKinds> counts_{};
};

}  // namespace asl
