// Verify: proving that a store is what it must be (doc/verify.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>

namespace asl {

struct VerifyOptions {
  bool data = false;       // read and hash every stored byte, and check that padding is zero
  bool artifacts = false;  // hash every artifact of several extents whole
  std::optional<std::uint64_t> snapshot_id;  // only what this snapshot reaches
};

// What is wrong. Each kind has its next step, which stands in the error's hint.
enum class FindingKind : std::uint8_t {
  kLog,       // the hash chain is broken
  kSegment,   // an index segment is missing or damaged
  kBlock,     // a block is missing or has another length
  kMetadata,  // a block's .meta is missing or damaged: derived, nothing is lost
  kExtent,    // stored bytes fail their digest
  kPadding,   // bytes between extents that are not zero: nothing is lost
  kArtifact,  // the extents are good and the artifact as a whole is not
  kTree,      // a directory cannot be read
  kMissing,   // something that a snapshot names is not in the store
};
std::string_view finding_kind_name(FindingKind kind);

struct Finding {
  FindingKind kind = FindingKind::kLog;
  Error error;
  // Files that the damage touches, "7:/path/inside", the first kFilesShown; empty where none is known to be.
  std::vector<std::string> files;
  std::uint64_t file_count = 0;

  static constexpr std::size_t kFilesShown = 100;
};

struct VerifyReport {
  std::uint64_t log_records = 0;
  std::uint64_t segments = 0;
  std::uint64_t artifacts = 0;  // records looked at
  std::uint64_t blocks = 0;
  std::uint64_t bytes_read = 0;  // of blocks, with `data`
  std::uint64_t artifacts_hashed = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t trees = 0;
  std::vector<Finding> findings;  // the first kFindingsMax
  std::uint64_t finding_count = 0;
  bool lost = false;  // some finding means bytes lost, not only derived files or padding
  double seconds = 0;

  static constexpr std::size_t kFindingsMax = 10'000;
};

// Looks at everything, whatever it finds; damaged extents are noted in store/damaged, so that ingesting the
// originals again heals them. Errors are only those that stop the work: kInterrupted, kNotFound for the
// snapshot.
Result<VerifyReport> verify(const Domain& domain, const VerifyOptions& options, ProgressCounters& progress,
                            const StopToken& stop);

}  // namespace asl
