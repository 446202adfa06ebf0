#include "maintain/tree_rewriter.h"

#include <utility>

namespace asl {

TreeRewriter::Level::Level(std::string at, const Entry& directory, DirectoryReader&& entries,
                           StoreWriter& writer)
    : path(std::move(at)),
      entry(directory),
      reader(std::move(entries)),
      builder([&writer](ByteSpan node) { return writer.put_typed(kTagTree, node); }) {}

bool TreeRewriter::leaves_out(const std::string& path, const Entry& entry) const {
  return filter_.excludes(path, entry.type == EntryType::kDirectory) ||
         (entry.type == EntryType::kFile && filter_.excludes_size(entry.size_bytes));
}

// Nobody can look into it any more, and nothing that is in it can be read: it stays as it is.
bool TreeRewriter::is_withdrawn(const Reference& tree) const {
  return domain_.state()->tombstone(tree) != nullptr;
}

Result<void> TreeRewriter::count(const Entry& entry, SnapshotCounts& removed) const {
  const auto visit = [&](const std::string&, const Entry& gone) -> Result<WalkStep> {
    ASL_TRY(stop_.check());
    switch (gone.type) {
      case EntryType::kFile:
        ++removed.files;
        removed.bytes += gone.size_bytes;
        removed.partial += (gone.flags & kEntryPartial) != 0 ? 1 : 0;
        break;
      case EntryType::kDirectory:
        ++removed.directories;
        break;
      case EntryType::kSymlink:
        ++removed.symlinks;
        break;
      default:
        ++removed.others;
    }
    return WalkStep::kContinue;
  };
  // What goes need not be readable.
  return walk(domain_, entry, visit, [](const std::string&, const Error&) -> Result<void> { return {}; });
}

Result<void> TreeRewriter::enter(std::string path, const Entry& directory) {
  ASL_ASSIGN(DirectoryReader reader, DirectoryReader::open(domain_, directory.content));
  levels_.push_back(std::make_unique<Level>(std::move(path), directory, std::move(reader), writer_));
  return {};
}

Result<std::optional<Entry>> TreeRewriter::advance(SnapshotCounts& removed) {
  Level& level = *levels_.back();
  ASL_ASSIGN(const Entry* const entry, level.reader.next());
  if (entry != nullptr) {
    const std::string path = level.path + entry->name;
    if (leaves_out(path, *entry)) {
      ASL_TRY(count(*entry, removed));
    } else if (entry->type == EntryType::kDirectory && !is_withdrawn(entry->content)) {
      ASL_TRY(enter(path + "/", *entry));
    } else {
      ASL_TRY(level.builder.add(*entry));
    }
    return std::nullopt;
  }
  ASL_ASSIGN(const TreeBuilder::Finished finished, level.builder.finish());
  Entry whole = std::move(level.entry);
  levels_.pop_back();
  whole.content = finished.root;
  whole.below = finished.below;
  if (levels_.empty()) return whole;
  ASL_TRY(levels_.back()->builder.add(whole));
  return std::nullopt;
}

Result<Entry> TreeRewriter::rewrite(const Entry& root, SnapshotCounts& removed) {
  if (root.type != EntryType::kDirectory) return root;
  levels_.clear();
  ASL_TRY(enter("", root));
  while (true) {
    ASL_TRY(stop_.check());
    ASL_ASSIGN(std::optional<Entry> whole, advance(removed));
    if (whole) return std::move(*whole);
  }
}

}  // namespace asl
