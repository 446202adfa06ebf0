// Restore: writing a snapshot, or a part of it, back to a file system (doc/restore.md).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>

namespace asl {

// What happens to a file, symlink or special file that exists. (Directories are always merged and get the
// snapshot's metadata.)
enum class Overwrite : std::uint8_t {
  kNever,    // it stays as it is
  kChanged,  // it is replaced unless type, size and mtime are the snapshot's (then only its metadata is set)
  kAlways,   // it is replaced
};

struct RestoreOptions {
  std::string target;  // a directory; made if missing, with its parents
  // Patterns as of --exclude (doc/man), matched against paths below where the restore begins. With `include`
  // only what matches one of them, what lies below such a directory, and the directories above are restored.
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  Overwrite overwrite = Overwrite::kChanged;
  // Removes what is in a restored directory and not in the snapshot, except what the patterns leave out, and
  // except in directories that the snapshot holds incompletely.
  bool remove_extraneous = false;
  bool verify = false;       // read every restored file back from the disk and hash it
  bool numeric_ids = false;  // otherwise users and groups are looked up by the names in the snapshot
  bool dry_run = false;      // counts what would be done; looks at the target, changes nothing
  std::uint32_t jobs = 0;    // threads that write; 0 for a good number
  // Called for everything that is made, replaced or removed (or would be), by several threads but by one at
  // a time. May be empty.
  enum class Action : std::uint8_t { kMake, kReplace, kRemove };
  std::function<void(Action action, const std::string& path)> on_action;
};

// What did not come back as it was. The work goes on after each of them.
enum class RestoreProblemKind : std::uint8_t {
  kDamaged,   // the store could not give all bytes of a file (or a directory): exit 5
  kMismatch,  // read back, a file did not have its hash: exit 5
  kRefused,   // a tombstone forbids it: exit 7
  kNotMade,   // the target refused to make, write or read something: exit 6, as for the next two
  kNotRemoved,
  kInTheWay,  // something exists that may not be replaced
  kPartial,   // exit 1, as for all that follow: bytes were never read from the source: holes, listed in the
              // attribute user.asl.bad_ranges
  kOwner,     // from here on: metadata that could not be set
  kMode,
  kTime,
  kXattr,
  kInodeFlags,
  kHardLink,  // made as a file of its own
};
inline constexpr std::size_t kRestoreProblemKinds = 13;
std::string_view restore_problem_name(RestoreProblemKind kind);

struct RestoreProblem {
  RestoreProblemKind kind = RestoreProblemKind::kDamaged;
  std::string path;  // relative to the target, "" for the target itself
  Error error;       // its `path` is empty where it would only repeat the one above
};

struct RestoreReport {
  std::uint64_t files_written = 0;
  std::uint64_t files_unchanged = 0;  // were there already, with this size and mtime
  std::uint64_t files_kept = 0;       // existed and were not to be touched (Overwrite::kNever); of any type
  std::uint64_t files_verified = 0;
  std::uint64_t directories = 0;
  std::uint64_t symlinks = 0;
  std::uint64_t special_files = 0;
  std::uint64_t hard_links = 0;  // names given to a file that another name had brought
  std::uint64_t removed = 0;     // names, what lies below a removed directory included
  std::uint64_t bytes_written = 0;
  std::uint64_t bytes_holes = 0;
  double seconds = 0;

  std::vector<RestoreProblem> problems;  // the first kProblemsKept of each kind
  std::array<std::uint64_t, kRestoreProblemKinds> problem_counts{};
  std::uint64_t count(RestoreProblemKind kind) const {
    return problem_counts[static_cast<std::size_t>(kind)];
  }
  // 0 if there was no problem, else the exit code of the worst.
  int exit_code() const;

  static constexpr std::size_t kProblemsKept = 1000;  // of a kind: bounds memory, not what is counted
};

// Restores the entry at `from`: a directory's contents go into the target, whose metadata becomes the
// directory's; anything else goes into the target under its own name. On success everything written is
// durable.
//
// Interrupted or killed, it is run again with the same options and goes on: a file carries its mtime, and a
// mode other than 01200, only once it is complete, and what exists is replaced only by a complete file.
//
// Errors stop the work: kNotFound (snapshot or path), kUsage (patterns), kRefused (the target lies in the
// store), kNoSpace, kIo (the target cannot be made or synced), kInterrupted. Everything less is a problem in
// the report. `domain` must outlive the call; nothing in the store is changed.
Result<RestoreReport> restore(const Domain& domain, const SnapshotPath& from, const RestoreOptions& options,
                              ProgressCounters& progress, const StopToken& stop);

}  // namespace asl
