// Streams the content of one long file, device or pipe into the store, with gaps where it cannot be read.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/io.h>
#include <asl/engine/partial.h>
#include <asl/engine/store_writer.h>

#include "ingest/ingest_run.h"

namespace asl {

// Reads of a stream: this long, this many in flight.
inline constexpr std::size_t kStreamReadBytes = 1 << 20;
inline constexpr std::size_t kStreamReadsInFlight = 8;
// Unreadable reads are tried again in steps of this, then by the sector.
inline constexpr std::uint64_t kProbeBytes = 64 << 10;
// With more gaps than this a file's remainder is left untried: its partial would outgrow its format. Media in
// that state want asl-rescue.
inline constexpr std::size_t kGapsMax = 300'000;
// Holes of a source shorter than this are read through: seeking around them would cost more.
inline constexpr std::uint64_t kSourceHoleMin = 256 << 10;

struct StreamedContent {
  Reference content;  // untyped, or a partial if there are gaps
  std::uint64_t length = 0;
  std::uint64_t hole_bytes = 0;
  bool partial = false;
};

// Used by one thread with its lane. Keeps its queue from stream to stream.
class ContentStream {
 public:
  static Result<std::unique_ptr<ContentStream>> make(IngestRun& run, Lane& lane);

  // Reads bytes [0, size) of a file or device, or to its end if that comes first. `sparse`: ask where its
  // holes are. Unreadable ranges, found to the sector, become gaps; the caller reports them. Errors are the
  // store's.
  Result<StreamedContent> read_file(const io::File& file, std::uint64_t size, bool sparse,
                                    std::uint32_t sector_bytes);
  // Reads a pipe to its end. A read error is returned: what was not read cannot be asked for again. A pipe
  // that says nothing is waited for, but not past a wish to stop (kInterrupted).
  Result<StreamedContent> read_pipe(int fd);

  // Of the last stream: errno of its first failed read, 0 if none.
  int first_read_errno() const { return first_read_errno_; }

 private:
  struct Piece {
    std::uint64_t offset = 0;  // in the file
    std::uint64_t length = 0;
    bool hole = false;
    bool done = false;
    std::int64_t result = 0;
  };

  ContentStream(IngestRun& run, Lane& lane) : run_(run), lane_(lane) {}

  void reset(const io::File& file, std::uint64_t size, bool sparse, std::uint32_t sector_bytes);
  Result<void> plan_more();
  Result<void> issue();
  Result<void> wait_for_front();
  Result<void> consume_front();
  Result<void> drain();
  Result<void> probe(std::uint64_t from, std::uint64_t to);
  Result<void> ensure_stream(std::uint64_t offset);
  Result<void> end_piece(std::uint64_t end);
  void add_gap(std::uint64_t from, std::uint64_t to, GapStatus status);
  Result<void> wait_for_input(int fd) const;
  Result<StreamedContent> finish();

  IngestRun& run_;
  Lane& lane_;

  const io::File* file_ = nullptr;
  std::uint64_t size_ = 0;
  bool sparse_ = false;
  std::uint32_t sector_bytes_ = 512;
  std::deque<Piece> pieces_;
  std::uint64_t first_piece_ = 0;  // number of pieces_.front(): tokens name pieces by number
  std::size_t issued_ = 0;         // of pieces_, from the front
  std::uint64_t planned_ = 0;      // end of the last piece
  std::uint64_t data_end_ = 0;     // end of the data range that planned_ lies in
  std::uint64_t position_ = 0;     // end of what was consumed
  bool at_end_ = false;            // the file ended before size_

  std::unique_ptr<ArtifactStream> stream_;  // the piece under way
  std::uint64_t stream_start_ = 0;          // its offset in the file
  Partial partial_;
  std::uint64_t hole_bytes_ = 0;
  int first_read_errno_ = 0;
  // Last, so that it is destroyed (and has waited for its reads) before the memory that they go to.
  std::unique_ptr<io::Queue> queue_;
};

}  // namespace asl
