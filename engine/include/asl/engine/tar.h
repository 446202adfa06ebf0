// Tar archives in and out (doc/tar.md).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/progress.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/source_errors.h>
#include <asl/engine/stop.h>
#include <asl/engine/store_writer.h>

namespace asl {

struct TarExportOptions {
  std::string path;        // below the snapshot's root, "" for all of it
  bool fill_gaps = false;  // write zeros where bytes were never read, instead of leaving such files out
  bool dense = false;      // write holes as zeros, for readers that do not know sparse files
};

// Something that is not in the archive although it is in the snapshot.
struct TarOmission {
  enum class Kind : std::uint8_t {
    kPartial,    // a file with gaps: left out, or with `fill_gaps` written with zeros in them
    kDamaged,    // it cannot be read from the store
    kWithdrawn,  // a tombstone
    kMetadata,   // the entry is there, without something that a tar archive cannot hold
  };
  Kind kind = Kind::kPartial;
  std::string path;
  std::string reason;
};

struct TarExportReport {
  std::uint64_t members = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  // of files' contents, holes included
  std::uint64_t archive_bytes = 0;
  std::uint64_t sockets = 0;  // left out; not counted below
  std::uint64_t omission_count = 0;
  bool damaged = false;                // some omission is of kDamaged
  std::vector<TarOmission> omissions;  // the first kOmissionsShown

  static constexpr std::size_t kOmissionsShown = 1000;
};

using TarSink = std::function<Result<void>(ByteSpan)>;

// Writes a snapshot, or what is below a path in it, as a pax archive. The same snapshot gives the same bytes.
// Nothing that cannot be read is ever written as zeros: such files are left out and listed. Only where a file
// longer than kTarReadWholeMax turns out damaged after its header is written does the export fail with
// kIntegrity: what the sink got is then no whole archive. kNotFound for the path; the sink's errors.
inline constexpr std::uint64_t kTarReadWholeMax = 8 << 20;
Result<TarExportReport> export_tar(const Domain& domain, const Snapshot& snapshot,
                                   const TarExportOptions& options, const TarSink& sink,
                                   ProgressCounters& progress, const StopToken& stop);

struct TarImportOptions {
  std::string source_path;  // what the snapshot remembers as its source: a path, or a name for a stream
  std::string label;
  std::vector<std::string> tags;
  std::string host;                       // empty: this machine's name
  std::optional<std::int64_t> created_s;  // empty: now
  Compression compression;
  std::uint64_t commit_bytes = 1ULL << 30;  // see WriterOptions
  std::uint64_t commit_artifacts = 100'000;
};

struct TarImportReport {
  std::uint64_t snapshot_id = 0;
  Reference snapshot;
  Reference root;  // the tree
  SnapshotCounts counts;
  std::uint64_t members = 0;
  std::uint64_t replaced = 0;             // members whose path a later one took
  std::uint64_t made_up_directories = 0;  // that the archive has no member for
  std::uint64_t bytes_read = 0;           // of the source, compressed if it is
  WriterTotals written;
  std::vector<SourceError> problems;  // the first ones; all of them are in the snapshot
  std::uint64_t problem_count = 0;
  std::vector<std::string> notices;
  double seconds = 0;
};

// Reads a tar archive (doc/tar.md) from a descriptor to its end; what it holds becomes a snapshot, durable on
// return. Members may come in any order; of several with one path the last counts. Members that cannot be
// kept are problems, as unreadable files are for ingest. kMalformed for what is no tar archive or was cut
// short: there is no snapshot then. kIo and kInterrupted from the source, and the errors of StoreWriter.
Result<TarImportReport> import_tar(Domain& domain, int fd, const TarImportOptions& options,
                                   ProgressCounters& progress, const StopToken& stop);

}  // namespace asl
