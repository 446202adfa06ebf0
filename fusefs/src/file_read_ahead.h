// Read-ahead inside a large file, in front of the kernel's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "open_file.h"

namespace asl::fusefs {

// The kernel asks for some MiB ahead of a reader, an extent or two at a time. Extents that are hashed many at
// once cost less than half as much each: this has them ready before the kernel asks. Thread-safe.
class FileReadAhead {
 public:
  FileReadAhead();
  ~FileReadAhead();

  // The kernel asked for this range. It asks for long ones only where it reads ahead itself.
  void file_read(const std::shared_ptr<const OpenFile>& file, std::uint64_t offset, std::uint64_t size);
  // Waits until everything noticed so far is done. For tests.
  void settle();

 private:
  struct Job {
    std::shared_ptr<const OpenFile> file;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };
  void work();

  std::mutex mutex_;  // guards the rest
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  unsigned busy_ = 0;
  bool ending_ = false;
  std::vector<std::thread> workers_;  // last
};

}  // namespace asl::fusefs
