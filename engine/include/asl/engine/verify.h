// Verify: proving that a store is what it must be (doc/verify.md).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>

namespace asl {

struct VerifyOptions {
  bool data = false;       // read and hash every stored byte, and check that padding is zero
  bool artifacts = false;  // hash every artifact of several extents whole
  std::optional<std::uint64_t> snapshot_id = {};  // only what this snapshot reaches

  // Which blocks `data` reads; both together: of the blocks that are due, the sample.
  std::optional<std::uint32_t> sample_ppm = {};  // of the bytes of all blocks, those unchecked for longest
  std::optional<std::uint64_t> max_age_s = {};   // not those read and found good less than this ago
  // What reading is held below, by `data` and by `artifacts`; above 0.
  std::optional<std::uint64_t> bytes_per_second = {};
  // What time it is, in seconds since 1970. Without it nothing is remembered of what was read when, and every
  // block counts as never read.
  std::optional<std::int64_t> now_s = {};
};

// What is wrong. Each kind has its next step, which stands in the error's hint.
enum class FindingKind : std::uint8_t {
  kLog,         // the hash chain is broken
  kSegment,     // an index segment is missing or damaged
  kBlock,       // a block is missing or has another length
  kMetadata,    // a block's .meta is missing or damaged: derived, nothing is lost
  kExtent,      // stored bytes fail their digest
  kPadding,     // bytes between extents that are not zero: nothing is lost
  kArtifact,    // the extents are good and the artifact as a whole is not
  kTree,        // a directory cannot be read
  kMissing,     // something that a snapshot names is not in the store
  kSuperseded,  // stored bytes that fail, and that nothing needs: a good copy is in use. Nothing is lost
};
std::string_view finding_kind_name(FindingKind kind);

struct Finding {
  FindingKind kind = FindingKind::kLog;
  Error error;
  std::size_t number = 0;  // in the order in which they were found
  // Files that the damage touches, "7:/path/inside", the first kFilesShown; empty where none is known to be.
  std::vector<std::string> files = {};
  std::uint64_t file_count = 0;
  std::set<std::uint64_t> snapshots = {};  // all that the files are in
  // Artifacts that the damage touches, in text form, the first kFilesShown: those of the files, and pinned
  // ones.
  std::vector<std::string> artifacts = {};
  std::uint64_t artifact_count = 0;

  static constexpr std::size_t kFilesShown = 100;
};

struct VerifyReport {
  std::uint64_t log_records = 0;
  std::uint64_t segments = 0;
  std::uint64_t artifacts = 0;  // records looked at
  std::uint64_t blocks = 0;
  std::uint64_t bytes_read = 0;  // of blocks, with `data`
  std::uint64_t blocks_read = 0;
  // With `data`, what the options left out, and how old the oldest knowledge is after this run.
  std::uint64_t blocks_left_out = 0;
  std::uint64_t bytes_left_out = 0;
  std::uint64_t blocks_never_read = 0;
  std::optional<std::int64_t> oldest_check_s = {};  // of the blocks that were read at some time
  std::uint64_t artifacts_hashed = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t trees = 0;
  std::vector<Finding> findings;  // the first kFindingsMax
  std::uint64_t finding_count = 0;
  bool lost = false;  // some finding means bytes lost, not only derived files or padding
  // Of kind kSuperseded, which are not among the findings: the store is whole without these bytes.
  std::vector<Finding> superseded;  // the first kFindingsMax
  std::uint64_t superseded_count = 0;
  double seconds = 0;

  static constexpr std::size_t kFindingsMax = 10'000;
};

// Looks at everything, whatever it finds; damaged extents are noted in store/damaged, so that ingesting the
// originals again heals them. What was read is remembered as it goes, also when the work is interrupted: a
// later run with `max_age_s` goes on from there. Errors are only those that stop the work: kInterrupted,
// kNotFound for the snapshot.
Result<VerifyReport> verify(const Domain& domain, const VerifyOptions& options, ProgressCounters& progress,
                            const StopToken& stop);

}  // namespace asl
