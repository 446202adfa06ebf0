// Ingest: a directory tree, a file, an image, a block device or a stream becomes a snapshot (doc/ingest.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/filter_options.h>
#include <asl/engine/progress.h>
#include <asl/engine/source_errors.h>
#include <asl/engine/stop.h>
#include <asl/engine/store_writer.h>

namespace asl {

struct IngestOptions {
  std::vector<std::string> sources;  // paths; with stdin_name they may be empty
  std::string stdin_name;            // not empty: file descriptor 0 is a source of this name
  std::string stdin_command;  // with stdin_name: its output is the source; a failed command fails the run
  FilterOptions filter;
  bool one_file_system = false;
  bool use_stat_cache = true;
  std::string label;
  std::vector<std::string> tags;
  std::string host;                       // empty: this machine's name
  std::optional<std::int64_t> created_s;  // empty: now
  Compression compression;
  unsigned jobs = 0;  // threads that read and hash; 0: one per core
  bool dry_run = false;
  std::uint64_t commit_bytes = 1ULL << 30;  // see WriterOptions
  std::uint64_t commit_artifacts = 100'000;
  std::string exclude_directory;  // left out wherever met: the host root, so that a store never holds itself
  // Sources are read through this; null: the domain's own Io.
  io::Io* source_io = nullptr;
};

// Why a regular file had to be read although its source was ingested before.
enum class RereadReason : std::uint8_t {
  kNew,  // no row for its path
  kSize,
  kTime,          // mtime or ctime
  kIdentity,      // another inode or device
  kNotTrusted,    // it changed while it was read last time, or could not be read whole
  kStoreChanged,  // gc, damage or a tombstone since
  kCount,
};
std::string_view reread_reason_name(RereadReason reason);

struct IngestReport {
  std::uint64_t snapshot_id = 0;  // 0 for a dry run
  Reference snapshot;
  Reference root;  // tree of the only directory source; null otherwise
  SnapshotCounts counts;
  std::uint64_t files_unchanged = 0;  // taken from the stat cache, not read
  std::array<std::uint64_t, static_cast<std::size_t>(RereadReason::kCount)> files_read{};
  std::uint64_t bytes_read = 0;
  std::uint64_t changed_while_read = 0;
  std::uint64_t excluded = 0;
  WriterTotals written;
  unsigned attempts = 1;              // 2: a batch could not be made durable and its sources were read again
  std::vector<SourceError> problems;  // the first kProblemsShown; all of them are in the snapshot
  std::uint64_t problem_count = 0;
  std::vector<std::string> notices;  // what the writer had to clear up
  double seconds = 0;

  static constexpr std::size_t kProblemsShown = 1000;
};

// Returns when the snapshot is durable. kInterrupted: what was committed stays and is found again by the next
// run. Unreadable parts of the source are not failures: they are in the report and the snapshot (exit code
// 1). kNotFound: a source does not exist. Errors of StoreWriter.
Result<IngestReport> ingest(Domain& domain, const IngestOptions& options, ProgressCounters& progress,
                            const StopToken& stop);

}  // namespace asl
