// Directory trees without what a filter leaves out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/stop.h>
#include <asl/engine/store_writer.h>
#include <asl/engine/tree_walk.h>

#include "ingest/filter.h"

namespace asl {

// Used by one thread. Memory: a leaf, read and built, of each directory on the path.
class TreeRewriter {
 public:
  TreeRewriter(const Domain& domain, StoreWriter& writer, const SourceFilter& filter, const StopToken& stop)
      : domain_(domain), writer_(writer), filter_(filter), stop_(stop) {}

  // A source's root: the entry as it is to be. What is left out is added to `removed`. Nodes that did not
  // change get the reference that they had.
  Result<Entry> rewrite(const Entry& root, SnapshotCounts& removed);
  // An entry that goes, with everything below it.
  Result<void> count(const Entry& entry, SnapshotCounts& removed) const;

 private:
  // A directory under way.
  struct Level {
    Level(std::string at, const Entry& directory, DirectoryReader&& entries, StoreWriter& writer);
    std::string path;  // "" or "a/b/"
    Entry entry;
    DirectoryReader reader;
    TreeBuilder builder;
  };

  Result<void> enter(std::string path, const Entry& directory);
  // One entry of the innermost directory. The root's entry, when it is whole.
  Result<std::optional<Entry>> advance(SnapshotCounts& removed);
  bool leaves_out(const std::string& path, const Entry& entry) const;
  bool is_withdrawn(const Reference& tree) const;

  const Domain& domain_;
  StoreWriter& writer_;
  const SourceFilter& filter_;
  const StopToken stop_;
  std::vector<std::unique_ptr<Level>> levels_;
};

}  // namespace asl
