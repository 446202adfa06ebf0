// What a store is made of, and how it grew.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>

namespace asl {

struct StatsOptions {
  // How many bytes of stored extents to try zstd on; 0: none.
  std::uint64_t compression_sample_bytes = 64ULL << 20;
};

struct KindStats {
  std::string kind;  // as artifact_kind_name
  std::uint64_t artifacts = 0;
  std::uint64_t bytes = 0;
};

// Different extents that live records name. Those of a commit lie in blocks of its own, so what came when is
// known from where it lies.
struct ExtentStats {
  std::uint64_t extents = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t stored_bytes = 0;
  void add(std::uint64_t raw, std::uint64_t stored) {
    ++extents;
    raw_bytes += raw;
    stored_bytes += stored;
  }
};

// What was added after the anchor of the snapshot before `from_snapshot`, up to that of `to_snapshot`: by its
// ingest, and by whatever was put between the two. They are the same unless segments were joined across
// snapshots. 0 as `to_snapshot`: since the last one.
struct GrowthRow {
  std::uint64_t from_snapshot = 0;
  std::uint64_t to_snapshot = 0;
  ExtentStats added;
};

struct CompressionSample {
  std::uint64_t extents = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t zstd_bytes = 0;  // extents that would not get smaller count as they are
  std::uint64_t unreadable = 0;  // extents that were chosen and could not be read
  int level = 0;
  double seconds = 0;  // of compressing alone
};

struct StoreStats {
  std::uint64_t snapshots = 0;       // living ones
  std::uint64_t snapshot_files = 0;  // counted in each of them
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t artifacts = 0;       // different ones
  std::uint64_t artifact_bytes = 0;  // holes included
  std::uint64_t hole_bytes = 0;
  std::uint64_t pinned = 0;
  std::uint64_t pinned_bytes = 0;
  std::vector<KindStats> kinds;  // those that there are, by name

  ExtentStats extents;
  ExtentStats compressed;  // those of them that are stored compressed

  std::uint64_t blocks = 0;
  std::uint64_t block_bytes = 0;     // the lengths of their files
  std::uint64_t blocks_missing = 0;  // named and not there
  // Blocks by how much of them live extents fill: below 50 %, 80 %, 95 %, and above.
  static constexpr std::array<unsigned, 3> kFillLimits = {50, 80, 95};
  std::array<std::uint64_t, 4> blocks_by_fill{};

  std::uint64_t segments = 0;
  std::uint64_t records = 0;  // in segments: an artifact may have several

  // What the files take on the disk (allocated, not their lengths).
  struct Disk {
    std::uint64_t blocks = 0;
    std::uint64_t block_metadata = 0;
    std::uint64_t segments = 0;
    std::uint64_t blooms = 0;
    std::uint64_t log = 0;
    std::uint64_t cache = 0;
    std::uint64_t reserve = 0;  // kept for gc on a full disk
    std::uint64_t other = 0;
    std::uint64_t total() const {
      return blocks + block_metadata + segments + blooms + log + cache + reserve + other;
    }
  } disk;

  std::vector<GrowthRow> growth;  // by snapshot; those that added nothing too
  CompressionSample compression;
  std::vector<Error> damaged;  // segments that could not be read: what they hold is not counted
  double seconds = 0;

  // What plain copies of every snapshot and of every pinned artifact would take.
  std::uint64_t plain_bytes() const { return snapshot_bytes + pinned_bytes; }
};

// Reads every segment once, and the sample. Memory does not grow with artifacts: the places of extents are
// sorted in a temporary file (30 bytes each) in $TMPDIR or /var/tmp. Errors: kNoSpace and kIo from there,
// kInterrupted.
Result<StoreStats> store_stats(const Domain& domain, const StatsOptions& options, ProgressCounters& progress,
                               const StopToken& stop);

}  // namespace asl
