// The bytes of an archive, decompressed if they are compressed.
#pragma once

#include <cstddef>
#include <memory>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>

struct archive;

namespace asl {

// Reads a file or pipe to its end, through gzip, bzip2, xz, lzma, lzip, lz4, zstd or compress where it begins
// like one of these. The descriptor is the caller's and must outlive it. Not thread-safe.
class ArchiveSource {
 public:
  // `progress` counts the bytes as they come from the descriptor. kMalformed if there are none at all.
  static Result<std::unique_ptr<ArchiveSource>> open(int fd, ProgressCounters& progress,
                                                     const StopToken& stop);
  ~ArchiveSource();

  // Some bytes; 0 at the end. kMalformed for compressed data that is damaged or cut short, kIo and
  // kInterrupted.
  Result<std::size_t> read(MutableByteSpan into);
  std::uint64_t bytes_read() const { return bytes_read_; }  // from the descriptor

 private:
  ArchiveSource(int fd, ProgressCounters& progress, const StopToken& stop);
  Error failure(const char* what) const;
  static long read_some(struct archive*, void* self, const void** bytes);

  struct Free {
    void operator()(struct archive* reader) const;
  };
  int fd_;
  ProgressCounters& progress_;
  const StopToken stop_;
  AlignedBuffer buffer_;
  std::uint64_t bytes_read_ = 0;
  Result<void> last_read_;
  std::unique_ptr<struct archive, Free> reader_;
};

}  // namespace asl
