// What a Putter hands to its threads, and what they hand back.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <asl/engine/put.h>

namespace asl {

// Files up to this size are read whole; longer ones are streamed and hashed beside the reading.
inline constexpr std::uint64_t kPutWholeMax = 1 << 20;
// Artifacts of a batch that are handed on together.
inline constexpr std::size_t kPutChunkBytes = 1 << 20;

// A file by its name, or a run of short artifacts of a batch.
struct PutWork {
  std::string path;                                             // a file; empty for a run
  Bytes buffer;                                                 // of a run
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pieces;  // in the buffer: offset, length

  // The results, by whoever did the work.
  std::vector<PutOutcome> outcomes;
  bool done = false;
  std::uint64_t done_at_commits = 0;  // commits made when it was done: the next one makes it durable
};

// Reads one source after the other into artifacts. One per thread.
class PutReader {
 public:
  PutReader(io::Io& io, StoreWriter& writer, Lane& lane, const PutOptions& options,
            ProgressCounters& progress, const StopToken& stop)
      : io_(io), writer_(writer), lane_(lane), options_(options), progress_(progress), stop_(stop) {}

  // Errors are the store's; what is wrong with the file is in the outcome.
  Result<void> put_file(const std::string& path, PutOutcome& outcome);
  Result<void> put_stream(int fd, PutOutcome& outcome);
  Result<void> put_pieces(const PutWork& work, std::vector<PutOutcome>& outcomes);

  // The artifact that begins with `begun` and goes on in `fd`, `length` bytes in all. False if the stream
  // ends before.
  Result<bool> put_begun(ByteSpan begun, int fd, std::uint64_t length, PutOutcome& outcome);

 private:
  Result<void> put_bytes(ByteSpan bytes, PutOutcome& outcome);
  Result<void> put_open(int fd, bool regular, std::uint64_t size, PutOutcome& outcome);
  Result<void> put_whole(int fd, std::uint64_t size, PutOutcome& outcome, bool& grown);
  Result<void> put_long(int fd, bool regular, std::uint64_t size, PutOutcome& outcome);
  Result<void> put_long_typed(int fd, PutOutcome& outcome);
  Result<void> keep(Result<WrittenArtifact> written, PutOutcome& outcome) const;
  std::uint32_t type_tag() const { return *options_.type_tag; }

  io::Io& io_;
  StoreWriter& writer_;
  Lane& lane_;
  const PutOptions& options_;
  ProgressCounters& progress_;
  const StopToken stop_;
  Bytes buffer_;
};

}  // namespace asl
