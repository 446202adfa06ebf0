#include "tree_cache.h"

#include <utility>

namespace asl::fusefs {
namespace {

// What a slot costs beside what it holds: list and map nodes, the shared pointer's counts.
constexpr std::size_t kSlotOverheadBytes = 256;

}  // namespace

std::size_t LeafList::memory_bytes() const {
  std::size_t bytes = sizeof *this + items.capacity() * sizeof(Item);
  for (const Item& item : items) bytes += item.first_name.capacity();
  return bytes;
}

LeafPointer TreeCache::covering(std::uint64_t snapshot, std::uint32_t position) {
  const std::lock_guard lock(mutex_);
  auto at = leaves_.upper_bound({snapshot, position});
  if (at == leaves_.begin()) return nullptr;
  // The nearest leaf that begins before the position may end before it too; what covers it is then among the
  // leaves above that one.
  for (--at; at->first.snapshot == snapshot;) {
    const Slots::iterator slot = at->second;
    if (slot->leaf->covers(position)) {
      touch(slot);
      return slot->leaf;
    }
    if (slot->leaf->parent_leaf == kNoPosition) return nullptr;
    at = leaves_.find({snapshot, slot->leaf->parent_leaf});
    if (at == leaves_.end()) return nullptr;
  }
  return nullptr;
}

LeafPointer TreeCache::leaf_at(std::uint64_t snapshot, std::uint32_t first_position,
                               std::uint32_t directory) {
  const std::lock_guard lock(mutex_);
  const auto at = leaves_.find({snapshot, first_position});
  if (at == leaves_.end() || at->second->leaf->directory != directory) return nullptr;
  touch(at->second);
  return at->second->leaf;
}

LeafListPointer TreeCache::list_of(std::uint64_t snapshot, std::uint32_t directory) {
  const std::lock_guard lock(mutex_);
  const auto at = lists_.find({snapshot, directory});
  if (at == lists_.end()) return nullptr;
  touch(at->second);
  return at->second->list;
}

void TreeCache::insert(const LeafPointer& leaf) {
  const std::lock_guard lock(mutex_);
  add(leaves_, {.key = {leaf->snapshot, leaf->first_position},
                .leaf = leaf,
                .list = nullptr,
                .bytes = sizeof(HeldLeaf) + leaf->leaf.memory_bytes() + kSlotOverheadBytes});
}

void TreeCache::insert(std::uint64_t snapshot, std::uint32_t directory, const LeafListPointer& list) {
  const std::lock_guard lock(mutex_);
  add(lists_, {.key = {snapshot, directory},
               .leaf = nullptr,
               .list = list,
               .bytes = list->memory_bytes() + kSlotOverheadBytes});
}

void TreeCache::add(Places& places, Slot slot) {
  if (places.contains(slot.key)) return;  // another thread read it at the same time
  bytes_ += slot.bytes;
  recent_.push_front(std::move(slot));
  places.emplace(recent_.front().key, recent_.begin());
  while (bytes_ > bytes_max_ && recent_.size() > 1) {
    const Slot& last = recent_.back();
    bytes_ -= last.bytes;
    (last.leaf ? leaves_ : lists_).erase(last.key);
    recent_.pop_back();
  }
}

std::size_t TreeCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace asl::fusefs
