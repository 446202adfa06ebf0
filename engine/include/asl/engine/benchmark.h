// What a store does on this disk, beside what the disk and the processor can do: the figures of `asl bench`
// (doc/performance.md).
#pragma once

#include <cstdint>
#include <string>

#include <asl/engine/error.h>
#include <asl/engine/io.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>

namespace asl {

struct BenchmarkOptions {
  std::string directory;  // on the disk to be measured; made-up data and a store come and go in it
  std::uint64_t size_bytes = 4ULL << 30;  // of the data; twice as much must be free
  std::uint32_t syncs = 200;
  std::uint32_t jobs = 0;  // as IngestOptions::jobs
};

struct BenchmarkRate {
  std::uint64_t bytes = 0;
  double seconds = 0;
  double bytes_per_second() const { return seconds > 0 ? static_cast<double>(bytes) / seconds : 0; }
};

struct BenchmarkReport {
  // The limits.
  BenchmarkRate disk_write;  // direct where the file system can, in long pieces, synced at the end
  BenchmarkRate disk_read;
  bool direct = false;       // whether the two went past the page cache
  double sync_median_s = 0;  // of writing 4 KiB over and making them durable
  double sync_worst_s = 0;
  BenchmarkRate hash;  // SHA-256, one thread, data in memory
  // What the store does.
  BenchmarkRate ingest;   // one file, read from the same disk
  BenchmarkRate verify;   // of all that is stored
  BenchmarkRate read;     // the artifact, as `asl cat` does
  BenchmarkRate restore;  // to the same disk, synced

  // Reading so much from the disk and writing it there again, one after the other.
  BenchmarkRate disk_copy() const;
};

// Measures with data that neither compress nor repeat. Leaves nothing behind, also when it is stopped; what a
// killed run left is removed by the next one in the same directory. Errors: kNoSpace before anything is
// written, kInterrupted, kIo, and those of ingest, verify and restore.
Result<BenchmarkReport> run_benchmark(io::Io& io, const BenchmarkOptions& options, ProgressCounters& progress,
                                      const StopToken& stop);

}  // namespace asl
