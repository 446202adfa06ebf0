#include "snapshot_tree.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <asl/engine/tree_walk.h>

namespace asl::fusefs {
namespace {

std::unexpected<Error> contradiction(const Reference& tree) {
  return fail(Error{.code = ErrorCode::kIntegrity,
                    .message = "a directory has another number of entries below it than is said of it",
                    .object = to_text(tree)});
}

template <typename T>
Result<T> in_tree(Result<T> result, const Reference& ref) {
  if (!result && result.error().object.empty())
    return fail(std::move(result).error().with_object(to_text(ref)));
  return result;
}

bool is_directory(const Entry& entry) {
  return entry.type == EntryType::kDirectory;
}

}  // namespace

Result<std::shared_ptr<const SnapshotTree>> SnapshotTree::open(const Domain& domain, std::uint32_t slot,
                                                               std::uint64_t snapshot_id, TreeCache& cache) {
  if (snapshot_id > kSnapshotIdMax)
    return fail(Error{.code = ErrorCode::kUnsupported,
                      .message = "the snapshot's number is beyond what a mount can show",
                      .object = std::to_string(snapshot_id)});
  ASL_ASSIGN(const Snapshot snapshot, domain.snapshot(snapshot_id));
  std::shared_ptr<SnapshotTree> tree(new SnapshotTree(domain, cache));
  tree->snapshot_id_ = snapshot_id;
  tree->key_ = TreePlace{slot, static_cast<std::uint32_t>(snapshot_id), 0}.node_id();
  tree->partial_files_ = snapshot.counts.partial;
  ASL_ASSIGN(tree->root_, snapshot_root(domain, snapshot));
  if (tree->root_.content.is_null()) ASL_TRY(tree->make_root_over(snapshot));
  if (tree->root_.below > kPositionMax - 1)
    return fail(Error{.code = ErrorCode::kUnsupported,
                      .message = "the snapshot has more entries than a mount can number",
                      .object = std::to_string(snapshot_id)});
  return tree;
}

Result<void> SnapshotTree::make_root_over(const Snapshot& snapshot) {
  std::vector<Entry> sources;
  for (const SnapshotRoot& source : snapshot.roots) sources.push_back(source.entry);
  std::ranges::sort(sources, {}, &Entry::name);
  TreeBuilder builder([&](ByteSpan node) -> Result<Reference> {
    const Reference ref = typed_reference(kTagTree, node);
    made_up_.emplace(ref, Bytes(node.begin(), node.end()));
    return ref;
  });
  for (const Entry& source : sources) ASL_TRY(builder.add(source));
  ASL_ASSIGN(const TreeBuilder::Finished finished, builder.finish());
  root_.content = finished.root;
  root_.below = finished.below;
  return {};
}

std::size_t SnapshotTree::memory_bytes() const {
  std::size_t bytes = sizeof *this;
  for (const auto& [ref, node] : made_up_) bytes += sizeof ref + node.capacity();
  return bytes;
}

Result<Bytes> SnapshotTree::read_node(const Reference& ref, std::size_t size_max) const {
  if (const auto own = made_up_.find(ref); own != made_up_.end()) return own->second;
  return domain_.read_typed(ref, kTagTree, size_max);
}

Result<Entry> SnapshotTree::entry(std::uint32_t position) const {
  if (position == 0) return root_;
  ASL_ASSIGN(const Found found, find(position));
  Entry entry;
  found.leaf->leaf.entry(found.number, entry);
  return entry;
}

Result<SnapshotTree::Place> SnapshotTree::place(std::uint32_t position) const {
  ASL_ASSIGN(const Found found, find(position));
  return Place{.directory = found.leaf->directory, .index = found.leaf->first_index + found.number};
}

Result<std::optional<PlacedEntry>> SnapshotTree::lookup(std::uint32_t directory,
                                                        std::string_view name) const {
  // A directory of one leaf needs no look at its own entry.
  LeafPointer leaf = cache_.leaf_at(key_, directory + 1, directory);
  if (!leaf || leaf->directory_entries != leaf->leaf.count()) {
    ASL_ASSIGN(const Directory place, directory_at(directory));
    ASL_ASSIGN(leaf, leaf_of(place, [&](const LeafList& list) -> const LeafList::Item* {
                 const auto after = std::ranges::upper_bound(list.items, name, {}, [](const auto& item) {
                   return std::string_view(item.first_name);
                 });
                 return after == list.items.begin() ? nullptr : &*std::prev(after);
               }));
  }
  const auto number = leaf ? leaf->leaf.find(name) : std::nullopt;
  if (!number) return std::nullopt;
  PlacedEntry placed;
  placed.position = leaf->position_of(*number);
  leaf->leaf.entry(*number, placed.entry);
  return placed;
}

Result<std::optional<PlacedEntry>> SnapshotTree::find_path(std::string_view path) const {
  PlacedEntry at{.position = 0, .entry = root_};
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    if (name.empty()) continue;
    ASL_ASSIGN(auto next, lookup(at.position, name));
    if (!next) return std::nullopt;
    at = std::move(*next);
  }
  return at;
}

Result<LeafPointer> SnapshotTree::leaf_with(std::uint32_t directory, std::uint64_t index) const {
  LeafPointer leaf = cache_.leaf_at(key_, directory + 1, directory);
  if (!leaf || index >= leaf->leaf.count()) {
    if (leaf && index >= leaf->directory_entries) return LeafPointer();
    ASL_ASSIGN(const Directory place, directory_at(directory));
    ASL_ASSIGN(leaf, leaf_of(place, [&](const LeafList& list) -> const LeafList::Item* {
                 if (index >= list.entries) return nullptr;
                 const auto after =
                     std::ranges::upper_bound(list.items, index, {}, &LeafList::Item::first_index);
                 return &*std::prev(after);
               }));
  }
  if (leaf && index >= leaf->first_index + leaf->leaf.count()) return LeafPointer();
  return leaf;
}

