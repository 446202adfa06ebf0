// Reads the contents of files into the store: one per reading thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <asl/engine/io.h>
#include <asl/engine/store_writer.h>

#include "base/ring_buffer.h"
#include "ingest/content_stream.h"
#include "ingest/ingest_run.h"
#include "ingest/tree_scanner.h"

namespace asl {

// Files up to this size are read ahead whole, many at once; longer ones are streamed one at a time. At this
// size the gap between two streams (a few reads) is below a hundredth of the reading time.
inline constexpr std::uint64_t kReadAheadFileMax = 8 << 20;
// What is being read ahead, per thread: bytes and files. Enough reads in flight to keep a fast disk busy.
inline constexpr std::size_t kReadAheadBytes = 32 << 20;
inline constexpr std::size_t kReadAheadFilesMax = 64;

// Takes batches from a scanner until there are no more. Failures of the store end the run; failures of the
// source become partial contents and problems.
class FileReader {
 public:
  static Result<std::unique_ptr<FileReader>> make(IngestRun& run, TreeScanner& scanner);
  void run();

 private:
  // One file on its way: its bytes lie in the ring from ring_offset on.
  struct Slot {
    ScanEntry* item = nullptr;
    RereadReason reason = RereadReason::kNew;
    std::shared_ptr<FileBatch> batch;
    bool last_of_batch = false;
    io::File file;
    std::optional<Error> open_error;
    bool streamed = false;  // too long for the ring: read when its turn comes
    std::uint64_t ring_offset = 0;
    std::size_t space = 0;  // bytes of the ring, a multiple of the page size
    std::size_t reads_pending = 0;
    int read_errno = 0;
    bool unexpected_length = false;  // it is not as long as it was when it was scanned
    bool changed_before = false;     // it changed between the scan and the end of the first reading
  };

  FileReader(IngestRun& run, TreeScanner& scanner) : run_(run), scanner_(scanner) {}

  bool start_next_file();
  void start_reads(Slot& slot);
  Result<void> wait_for_front();
  Result<void> finish_front();
  Result<void> take_content(Slot& slot);
  Result<bool> take_whole(Slot& slot);
  Result<void> take_streamed(Slot& slot);
  bool take_from_link(Slot& slot);
  Result<void> take_unopened(Slot& slot);
  Result<void> finish_entry(Slot& slot);
  void remember_row(const Slot& slot);
  std::string path_of(const Slot& slot) const;

  IngestRun& run_;
  TreeScanner& scanner_;
  std::unique_ptr<Lane> lane_;
  std::unique_ptr<ContentStream> stream_;
  RingBuffer ring_;
  std::uint64_t ring_head_ = 0;  // start of what is in use
  std::uint64_t ring_tail_ = 0;
  std::deque<Slot> slots_;
  std::uint64_t first_slot_ = 0;  // number of slots_.front(), counting all files: tokens name slots by number
  std::shared_ptr<FileBatch> batch_;
  std::size_t batch_next_ = 0;
  // Last, so that it is destroyed (and has waited for its reads) before the memory that they go to.
  std::unique_ptr<io::Queue> queue_;
};

}  // namespace asl
