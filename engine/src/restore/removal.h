// Removing from the target: what is not in the snapshot, and what a killed restore left.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/io.h>

#include "io/tree_fs.h"
#include "restore/restore_run.h"
#include "restore/target_tree.h"

namespace asl {

// Directories below one that is removed; each level keeps a descriptor open.
inline constexpr std::uint32_t kRemovalDepthMax = 512;

// The names in one existing directory, checked off as the snapshot's entries come by.
class ExistingNames {
 public:
  static Result<ExistingNames> list(const io::File& directory);
  // The snapshot has this name. Names must come in ascending order.
  void keep(std::string_view name);
  // Those that were not kept.
  template <typename Each>
  void for_each_extraneous(Each each) const {
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (!kept_[i]) each(names_.name(i), names_.c_name(i));
  }

 private:
  io::NameList names_;
  std::vector<bool> kept_;
  std::size_t next_ = 0;
};

// Removes an entry and, if it is a directory, all below it; what cannot be removed is a problem. Symlinks are
// removed, not followed, and directories of the store refused. Returns how many names went.
// With kCleanUp it goes on although the run is ending.
enum class RemovalReason : std::uint8_t { kExtraneous, kCleanUp };
std::uint64_t remove_entry(RestoreRun& run, const TargetTree& tree, const io::File& directory,
                           const char* name, const std::string& path, RemovalReason reason);

}  // namespace asl
