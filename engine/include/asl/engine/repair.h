// Repair: putting back what is damaged or missing, from wherever the bytes still are (doc/repair.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/error.h>
#include <asl/engine/io.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>
#include <asl/engine/verify.h>

namespace asl {

struct RepairOptions {
  // Host roots, domain directories, directories, files, devices.
  std::vector<std::string> from;
  bool data = false;    // read every stored byte first; without it, only blocks with damage that is known
  bool search = false;  // in directories: cut and hash every file, wherever it lies
  bool dry_run = false;
  // As VerifyOptions::now_s.
  std::optional<std::int64_t> now_s = {};
};

enum class HealedKind : std::uint8_t {
  kLog,       // a file of the log
  kSegment,   // an index segment
  kMetadata,  // a block's .meta
  kBlock,     // a block, written anew under its name
  kExtent,    // an extent, stored in a new block: its old block could not be made whole
  kArtifact,  // an artifact that had no record
};
std::string_view healed_kind_name(HealedKind kind);

struct Healed {
  HealedKind kind = HealedKind::kExtent;
  std::string object;
  std::string source;  // where the bytes came from; "the store itself" where they were there all along
};

struct RepairReport {
  std::vector<Healed> healed;  // the first kListMax; with dry_run, what would be
  std::uint64_t healed_count = 0;
  std::uint64_t bytes_healed = 0;  // stored bytes put back
  std::uint64_t finding_count_before = 0;
  // What is still wrong, with its files, snapshots and next step.
  VerifyReport remaining;
  std::vector<std::string> notices;  // what was odd, such as a place that could not be read
  double seconds = 0;

  static constexpr std::size_t kListMax = 10'000;
};

// Repairs the domain in `directory`, which no other writer may use meanwhile. Nothing is taken whose hash
// does not match, no file that is good is touched, and every new file is complete and synced before it gets
// its name: the store is never worse than before, whatever the sources hold and whenever this ends. Errors:
// kNotFound (a place is not there), kUsage (no place, or the store itself), kLocked, kInterrupted (what was
// healed stays), kIntegrity where the log cannot be mended.
Result<RepairReport> repair(io::Io& io, const std::string& directory, const RepairOptions& options,
                            ProgressCounters& progress, const StopToken& stop);

}  // namespace asl
