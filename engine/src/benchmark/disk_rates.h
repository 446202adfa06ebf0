// What a disk does by itself: long transfers past the page cache, and syncs.
#pragma once

#include <cstdint>
#include <string>

#include <asl/engine/benchmark.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>

namespace asl {

// Writes a file of `size_bytes` (a multiple of 8 MiB) that no two pages of are equal; synced within the time.
Result<BenchmarkRate> measure_write(io::Io& io, const std::string& path, std::uint64_t size_bytes,
                                    ProgressCounters& progress, const StopToken& stop);
// Reads it again.
Result<BenchmarkRate> measure_read(io::Io& io, const std::string& path, ProgressCounters& progress,
                                   const StopToken& stop);

struct SyncTimes {
  double median_s = 0;
  double worst_s = 0;
};
// Writes 4 KiB in place and syncs, `count` times.
Result<SyncTimes> measure_syncs(io::Io& io, const std::string& path, std::uint32_t count,
                                const StopToken& stop);

}  // namespace asl
