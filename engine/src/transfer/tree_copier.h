// Copies directory trees: walks them in tree order, hands contents to the workers, and stores each node after
// what it names.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/partial.h>
#include <asl/engine/tree_walk.h>

#include "transfer/artifact_copier.h"

namespace asl {

// Used by one thread. Memory: a leaf of each directory on the path, whatever the number of artifacts.
class TreeCopier {
 public:
  TreeCopier(CopyRun& run, CopyWorkers& workers) : run_(run), workers_(workers) {}

  // Without it, every content that is handed out is added to the totals of the progress shown.
  void set_totals_known(bool known) { totals_known_ = known; }

  // What an entry of snapshot `place` ("7:/") names, and everything below it. `base`, if any, is the entry of
  // the same path in a snapshot that is visible in the target: what both share is there already and is not
  // looked at. Nothing weaker would do: that a tree's own node is in the target says nothing of what it
  // names, after an interrupted copy or a gc.
  Result<void> copy_entry(const std::string& path, const Entry& entry, const Entry* base);
  Result<void> copy_tree(const std::string& path, const Reference& tree, const Reference& base);
  // Pieces first, then the partial itself.
  Result<void> copy_partial(const std::string& path, const Reference& partial);

 private:
  // A directory under way.
  struct Level {
    std::string path;
    Reference tree;
    Bytes fan_out;  // its encoding; empty for a directory of one leaf
    std::vector<FanOutItem> leaves;
    std::size_t next_leaf = 0;
    Reference leaf_ref;
    Bytes leaf_bytes;
    std::optional<LeafReader> leaf;  // over leaf_bytes
    std::optional<DirectoryReader> base;
    const Entry* base_entry = nullptr;
  };

  Result<void> add(const Reference& ref, const std::string& path, std::uint64_t bytes);
  Result<void> visit(const std::string& path, const Entry& entry, const Entry* base);
  Result<void> finish_levels();
  Result<void> enter(std::string path, const Reference& tree, const Reference& base);
  Result<bool> open_leaf(Level& level, const Reference& ref);
  Result<void> advance();
  const Entry* base_of(Level& level, const std::string& name);
  Result<void> put_node(ByteSpan bytes);
  Result<void> give_up(const std::string& path, const Reference& ref, const Error& error);

  CopyRun& run_;
  CopyWorkers& workers_;
  std::vector<std::unique_ptr<Level>> levels_;
  bool totals_known_ = false;
  Entry entry_;
};

}  // namespace asl
