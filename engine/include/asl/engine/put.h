// Storing single artifacts, pinned and without a snapshot (doc/put.md).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>
#include <asl/engine/store_writer.h>

namespace asl {

// The longest artifact that is stored with a type: typed artifacts are structures that programs read whole.
inline constexpr std::uint64_t kPutTypedMax = 64ULL << 20;
// Tags below this one belong to structures that the store makes itself and gc follows: bytes that only claim
// to be one would stop it.
inline constexpr std::uint32_t kTagStoreFirst = 0x00A50000;
inline constexpr std::uint32_t kTagStoreLast = kTagAuthorityFirst - 1;

struct PutOptions {
  std::optional<std::uint32_t> type_tag{};  // nothing: untyped
  Compression compression{};
  unsigned jobs = 0;  // working threads; 0: one for each processor
};

// What became of one file, or of one artifact of a batch.
struct PutOutcome {
  std::uint64_t number = 0;    // counted from 1, in the order given
  std::string name;            // as given; empty in a batch
  std::optional<Error> error;  // set: nothing was stored of it. Only the source's faults, and tombstones
  WrittenArtifact written;
  bool changed = false;  // the file changed while it was read: what was stored is what was read
};
// Called in the order given and only for what is durable or failed, by the thread that calls the Putter.
// An error ends the work.
using PutSink = std::function<Result<void>(const PutOutcome& outcome)>;

// One writing session. Used by one thread, which reads and hands out; threads of its own hash and store.
// Memory: a few buffers of 1 MiB, up to 32 MiB for each thread that has a long file, and about 200 bytes for
// each artifact of the commit under way. Errors of every function, beside those named: the store's
// (StoreWriter::open and commit), the sink's, kInterrupted. After one, the object is only good for
// destroying; what the sink was not told of may be lost.
class Putter {
 public:
  // kRefused for a type tag of the store's own. `domain` and `progress` must outlive it.
  static Result<std::unique_ptr<Putter>> open(Domain& domain, const PutOptions& options, PutSink sink,
                                              ProgressCounters& progress, const StopToken& stop);
  ~Putter();

  // A file, a device or a named pipe, to its end. What cannot be read is an outcome, not an error.
  Result<void> add_file(std::string path);
  // An open descriptor (standard input), to its end.
  Result<void> add_stream(int fd, std::string name);
  // A batch of netstrings: a length in decimal digits, ':', that many bytes, ','; one artifact each, to the
  // end of the stream. kMalformed with the offset if the stream breaks this form or ends within one: what
  // came before is stored by finish(), which may still be called.
  Result<void> add_batch(int fd, const std::string& name);

  // Commits, and tells the sink the rest. To be called once, last.
  Result<WriterTotals> finish();

  // What the writer had to say at opening.
  const std::vector<std::string>& notices() const;

  struct Impl;

 private:
  explicit Putter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace asl
