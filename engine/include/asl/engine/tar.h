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
#include <asl/engine/stop.h>

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

}  // namespace asl
