// Making the index cache anew, by hand (doc/index-cache.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>

namespace asl {

struct IndexRebuildReport {
  std::uint64_t segments = 0;
  std::uint64_t artifacts = 0;  // records in the segments that could be opened
  std::uint64_t blooms_written = 0;
  std::uint64_t cache_bytes_before = 0;  // on disk
  std::uint64_t cache_bytes = 0;
  std::vector<Error> damaged;  // one for each segment that is missing or not what it must be
  std::vector<std::string> notices;
  double seconds = 0;
};

// Takes the write lock, drops the cache and fills it from all segments, writes the bloom files that are
// missing, stale or damaged, and reads every segment whole against its hash in the log. A damaged segment
// ends up in `damaged`, and what the others hold is served. Errors: those of StoreWriter::open, kNoSpace and
// kIo if the cache cannot be written (the store then works without one), kInterrupted (the next writer goes
// on).
Result<IndexRebuildReport> rebuild_index(Domain& domain, ProgressCounters& progress, const StopToken& stop);

}  // namespace asl
