// One snapshot as a tree of numbered places. Knows nothing of FUSE.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <asl/engine/domain.h>
#include <asl/engine/tree.h>

#include "tree_cache.h"

namespace asl::fusefs {

// An entry and where it stands.
struct PlacedEntry {
  std::uint32_t position = 0;
  Entry entry;
};

// Positions are those of a depth-first walk in name order, the root being 0: they follow from the `below`
// counts of the trees, so that an entry is found by its position without walking, and has the same one for
// ever. Thread-safe. Errors: those of Domain::read_typed, kIntegrity where counts contradict each other.
class SnapshotTree {
 public:
  // kNotFound for a snapshot that is unknown or forgotten, kUnsupported for one with more entries, or a
  // larger id, than can be numbered. `domain` and `cache` must outlive the object.
  static Result<std::shared_ptr<const SnapshotTree>> open(const Domain& domain, std::uint32_t slot,
                                                          std::uint64_t snapshot_id, TreeCache& cache);

  const Domain& domain() const { return domain_; }
  std::uint64_t snapshot_id() const { return snapshot_id_; }
  const Entry& root() const { return root_; }  // nameless
  std::uint64_t partial_files() const { return partial_files_; }
  std::size_t memory_bytes() const;

  // kNotFound if the snapshot has no such position.
  Result<Entry> entry(std::uint32_t position) const;
  // The directory that holds it, by position, and its number in there. Not for the root.
  struct Place {
    std::uint32_t directory = 0;
    std::uint64_t index = 0;
  };
  Result<Place> place(std::uint32_t position) const;
  // The entry `name` of the directory at `position`; nothing if it has none (or is no directory).
  Result<std::optional<PlacedEntry>> lookup(std::uint32_t directory, std::string_view name) const;
  // The entry at "a/b/c"; nothing if there is none.
  Result<std::optional<PlacedEntry>> find_path(std::string_view path) const;
  // The leaf that holds entry number `index` of a directory, null at the end.
  Result<LeafPointer> leaf_with(std::uint32_t directory, std::uint64_t index) const;

 private:
  SnapshotTree(const Domain& domain, TreeCache& cache) : domain_(domain), cache_(cache) {}

  // What must be known of a directory to read it.
  struct Directory {
    std::uint32_t position = 0;
    std::uint32_t holder = kNoPosition;  // first position of the leaf with its entry
    Reference tree;
    std::uint64_t below = 0;
  };
  struct Found {
    LeafPointer leaf;
    std::uint32_t number = 0;
  };
  using ChooseItem = std::function<const LeafList::Item*(const LeafList&)>;

  Result<void> make_root_over(const Snapshot& snapshot);
  Result<Bytes> read_node(const Reference& ref, std::size_t size_max) const;
  Result<Found> find(std::uint32_t position) const;
  Result<Directory> directory_at(std::uint32_t position) const;
  Directory directory_of(const Found& found, const Entry& entry) const;
  // The one leaf of the directory, or that of its leaves which is chosen; null if it is empty, or none is.
  Result<LeafPointer> leaf_of(const Directory& directory, const ChooseItem& choose) const;
  Result<LeafPointer> load_leaf(const Directory& directory, const LeafList& list,
                                const LeafList::Item& item) const;
  Result<LeafListPointer> index_fan_out(const Directory& directory, ByteSpan node) const;
  Result<LeafPointer> hold(const Directory& directory, Bytes node, const LeafList::Item& item,
                           std::uint64_t directory_entries) const;

  const Domain& domain_;
  TreeCache& cache_;
  std::uint64_t snapshot_id_ = 0;
  std::uint64_t key_ = 0;  // node id of the root
  Entry root_;
  std::uint64_t partial_files_ = 0;
  // Of a root over several sources, which exists in no artifact.
  std::unordered_map<Reference, Bytes, ReferenceHash> made_up_;
};

}  // namespace asl::fusefs
