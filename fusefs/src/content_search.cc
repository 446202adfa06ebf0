#include "content_search.h"

#include <optional>
#include <vector>

namespace asl::fusefs {
namespace {

Result<void> search_tree(const SnapshotTree& tree, const References& contents,
                         const std::function<void(std::uint32_t position)>& found) {
  std::vector<std::uint32_t> directories{0};
  Entry entry;
  while (!directories.empty()) {
    const std::uint32_t directory = directories.back();
    directories.pop_back();
    for (std::uint64_t index = 0;;) {
      ASL_ASSIGN(const LeafPointer leaf, tree.leaf_with(directory, index));
      if (!leaf) break;
      for (std::uint32_t number = 0; number < leaf->leaf.count(); ++number) {
        leaf->leaf.entry(number, entry);
        if (entry.type == EntryType::kDirectory)
          directories.push_back(leaf->position_of(number));
        else if (entry.type == EntryType::kFile &&
                 (entry.content.is_typed() || contents.contains(entry.content)))
          found(leaf->position_of(number));
      }
      index = leaf->first_index + leaf->leaf.count();
    }
  }
  return {};
}

}  // namespace

Reply<void> find_nodes(DomainView& domain, const References& contents,
                       const std::function<void(std::uint64_t node)>& found) {
  std::optional<Failure> first;
  for (const std::uint32_t snapshot : domain.looked_at()) {
    const auto tree = domain.tree(snapshot);
    if (!tree) continue;  // forgotten: its nodes answer ESTALE
    auto searched = search_tree(**tree, contents, [&](std::uint32_t position) {
      found(TreePlace{domain.slot(), snapshot, position}.node_id());
    });
    if (!searched && !first) first = Failure(std::move(searched).error());
  }
  if (first) return std::unexpected(std::move(*first));
  return {};
}

}  // namespace asl::fusefs
