// Mending a damaged log from copies of its domain's directory (doc/repair.md).
//
// Nothing is believed but the chain. A group of a copy is taken only where it stands, hash by hash, before a
// record that this log still has or that its head names; what follows the last of these only where this log's
// own file has bytes at the same place that no longer verify, so that no later state of a copy is taken over.
// The mended log has every group that verified before, or nothing is changed.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <asl/engine/error.h>
#include <asl/engine/io.h>
#include <asl/engine/stop.h>

namespace asl {

struct LogHealing {
  struct File {
    std::string name;    // of the log file that was made anew, or would be
    std::string source;  // where records came from that were damaged here; empty if it needed none
    std::uint64_t bytes = 0;
  };
  std::vector<File> files;        // none: the log is sound
  std::vector<std::string> kept;  // where the damaged files lie now; nothing reads them
};

// Under the domain's lock, which it takes if there is anything to do. With `dry_run` it only says. A file is
// complete and synced before it takes its name, one after the other, oldest first: whenever this ends, the
// log holds at least what it held. kIntegrity, saying why, where the copies do not have what is missing, or
// where this log holds two histories; then nothing is changed. kLocked, kInterrupted, and errors of writing.
Result<LogHealing> heal_log(io::Io& io, const std::string& directory, std::span<const std::string> copies,
                            bool dry_run, const StopToken& stop);

}  // namespace asl
