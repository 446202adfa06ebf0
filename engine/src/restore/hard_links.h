// Hard links, with no memory of them: the first name of each inode is also linked into a directory in the
// target, where the others find it by the inode's id.
#pragma once

#include <atomic>
#include <string>

#include <asl/engine/tree.h>

#include "restore/entry_placer.h"
#include "restore/restore_run.h"
#include "restore/target_tree.h"

namespace asl {

// link() and remember() are for one thread.
class HardLinks {
 public:
  static constexpr const char* kDirectoryName = ".asl-restore-links";

  HardLinks(RestoreRun& run, TargetTree& tree, EntryPlacer& placer)
      : run_(run), tree_(tree), placer_(placer) {}

  // Removes what a killed restore left. `root` is the target; a snapshot that has kDirectoryName itself at
  // its root gets `avoid_name` true, and another name is used.
  void begin(DirectoryHandle target, bool avoid_name);

  enum class Linked : std::uint8_t {
    kDone,   // the name is there (or must not be touched)
    kFirst,  // no other name of the inode came by yet: make it, then remember() it
    kAlone,  // the target cannot link it (reported): make it as a file of its own
  };
  Linked link(TargetDirectory& directory, const Entry& entry);
  // `name` in `directory` is the inode of `entry`; its content may come later.
  void remember(const io::File& directory, const char* name, const Entry& entry, const std::string& path);

  // Removes the directory of links.
  void end();

 private:
  bool make_directory();
  Linked relink(TargetDirectory& directory, const io::File& handle, const Entry& entry);
  Linked give_up(TargetDirectory& directory, const Entry& entry, Error error);

  RestoreRun& run_;
  TargetTree& tree_;
  EntryPlacer& placer_;
  std::string name_ = kDirectoryName;
  DirectoryHandle target_;
  io::File links_;  // open once there is a hard link
  bool unusable_ = false;
};

}  // namespace asl
