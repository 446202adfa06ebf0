#include "transfer/tree_assembler.h"

#include <utility>

namespace asl {
namespace {

constexpr std::uint16_t kMadeUpMode = 0755;

Entry made_up_directory() {
  Entry entry;
  entry.type = EntryType::kDirectory;
  entry.mode = kMadeUpMode;
  entry.flags = kEntryMetadataIncomplete;
  return entry;
}

std::vector<std::string_view> names_of(std::string_view path) {
  std::vector<std::string_view> names;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('\0'), path.size());
    names.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return names;
}

}  // namespace

TreeAssembler::Directory::Directory(StoreWriter& writer)
    : builder([&writer](ByteSpan node) { return writer.put_typed(kTagTree, node); }) {}

TreeAssembler::TreeAssembler(StoreWriter& writer) : writer_(writer) {}

void TreeAssembler::count(const Entry& entry) {
  switch (entry.type) {
    case EntryType::kFile:
      ++counts_.files;
      counts_.bytes += entry.size_bytes;
      break;
    case EntryType::kDirectory:
      ++counts_.directories;
      break;
    case EntryType::kSymlink:
      ++counts_.symlinks;
      break;
    default:
      ++counts_.others;
  }
}

Result<void> TreeAssembler::open(std::string name, Entry entry) {
  if (!open_.empty()) ++open_.back()->subdirectories;
  entry.name = std::move(name);
  open_.push_back(std::make_unique<Directory>(writer_));
  open_.back()->entry = std::move(entry);
  return {};
}

// The innermost directory is whole.
Result<void> TreeAssembler::close() {
  Directory& directory = *open_.back();
  ASL_ASSIGN(const TreeBuilder::Finished finished, directory.builder.finish());
  directory.entry.content = finished.root;
  directory.entry.below = finished.below;
  directory.entry.nlink = 2 + directory.subdirectories;  // as most file systems count
  count(directory.entry);
  const std::unique_ptr<Directory> closed = std::move(open_.back());
  open_.pop_back();
  return open_.back()->builder.add(closed->entry);
}

Result<void> TreeAssembler::add(std::string_view path, Entry entry) {
  if (path.empty()) {
    if (entry.type != EntryType::kDirectory || !open_.empty())
      return fail(ErrorCode::kUsage, "the root of a tree is not its first entry, or no directory");
    return open("", std::move(entry));
  }
  if (open_.empty()) {
    ++made_up_;
    ASL_TRY(open("", made_up_directory()));
  }
  const std::vector<std::string_view> names = names_of(path);
  std::size_t common = 0;
  while (common + 1 < open_.size() && common + 1 < names.size() &&
         open_[common + 1]->entry.name == names[common])
    ++common;
  while (open_.size() > common + 1) ASL_TRY(close());
  for (; common + 1 < names.size(); ++common) {
    ++made_up_;
    ASL_TRY(open(std::string(names[common]), made_up_directory()));
  }
  if (entry.type == EntryType::kDirectory) return open(std::string(names.back()), std::move(entry));
  entry.name = names.back();
  count(entry);
  return open_.back()->builder.add(entry);
}

Result<Entry> TreeAssembler::finish() {
  if (open_.empty()) {
    ++made_up_;
    ASL_TRY(open("", made_up_directory()));
  }
  while (open_.size() > 1) ASL_TRY(close());
  Directory& root = *open_.back();
  ASL_ASSIGN(const TreeBuilder::Finished finished, root.builder.finish());
  root.entry.content = finished.root;
  root.entry.below = finished.below;
  root.entry.nlink = 2 + root.subdirectories;
  count(root.entry);
  return std::move(root.entry);
}

}  // namespace asl
