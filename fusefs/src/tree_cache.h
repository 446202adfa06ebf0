// Leaves of directories in bounded memory, found by snapshot and position.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/reference.h>
#include <asl/engine/tree_leaf.h>

#include "node_id.h"

namespace asl::fusefs {

inline constexpr std::uint32_t kNoPosition = 0xFFFFFFFF;

// One leaf of one directory of one snapshot. Immutable.
struct HeldLeaf {
  std::uint64_t snapshot = 0;               // TreePlace::node_id() of the snapshot's root
  std::uint32_t directory = 0;              // position of the directory
  std::uint32_t parent_leaf = kNoPosition;  // first position of the leaf that holds the directory's own entry
  std::uint32_t first_position = 0;         // of its first entry
  std::uint64_t first_index = 0;            // number of its first entry in the directory
  std::uint64_t directory_entries = 0;      // of the whole directory
  IndexedLeaf leaf;

  bool covers(std::uint32_t position) const {
    return position >= first_position && position - first_position < leaf.span();
  }
  std::uint32_t position_of(std::uint32_t number) const { return first_position + leaf.position(number); }
};
using LeafPointer = std::shared_ptr<const HeldLeaf>;

// The leaves of a directory that has more than one. Immutable.
struct LeafList {
  struct Item {
    std::string first_name;
    std::uint64_t first_index = 0;
    std::uint32_t first_position = 0;
    std::uint64_t span = 0;  // positions
    std::uint32_t entries = 0;
    Reference ref;
  };
  std::vector<Item> items;
  std::uint64_t entries = 0;

  std::size_t memory_bytes() const;
};
using LeafListPointer = std::shared_ptr<const LeafList>;

// Least recently used go first. What was handed out stays valid. Thread-safe.
class TreeCache {
 public:
  explicit TreeCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // The leaf that covers a position most closely: the entry is in it, or below a directory in it. Null if
  // nothing that is held covers it.
  LeafPointer covering(std::uint64_t snapshot, std::uint32_t position);
  // The leaf that begins there, if it is one of `directory`.
  LeafPointer leaf_at(std::uint64_t snapshot, std::uint32_t first_position, std::uint32_t directory);
  LeafListPointer list_of(std::uint64_t snapshot, std::uint32_t directory);
  // A leaf has at least one entry. What is there already stays.
  void insert(const LeafPointer& leaf);
  void insert(std::uint64_t snapshot, std::uint32_t directory, const LeafListPointer& list);

  std::size_t bytes() const;

 private:
  struct Key {
    std::uint64_t snapshot;
    std::uint32_t position;
    bool operator==(const Key&) const = default;
    auto operator<=>(const Key&) const = default;
  };
  struct Slot {
    Key key;
    LeafPointer leaf;  // one of these two
    LeafListPointer list;
    std::size_t bytes = 0;
  };
  using Slots = std::list<Slot>;
  using Places = std::map<Key, Slots::iterator>;

  void touch(Slots::iterator slot) { recent_.splice(recent_.begin(), recent_, slot); }
  void add(Places& places, Slot slot);

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;  // guards the rest
  Slots recent_;              // most recent first
  Places leaves_;             // by first position
  Places lists_;              // by the directory's position
  std::size_t bytes_ = 0;
};

}  // namespace asl::fusefs
