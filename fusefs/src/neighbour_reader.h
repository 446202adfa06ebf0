// Read-ahead from file to file: who reads the files of a directory one after the other finds the small ones
// in the kernel's page cache before asking for them.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "file_view.h"

namespace asl::fusefs {

// The kernel reads ahead inside one file. A tree of small files would still cost one request, and two
// switches of process, for each. This recognizes readers that go through a snapshot in its order (tar, cp,
// rsync, grep -r), by the requests that reach the mount, and hands the files that follow to the kernel on a
// thread of its own.
//
// As the kernel does inside a file, it doubles its window with each success, and leaves out one file in the
// middle of each window: the request for that one says that the reader is still going on. Thread-safe.
class NeighbourReader {
 public:
  // Hands the whole content of a file to the kernel. False where the kernel does not know the node (any
  // more).
  using Store = std::function<bool(std::uint64_t node, MutableByteSpan content)>;

  // `view` must outlive the object, and `store` must work as long as it exists.
  NeighbourReader(FileView& view, Store store);
  ~NeighbourReader();

  // Somebody asked for the beginning of this file of a snapshot.
  void file_read(std::uint64_t node);
  // The kernel has all names of this directory of a snapshot, and so all nodes in it.
  void directory_listed(std::uint64_t node);
  // Waits until everything noticed so far is done. For tests.
  void settle();

 private:
  // One reader, going through a snapshot.
  struct Stream {
    std::uint64_t serial = 0;       // of all streams there ever were; 0: none
    std::uint64_t snapshot = 0;     // node id of its root
    std::uint32_t read = 0;         // position of the file that was asked for last
    std::uint32_t stored = 0;       // the farthest that was handed over
    unsigned hits = 0;              // files asked for in order
    std::uint32_t ahead_files = 0;  // handed over since the last request
    std::size_t ahead_bytes = 0;
    bool marked = false;     // a file was left out since the last request
    unsigned doublings = 0;  // of the window
    std::uint64_t used = 0;  // when, in requests
  };
  struct Job {
    std::uint64_t node = 0;
    bool is_directory = false;
    std::uint64_t stream = 0;  // serial
  };

  Stream* stream_at(const TreePlace& place);
  Stream* stream_with(std::uint64_t serial);
  void enqueue(const Job& job);
  void work();
  void run(const Job& job);
  // Hands over files of the directory from entry `index` on, as far as the window goes.
  void store_files(std::uint64_t stream, std::uint64_t directory, std::uint64_t index);
  enum class Verdict : std::uint8_t { kStore, kSkip, kStop };
  // Counts what is to be stored.
  Verdict judge(std::uint64_t stream, std::uint32_t position, std::size_t size_bytes);
  std::uint64_t& next_index(std::uint64_t stream, std::uint64_t directory);

  FileView& view_;
  const Store store_;

  std::mutex mutex_;  // guards the next six
  std::condition_variable changed_;
  std::array<Stream, 8> streams_;
  std::uint64_t requests_ = 0;
  std::deque<Job> jobs_;
  bool busy_ = false;
  bool ending_ = false;

  // The worker's own: where it goes on in the directories that it was in last, by stream and directory.
  using DirectoryOfStream = std::pair<std::uint64_t, std::uint64_t>;
  std::map<DirectoryOfStream, std::uint64_t> next_index_;
  std::deque<DirectoryOfStream> directories_;
  AlignedBuffer buffer_;
  std::thread worker_;  // last: it uses all of the above
};

}  // namespace asl::fusefs
