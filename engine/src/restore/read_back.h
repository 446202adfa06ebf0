// Reading restored files back from the disk and comparing them with their hashes (--verify).
#pragma once

#include <memory>
#include <vector>

#include <asl/engine/hash.h>
#include <asl/engine/io.h>

#include "io/transfer.h"
#include "restore/file_task.h"
#include "restore/restore_run.h"
#include "restore/snapshot_scan.h"

namespace asl {

struct ReadBackItem {
  std::shared_ptr<TargetDirectory> directory;
  Entry entry;
};
using ReadBackBatch = std::vector<ReadBackItem>;
using ReadBackQueue = BoundedQueue<ReadBackBatch>;

// Gathers the regular files for the workers.
class ReadBackVisitor : public ScanVisitor {
 public:
  ReadBackVisitor(RestoreRun& run, TargetTree& tree, ReadBackQueue& queue)
      : run_(run), tree_(tree), queue_(queue) {}
  bool enter(const std::shared_ptr<TargetDirectory>&) override { return true; }
  void entry(const std::shared_ptr<TargetDirectory>& directory, const Entry& entry) override;
  void extraneous(const io::File&, const char*, const std::string&) override {}
  void flush();

 private:
  RestoreRun& run_;
  TargetTree& tree_;
  ReadBackQueue& queue_;
  ReadBackBatch batch_;
  std::uint64_t batch_bytes_ = 0;
};

// One per thread. Reads bypass the page cache where they can, so that it is the disk that answers.
class ReadBackWorker {
 public:
  static Result<std::unique_ptr<ReadBackWorker>> create(RestoreRun& run, TargetTree& tree);
  // Until the queue is closed and empty, or the run must stop.
  Result<void> work(ReadBackQueue& queue);

 private:
  static constexpr std::size_t kReads = 4;  // in flight
  static constexpr std::size_t kReadBytes = 1 << 20;

  ReadBackWorker(RestoreRun& run, TargetTree& tree) : run_(run), tree_(tree) {}
  void check(const ReadBackItem& item);
  // Nothing if the file is right, else what is wrong with it.
  Result<void> compare(const ReadBackItem& item, const io::File& file);
  Result<Digest> hash(const io::File& file, std::uint64_t begin, std::uint64_t end);

  RestoreRun& run_;
  TargetTree& tree_;
  std::vector<AlignedBuffer> buffers_;
  std::unique_ptr<io::Queue> queue_;
};

}  // namespace asl
