// Copying snapshots from one domain to another, incrementally: `asl copy` and `asl import` (doc/copy.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>
#include <asl/engine/store_writer.h>

namespace asl {

// The tag of a snapshot that was copied without some of what it names (CopyOptions::salvage).
inline constexpr std::string_view kIncompleteCopyTag = "incomplete-copy";

struct CopyOptions {
  // Snapshots of the source; empty: all that are not forgotten, and what is pinned, and every authority
  // object.
  std::vector<std::uint64_t> snapshot_ids;
  // Makes snapshots visible although some of what they name could not be copied; they get kIncompleteCopyTag.
  bool salvage = false;
  Compression compression;
  unsigned jobs = 0;                        // threads that copy contents; 0: one per core
  std::uint64_t commit_bytes = 1ULL << 30;  // see WriterOptions
  std::uint64_t commit_artifacts = 100'000;
};

// Something of the source that could not be copied.
struct CopyProblem {
  std::string place;  // "7:/path/inside", "7", or empty for what is in no snapshot
  Error error;
};

struct CopiedSnapshot {
  std::uint64_t source_id = 0;
  std::uint64_t target_id = 0;
  bool complete = true;
};

struct CopyReport {
  std::vector<CopiedSnapshot> copied;   // new in the target
  std::vector<std::uint64_t> left_out;  // of the source: they need what could not be copied
  std::uint64_t snapshots_present = 0;  // the target had them
  std::uint64_t artifacts_copied = 0;
  std::uint64_t artifacts_present = 0;  // looked at, and the target had them
  std::uint64_t bytes_copied = 0;       // of artifacts
  std::uint64_t pins = 0;               // set in the target
  std::uint64_t tombstones = 0;         // carried over
  WriterTotals written;
  std::vector<CopyProblem> problems;  // the first kProblemsShown
  std::uint64_t problem_count = 0;
  std::vector<std::string> notices;
  double seconds = 0;

  static constexpr std::size_t kProblemsShown = 1000;
};

// Returns when every copied snapshot is durable in `target`, each under an id of its own there, with its
// origin (the first one, where the source's is a copy itself), label, tags and hold. Contents are checked as
// they are read and hashed again as they are written. A snapshot becomes visible only when all that it
// reaches is in the target. What cannot be read from the source is a problem, not a failure: the rest is
// copied. kUsage for the same domain on both sides, kRefused for two copies of one domain; kNotFound for an
// id; the errors of StoreWriter; kInterrupted keeps what was committed, and the next run goes on from there.
Result<CopyReport> copy_snapshots(const Domain& source, Domain& target, const CopyOptions& options,
                                  ProgressCounters& progress, const StopToken& stop);

}  // namespace asl
