#include "transfer/tree_copier.h"

#include <utility>
#include <variant>

namespace asl {
namespace {

std::string join(const std::string& above, const std::string& name) {
  return above.ends_with('/') ? above + name : above + "/" + name;
}

}  // namespace

// Something of the source that cannot be read: the rest goes on without it.
Result<void> TreeCopier::give_up(const std::string& path, const Reference& ref, const Error& error) {
  if (run_.note(path, ref, error)) return {};
  return fail(error);
}

Result<void> TreeCopier::put_node(ByteSpan bytes) {
  ASL_TRY(run_.writer.put_typed(kTagTree, bytes));
  return {};
}

Result<void> TreeCopier::add(const Reference& ref, const std::string& path, std::uint64_t bytes) {
  if (!totals_known_) {
    progress_add(run_.progress.bytes_total, bytes);
    progress_add(run_.progress.files_total, 1);
  }
  return workers_.add({.ref = ref, .place = path, .bytes = bytes});
}

Result<void> TreeCopier::copy_entry(const std::string& path, const Entry& entry, const Entry* base) {
  ASL_TRY(visit(path, entry, base));
  return finish_levels();
}

Result<void> TreeCopier::visit(const std::string& path, const Entry& entry, const Entry* base) {
  if (base == nullptr || base->xattrs != entry.xattrs) {
    for (const Xattr& xattr : entry.xattrs)
      if (!xattr.ref.is_null()) ASL_TRY(add(xattr.ref, path, 0));
  }
  if (entry.content.is_null()) return {};
  if (base != nullptr && base->type == entry.type && base->content == entry.content) return {};
  if (entry.type == EntryType::kDirectory)
    return enter(path, entry.content,
                 base != nullptr && base->type == entry.type ? base->content : Reference());
  if (entry.type != EntryType::kFile) return {};
  if ((entry.flags & kEntryPartial) != 0) return copy_partial(path, entry.content);
  return add(entry.content, path, entry.size_bytes);
}

Result<void> TreeCopier::copy_partial(const std::string& path, const Reference& partial) {
  const auto bytes = run_.source.read_typed(partial, kTagPartial, kPartialSizeMax);
  if (!bytes) return give_up(path, partial, bytes.error());
  const auto decoded = decode_partial(*bytes);
  if (!decoded) return give_up(path, partial, decoded.error());
  for (const PartialPiece& piece : decoded->pieces) ASL_TRY(add(piece.ref, path, piece.length_bytes));
  return add(partial, path, 0);
}

Result<void> TreeCopier::copy_tree(const std::string& path, const Reference& tree, const Reference& base) {
  ASL_TRY(enter(path, tree, base));
  return finish_levels();
}

Result<void> TreeCopier::finish_levels() {
  while (!levels_.empty()) {
    ASL_TRY(run_.stop.check());
    ASL_TRY(advance());
  }
  return {};
}

Result<void> TreeCopier::enter(std::string path, const Reference& tree, const Reference& base) {
  auto level = std::make_unique<Level>();
  level->path = std::move(path);
  level->tree = tree;
  auto node = run_.source.read_typed(tree, kTagTree, kFanOutSizeMax);
  if (!node) return give_up(level->path, tree, node.error());
  if (!base.is_null()) {
    // Without it everything is looked at, that is all.
    if (auto reader = DirectoryReader::open(run_.source, base)) level->base.emplace(std::move(*reader));
  }
  if (LeafReader::open(*node)) {
    level->leaf_ref = tree;
    level->leaf_bytes = std::move(*node);
    ASL_ASSIGN(LeafReader leaf, LeafReader::open(level->leaf_bytes));
    level->leaf.emplace(std::move(leaf));
  } else {
    auto decoded = decode_tree(*node);
    if (!decoded) return give_up(level->path, tree, decoded.error());
    level->leaves = std::move(std::get<TreeFanOut>(*decoded).leaves);
    level->fan_out = std::move(*node);
  }
  if (level->base) level->base_entry = level->base->next().value_or(nullptr);
  levels_.push_back(std::move(level));
  return {};
}

// False if the leaf cannot be read, which has been noted.
Result<bool> TreeCopier::open_leaf(Level& level, const Reference& ref) {
  auto node = run_.source.read_typed(ref, kTagTree, kLeafSizeMax);
  if (!node) {
    ASL_TRY(give_up(level.path, ref, node.error()));
    return false;
  }
  level.leaf_ref = ref;
  level.leaf_bytes = std::move(*node);
  auto leaf = LeafReader::open(level.leaf_bytes);
  if (!leaf) {
    ASL_TRY(give_up(level.path, ref, leaf.error()));
    return false;
  }
  level.leaf.emplace(std::move(*leaf));
  return true;
}

// The entry of the same name in the base; names are asked for in ascending order.
const Entry* TreeCopier::base_of(Level& level, const std::string& name) {
  while (level.base_entry != nullptr && level.base_entry->name < name)
    level.base_entry = level.base->next().value_or(nullptr);
  return level.base_entry != nullptr && level.base_entry->name == name ? level.base_entry : nullptr;
}

// One entry, or one node, further.
Result<void> TreeCopier::advance() {
  Level& level = *levels_.back();
  if (level.leaf) {
    const auto more = level.leaf->next(entry_);
    if (!more) {
      level.leaf.reset();
      return give_up(level.path, level.leaf_ref, more.error());
    }
    if (*more) return visit(join(level.path, entry_.name), entry_, base_of(level, entry_.name));
    level.leaf.reset();
    return put_node(level.leaf_bytes);
  }
  if (level.next_leaf < level.leaves.size()) {
    ASL_TRY(open_leaf(level, level.leaves[level.next_leaf++].ref));
    return {};
  }
  const std::unique_ptr<Level> done = std::move(levels_.back());
  levels_.pop_back();
  return done->fan_out.empty() ? Result<void>() : put_node(done->fan_out);
}

}  // namespace asl
