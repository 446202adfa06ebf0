// Making the entries of one directory: what to do with a name that exists, temporary names, and everything
// that is not a file's content.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include <asl/engine/io.h>
#include <asl/engine/tree.h>

#include "restore/metadata.h"
#include "restore/restore_run.h"
#include "restore/target_tree.h"

namespace asl {

// Names of files that replace others, while they are written: this and 16 hex digits.
inline constexpr std::string_view kTemporaryPrefix = ".asl-restore-";
bool is_temporary_name(std::string_view name);

// A new file that waits for its content.
struct PlacedFile {
  io::File file;
  bool direct = false;
  DirectoryHandle directory;
  std::string
      temporary_name;  // to be renamed to the entry's name when complete; empty if it has that already
};

enum class Placement : std::uint8_t {
  kWrite,      // a new file is there and wants its content
  kUnchanged,  // the one that was there is the snapshot's; its metadata is set
  kKept,       // one was there and is not to be touched
  kDone,       // made whole (symlinks and special files)
  kFailed,     // a problem, reported
};

// Thread-safe, for different names.
class EntryPlacer {
 public:
  EntryPlacer(RestoreRun& run, TargetTree& tree, const MetadataSetter& metadata);

  // A regular file. With kWrite, `out` is filled.
  Placement place_file(TargetDirectory& directory, const Entry& entry, PlacedFile& out);
  // Everything else but directories.
  Placement place_other(TargetDirectory& directory, const Entry& entry);
  // Gives a file with all its content its metadata and its name. `complete` is false if the store could not
  // give all of its bytes: it is then not taken for finished by a later restore.
  bool finish_file(TargetDirectory& directory, const Entry& entry, PlacedFile& placed, bool complete);
  // Drops one that will not be completed.
  void abandon(PlacedFile& placed);

  // What is to be done about an entry, without doing it (dry run): kWrite, kUnchanged or kKept.
  Placement look(TargetDirectory& directory, const Entry& entry);
  // Whether `now` may stay for `entry`: kWrite if not.
  Placement judge(const io::SourceStat& now, const Entry& entry, int directory_fd) const;

  // Clears `name` for something else: removes a file, or a directory that is empty. False if it stays, which
  // is reported.
  bool make_way(TargetDirectory& directory, int directory_fd, const Entry& entry, const io::SourceStat& now);
  std::string temporary_name();

 private:
  // Makes something by `make(name)`, under its name or, where that is taken by what must be replaced, under a
  // temporary one.
  template <typename Make>
  Placement place(TargetDirectory& directory, const Entry& entry, const DirectoryHandle& handle, Make make,
                  std::string& temporary);
  Placement on_existing(TargetDirectory& directory, const Entry& entry, const DirectoryHandle& handle,
                        const io::SourceStat& now);
  void count(Placement placement, const Entry& entry);

  RestoreRun& run_;
  TargetTree& tree_;
  const MetadataSetter& metadata_;
  const std::uint64_t seed_;
  std::atomic<std::uint64_t> next_temporary_{0};
};

}  // namespace asl
