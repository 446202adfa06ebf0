// Copies single artifacts, each read with checks, hashed again as it is written, and compared.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "transfer/copy_run.h"

namespace asl {

// One artifact to copy, and where it was met.
struct CopyTask {
  Reference ref{};
  std::string place{};
  std::uint64_t bytes = 0;  // for the progress shown
  bool pinned = false;
};

// Used by one thread.
class ArtifactCopier {
 public:
  static Result<std::unique_ptr<ArtifactCopier>> make(CopyRun& run);

  // Copies the artifact unless the target has it (a pin is set in any case). What the source cannot give is
  // noted in the run; an error is the target's, or the wish to stop.
  Result<void> copy(const CopyTask& task);

 private:
  ArtifactCopier(CopyRun& run, std::unique_ptr<Lane> lane) : run_(run), lane_(std::move(lane)) {}
  Result<void> copy_typed(const CopyTask& task, const Artifact& artifact);
  Result<void> copy_whole(const CopyTask& task, const Artifact& artifact);
  Result<void> copy_long(const CopyTask& task, const Artifact& artifact);
  Result<void> settle(const CopyTask& task, const Error& error);
  Result<void> settle_written(const CopyTask& task, const Reference& written, std::uint64_t length);

  CopyRun& run_;
  std::unique_ptr<Lane> lane_;
  Bytes buffer_;
};

// Several copiers, each in a thread of its own, fed through a bounded queue.
class CopyWorkers {
 public:
  static Result<std::unique_ptr<CopyWorkers>> start(CopyRun& run, unsigned count);
  // Ends the threads; what is still queued is dropped.
  ~CopyWorkers();

  // Waits while the queue is full. Fails with the run's failure once there is one.
  Result<void> add(CopyTask task);
  // Waits until everything that was added is done.
  Result<void> finish();

 private:
  explicit CopyWorkers(CopyRun& run) : run_(run) {}
  void work(ArtifactCopier& copier);
  Result<void> check() const;

  CopyRun& run_;
  std::vector<std::unique_ptr<ArtifactCopier>> copiers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<CopyTask> queue_;
  std::size_t busy_ = 0;
  bool ending_ = false;
  std::vector<std::jthread> threads_;  // last: joined before anything above goes
};

}  // namespace asl
