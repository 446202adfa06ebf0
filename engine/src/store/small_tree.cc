#include <algorithm>
#include <map>
#include <utility>

#include <asl/engine/small_tree.h>

#include "pin/settle.h"
#include "store/derived_files.h"
#include "store/snapshot_anchor.h"

namespace asl {
namespace {

constexpr std::uint16_t kFileMode = 0644;
constexpr std::uint16_t kDirectoryMode = 0755;

using FilesByName = std::map<std::string, const SmallFile*>;

Result<std::map<std::string, FilesByName>> by_directory(const SmallTree& tree) {
  std::map<std::string, FilesByName> directories{{"", {}}};
  for (const SmallFile& file : tree.files) {
    const std::size_t slash = file.path.find('/');
    const std::string directory = slash == file.path.npos ? "" : file.path.substr(0, slash);
    const std::string name = slash == file.path.npos ? file.path : file.path.substr(slash + 1);
    const bool valid = is_valid_name(name) && (slash == file.path.npos || is_valid_name(directory)) &&
                       directories[directory].emplace(name, &file).second;
    if (!valid)
      return fail(Error{.code = ErrorCode::kUsage, .message = "no path for a small tree", .path = file.path});
  }
  for (const auto& [directory, files] : directories)
    if (directories.at("").contains(directory))
      return fail(Error{
          .code = ErrorCode::kUsage, .message = "a file and a directory of one name", .path = directory});
  return directories;
}

class SmallTreeWriter {
 public:
  SmallTreeWriter(StoreWriter& writer, Lane& lane, const SmallTree& tree)
      : writer_(writer), lane_(lane), tree_(tree) {}

  Result<Entry> write(SnapshotCounts& counts) {
    ASL_ASSIGN(const auto directories, by_directory(tree_));
    std::map<std::string, Entry> top;
    for (const auto& [directory, files] : directories) {
      if (directory.empty()) continue;
      ASL_ASSIGN(std::vector<Entry> entries, write_files(files, counts));
      ASL_ASSIGN(Entry entry, write_directory(directory, entries));
      top.emplace(directory, std::move(entry));
      ++counts.directories;
    }
    ASL_ASSIGN(std::vector<Entry> entries, write_files(directories.at(""), counts));
    for (Entry& entry : entries) top.emplace(entry.name, entry);
    entries.clear();
    for (auto& [name, entry] : top) entries.push_back(std::move(entry));
    ++counts.directories;
    return write_directory("", entries);
  }

 private:
  Entry entry_of(const std::string& name, EntryType type, std::uint16_t mode) const {
    Entry entry;
    entry.name = name;
    entry.type = type;
    entry.mode = mode;
    entry.mtime_s = tree_.time_s;
    entry.nlink = 1;
    return entry;
  }

  Result<std::vector<Entry>> write_files(const FilesByName& files, SnapshotCounts& counts) {
    std::vector<Entry> entries;
    for (const auto& [name, file] : files) {
      ASL_ASSIGN(const WrittenArtifact written, lane_.put(as_bytes(file->content)));
      Entry entry = entry_of(name, EntryType::kFile, kFileMode);
      entry.content = written.reference;
      entry.size_bytes = written.length;
      entry.hole_bytes = written.hole_bytes;
      entries.push_back(std::move(entry));
      ++counts.files;
      counts.bytes += written.length;
    }
    return entries;
  }

  Result<Entry> write_directory(const std::string& name, const std::vector<Entry>& entries) {
    TreeBuilder builder([&](ByteSpan node) { return writer_.put_typed(kTagTree, node); });
    for (const Entry& entry : entries) ASL_TRY(builder.add(entry));
    ASL_ASSIGN(const TreeBuilder::Finished finished, builder.finish());
    Entry entry = entry_of(name, EntryType::kDirectory, kDirectoryMode);
    entry.content = finished.root;
    entry.below = finished.below;
    return entry;
  }

  StoreWriter& writer_;
  Lane& lane_;
  const SmallTree& tree_;
};

}  // namespace

Result<SmallSnapshot> commit_small_tree(StoreWriter& writer, const Domain& domain, const SmallTree& tree,
                                        std::span<const NewRecord> records, Notices& notices) {
  Snapshot snapshot;
  snapshot.domain_id = domain.id();
  snapshot.snapshot_id = domain.state()->next_snapshot_id();
  snapshot.created_s = tree.time_s;
  snapshot.label = tree.label;
  snapshot.tags = sorted_tags(tree.tags);
  snapshot.claim = tree.claim;
  {
    ASL_ASSIGN(const std::unique_ptr<Lane> lane, writer.make_lane());
    ASL_ASSIGN(Entry root, SmallTreeWriter(writer, *lane, tree).write(snapshot.counts));
    snapshot.roots.push_back({.source_path = tree.source_path, .entry = std::move(root)});
  }
  snapshot.parent_id = find_parent(domain, snapshot);
  ASL_ASSIGN(const Reference reference, anchor_snapshot(writer, domain, snapshot, records, notices));
  return SmallSnapshot{.id = snapshot.snapshot_id, .reference = reference};
}

Result<void> commit_log_records(StoreWriter& writer, const Domain& domain, std::span<const NewRecord> records,
                                Notices& notices) {
  ASL_TRY(writer.commit(records));
  if (auto written = write_domain_json(domain); !written)
    notices.push_back("domain.json could not be written: " + written.error().to_string());
  settle_pins(domain, false, notices);
  return {};
}

}  // namespace asl
