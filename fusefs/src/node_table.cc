#include "node_table.h"

namespace asl::fusefs {

std::uint64_t NodeTable::remember(const std::string& key, const TableNode& node) {
  const std::lock_guard lock(mutex_);
  const auto [known, added] = numbers_.try_emplace(key, next_);
  if (added) rows_.emplace(next_++, Row{.key = key, .node = node, .lookups = 0});
  ++rows_.at(known->second).lookups;
  return known->second;
}

std::optional<TableNode> NodeTable::find(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(number);
  if (found == rows_.end()) return std::nullopt;
  return found->second.node;
}

void NodeTable::forget(std::uint64_t number, std::uint64_t lookups) {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(number);
  if (found == rows_.end()) return;
  found->second.lookups -= std::min(lookups, found->second.lookups);
  if (found->second.lookups > 0) return;
  numbers_.erase(found->second.key);
  rows_.erase(found);
}

std::size_t NodeTable::size() const {
  const std::lock_guard lock(mutex_);
  return rows_.size();
}

}  // namespace asl::fusefs
