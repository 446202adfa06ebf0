#include "index/block_table.h"

#include <cassert>

namespace asl {

std::uint32_t BlockTable::number_of(const BlockId& id) {
  const std::lock_guard lock(mutex_);
  const auto [at, fresh] = numbers_.try_emplace(id, static_cast<std::uint32_t>(ids_.size()));
  if (fresh) ids_.emplace_back(id);
  return at->second;
}

std::uint32_t BlockTable::reserve() {
  const std::lock_guard lock(mutex_);
  ids_.emplace_back(std::nullopt);
  return static_cast<std::uint32_t>(ids_.size() - 1);
}

void BlockTable::resolve(std::uint32_t number, const BlockId& id) {
  const std::lock_guard lock(mutex_);
  assert(number < ids_.size() && !ids_[number]);
  ids_[number] = id;
  // A block with the same bytes may have a number already; both then mean the same block.
  numbers_.try_emplace(id, number);
}

std::optional<BlockId> BlockTable::find(std::uint32_t number) const {
  const std::lock_guard lock(mutex_);
  return number < ids_.size() ? ids_[number] : std::nullopt;
}

std::uint32_t BlockTable::size() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint32_t>(ids_.size());
}

}  // namespace asl
