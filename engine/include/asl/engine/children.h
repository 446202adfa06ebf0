// What a directory of a snapshot holds, also where it is the made-up root over several sources.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/tree_walk.h>

namespace asl {

// Entries in name order, one leaf in memory at a time. Not thread-safe. The domain must outlive it.
class Children {
 public:
  // `directory` is an entry of `snapshot` (snapshot_root, find_path or one met in a walk); anything but a
  // directory has no children. Errors: those of reading its tree.
  static Result<Children> open(const Domain& domain, const Snapshot& snapshot, const Entry& directory);
  // The next entry, or nullptr at the end. Valid until the next call.
  Result<const Entry*> next();

 private:
  Children() = default;
  std::optional<DirectoryReader> reader_;
  std::vector<Entry> sources_;  // where there is no tree: the snapshot's sources, by name
  std::size_t next_source_ = 0;
};

}  // namespace asl