// From the closest leaf in memory down to the one that has the entry.
Result<SnapshotTree::Found> SnapshotTree::find(std::uint32_t position) const {
  const auto beyond = [&] {
    return fail(Error{.code = ErrorCode::kNotFound,
                      .message = "the snapshot has no such position",
                      .object = std::to_string(position)});
  };
  if (position == 0 || position > root_.below) return beyond();
  LeafPointer leaf = cache_.covering(key_, position);
  Directory directory{.position = 0, .holder = kNoPosition, .tree = root_.content, .below = root_.below};
  Entry entry;
  for (;;) {
    if (leaf) {
      const Found found{leaf, leaf->leaf.at_or_above(position - leaf->first_position)};
      if (leaf->position_of(found.number) == position) return found;
      leaf->leaf.entry(found.number, entry);
      directory = directory_of(found, entry);
    }
    ASL_ASSIGN(leaf, leaf_of(directory, [&](const LeafList& list) -> const LeafList::Item* {
                 const auto after =
                     std::ranges::upper_bound(list.items, position, {}, &LeafList::Item::first_position);
                 return after == list.items.begin() ? nullptr : &*std::prev(after);
               }));
    if (!leaf || !leaf->covers(position)) return beyond();
  }
}

SnapshotTree::Directory SnapshotTree::directory_of(const Found& found, const Entry& entry) const {
  return {.position = found.leaf->position_of(found.number),
          .holder = found.leaf->first_position,
          .tree = entry.content,
          .below = entry.below};
}

Result<SnapshotTree::Directory> SnapshotTree::directory_at(std::uint32_t position) const {
  if (position == 0)
    return Directory{.position = 0, .holder = kNoPosition, .tree = root_.content, .below = root_.below};
  ASL_ASSIGN(const Found found, find(position));
  Entry entry;
  found.leaf->leaf.entry(found.number, entry);
  if (!is_directory(entry)) return Directory{.position = position, .holder = {}, .tree = {}, .below = 0};
  return directory_of(found, entry);
}

Result<LeafPointer> SnapshotTree::leaf_of(const Directory& directory, const ChooseItem& choose) const {
  // Nothing below it: what its tree says cannot matter to anybody.
  if (directory.below == 0) return LeafPointer();
  LeafListPointer list = cache_.list_of(key_, directory.position);
  if (!list) {
    if (LeafPointer held = cache_.leaf_at(key_, directory.position + 1, directory.position);
        held && held->directory_entries == held->leaf.count())
      return held;
    ASL_ASSIGN(Bytes node, read_node(directory.tree, kFanOutSizeMax));
    if (LeafReader::open(node)) {
      const LeafList::Item whole{.first_name = {},
                                 .first_index = 0,
                                 .first_position = directory.position + 1,
                                 .span = directory.below,
                                 .entries = 0,
                                 .ref = directory.tree};
      return hold(directory, std::move(node), whole, 0);
    }
    ASL_ASSIGN(list, index_fan_out(directory, node));
  }
  const LeafList::Item* item = choose(*list);
  if (item == nullptr) return LeafPointer();
  return load_leaf(directory, *list, *item);
}

Result<LeafListPointer> SnapshotTree::index_fan_out(const Directory& directory, ByteSpan node) const {
  ASL_ASSIGN(const TreeNode decoded, in_tree(decode_tree(node), directory.tree));
  auto list = std::make_shared<LeafList>();
  std::uint64_t position = std::uint64_t{directory.position} + 1;
  for (const FanOutItem& item : std::get<TreeFanOut>(decoded).leaves) {
    if (item.below > directory.below - (position - directory.position - 1))
      return contradiction(directory.tree);
    list->items.push_back({.first_name = item.first_name,
                           .first_index = list->entries,
                           .first_position = static_cast<std::uint32_t>(position),
                           .span = item.below,
                           .entries = static_cast<std::uint32_t>(item.entries),
                           .ref = item.ref});
    list->entries += item.entries;
    position += item.below;
  }
  if (position - directory.position - 1 != directory.below) return contradiction(directory.tree);
  cache_.insert(key_, directory.position, list);
  return list;
}

Result<LeafPointer> SnapshotTree::load_leaf(const Directory& directory, const LeafList& list,
                                            const LeafList::Item& item) const {
  if (LeafPointer held = cache_.leaf_at(key_, item.first_position, directory.position)) return held;
  ASL_ASSIGN(Bytes node, read_node(item.ref, kLeafSizeMax));
  return hold(directory, std::move(node), item, list.entries);
}

Result<LeafPointer> SnapshotTree::hold(const Directory& directory, Bytes node, const LeafList::Item& item,
                                       std::uint64_t directory_entries) const {
  ASL_ASSIGN(IndexedLeaf leaf, in_tree(IndexedLeaf::open(std::move(node)), item.ref));
  // Numbering relies on these: a leaf that holds more than was said would give one number to two entries.
  if (leaf.span() != item.span || (item.entries != 0 && leaf.count() != item.entries))
    return contradiction(item.ref);
  const std::uint64_t entries = directory_entries == 0 ? leaf.count() : directory_entries;
  auto held = std::make_shared<const HeldLeaf>(HeldLeaf{.snapshot = key_,
                                                        .directory = directory.position,
                                                        .parent_leaf = directory.holder,
                                                        .first_position = item.first_position,
                                                        .first_index = item.first_index,
                                                        .directory_entries = entries,
                                                        .leaf = std::move(leaf)});
  cache_.insert(held);
  return held;
}

}  // namespace asl::fusefs
