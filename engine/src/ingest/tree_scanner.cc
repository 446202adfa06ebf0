#include "ingest/tree_scanner.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <numeric>
#include <sys/stat.h>
#include <utility>

namespace asl {
namespace {

std::string join(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && !name.empty() && path.back() != '/') path += '/';
  path += name;
  return path;
}

}  // namespace

TreeScanner::TreeScanner(IngestRun& run, StatCache* stat_cache, std::string root_path,
                         std::string snapshot_prefix, Entry& root)
    : run_(run),
      stat_cache_(stat_cache),
      root_path_(std::move(root_path)),
      snapshot_prefix_(std::move(snapshot_prefix)),
      root_entry_(root) {
  if (!run_.options.exclude_directory.empty()) {
    if (const auto stat = io::stat_at(AT_FDCWD, run_.options.exclude_directory.c_str())) {
      excluded_device_ = stat->device;
      excluded_inode_ = stat->inode;
    }
  }
  root_ = std::make_unique<ScanNode>([this](ByteSpan node) { return run_.writer.put_typed(kTagTree, node); });
  root_->entry = &root_entry_;
  stack_.push({root_.get(), true});
}

std::string TreeScanner::shown_path(const ScanNode& node, std::string_view name) const {
  return join(join(root_path_, node.path), name);
}

std::string TreeScanner::snapshot_path(const ScanNode& node, std::string_view name) const {
  return join(join(snapshot_prefix_, node.path), name);
}

void TreeScanner::close() {
  stack_.close();
  batches_.close();
}

void TreeScanner::scan() {
  while (auto task = stack_.pop()) {
    if (run_.must_stop()) break;
    if (auto done = run_task(*task); !done) {
      run_.abort(std::move(done).error());
      break;  // nobody else may come to close the queues that all others wait at
    }
  }
  if (run_.aborted()) close();
}

Result<void> TreeScanner::run_task(const Task& task) {
  if (task.open) {
    ASL_TRY(open_directory(*task.node));
    if (task.node->names.empty()) {
      // Nothing to wait for: the node ends here, as if its last chunk were done.
      chunk_part_done(finish_node(*task.node));
      return {};
    }
  }
  return scan_chunk(*task.node);
}

// A directory that cannot be opened or listed stays in the snapshot, empty or short, flagged and reported; a
// source that cannot be opened ends the run.
Result<void> TreeScanner::open_directory(ScanNode& node) {
  const io::OpenOptions how{.no_follow = node.parent != nullptr, .directory = true, .no_atime = true};
  auto opened = node.parent != nullptr
                    ? run_.source_io.open_at(node.parent->node->directory, node.entry->name, how)
                    : run_.source_io.open(root_path_, how);
  if (!opened && node.parent == nullptr) {
    Error error = std::move(opened).error();
    error.message = "cannot ingest";
    return fail(std::move(error).with_path(root_path_));
  }
  if (!opened) {
    run_.add_problem(shown_path(node, ""), "open", opened.error().sys_errno);
    node.entry->flags |= kEntryNotFullyListed;
    return {};
  }
  node.directory = std::move(*opened);
  const auto stat = io::stat_fd(node.directory.fd());
  if (!stat) {
    run_.add_problem(shown_path(node, ""), "stat", stat.error().sys_errno);
    node.entry->flags |= kEntryNotFullyListed | kEntryMetadataIncomplete;
    return {};
  }
  if (node.parent == nullptr) {
    node.device = stat->device;
    run_.devices.enter(node.device, snapshot_path(node, ""));
  }
  fill_entry(*node.entry, *stat);
  run_.add_owner(stat->uid, stat->gid);
  ASL_TRY(add_xattrs(run_, *node.entry, io::read_xattrs(node.directory.fd()), shown_path(node, "")));
  if (stat->device == excluded_device_ && stat->inode == excluded_inode_) {
    run_.add_excluded();
    return {};
  }
  return list(node);
}

Result<void> TreeScanner::list(ScanNode& node) {
  if (auto listed = io::list_all(node.directory.fd(), node.names); !listed) {
    run_.add_problem(shown_path(node, ""), "list", listed.error().sys_errno);
    node.entry->flags |= kEntryNotFullyListed;
  }
  node.names.sort_by_name();
  if (run_.filter.markers().empty()) return {};
  ASL_ASSIGN(const bool marked, keep_only_marker(node));
  if (marked) run_.add_excluded();
  return {};
}

Result<bool> TreeScanner::keep_only_marker(ScanNode& node) {
  for (std::size_t index = 0; index < node.names.size(); ++index) {
    const std::string name(node.names.name(index));
    if (!run_.filter.is_marker_name(name)) continue;
    std::size_t header_max = 0;
    for (const auto& marker : run_.filter.markers()) header_max = std::max(header_max, marker.header.size());
    Bytes header(header_max);
    auto file = run_.source_io.open_at(node.directory, name, {.no_follow = true, .no_atime = true});
    if (!file) continue;  // reported when the file itself is read
    const auto got = run_.source_io.read(*file, header, 0);
    if (!got || run_.filter.marker_in(name, ByteSpan(header).first(*got)) == nullptr) continue;
    io::NameList only;
    const auto item = node.names.item(index);
    if (!only.add(name, item.inode, item.type))
      return fail(ErrorCode::kUnsupported, "a directory listing is too large");
    node.names = std::move(only);
    return true;
  }
  return false;
}

Result<void> TreeScanner::scan_chunk(ScanNode& node) {
  auto owned = std::make_unique<ScanChunk>();
  ScanChunk* const chunk = owned.get();
  chunk->node = &node;
  const std::size_t first = node.next_name;
  const std::size_t count = std::min(kChunkNames, node.names.size() - first);
  {
    // Together: a node without chunks whose names are all taken counts as finished.
    const std::lock_guard lock(node.mutex);
    node.chunks.push_back(std::move(owned));
    node.next_name += count;
  }
  stat_names(node, *chunk, first, count);
  HandOut work;
  ASL_TRY(sort_out(node, *chunk, work));
  hand_out(node, *chunk, work);
  chunk_part_done(chunk);
  return {};
}

// Fills chunk.entries. Looking in inode order reads the inode tables in disk order.
void TreeScanner::stat_names(ScanNode& node, ScanChunk& chunk, std::size_t first, std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), first);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return node.names.item(a).inode < node.names.item(b).inode;
  });
  chunk.entries.resize(count);
  for (const std::size_t index : order) {
    ScanEntry& item = chunk.entries[index - first];
    item.entry.name = node.names.name(index);
    auto stat = io::stat_at(node.directory.fd(), node.names.c_name(index));
    if (!stat) {
      run_.add_problem(shown_path(node, item.entry.name), "stat", stat.error().sys_errno);
      node.entry->flags |= kEntryNotFullyListed;
      item.dropped = true;
      continue;
    }
    item.stat = *stat;
    const std::string path = join(node.path, item.entry.name);
    const bool left_out = run_.filter.excludes(path, stat->is_directory()) ||
                          (stat->is_regular() && run_.filter.excludes_size(stat->size));
    if (left_out) {
      run_.add_excluded();
      item.dropped = true;
      continue;
    }
    fill_entry(item.entry, *stat);
    run_.add_owner(stat->uid, stat->gid);
  }
}

void TreeScanner::add_directory(ScanNode& node, ScanChunk& chunk, std::size_t index,
                                std::vector<Task>& tasks) {
  ScanEntry& item = chunk.entries[index];
  auto child =
      std::make_unique<ScanNode>([this](ByteSpan bytes) { return run_.writer.put_typed(kTagTree, bytes); });
  child->parent = &chunk;
  child->parent_child = chunk.children.size();
  child->entry = &item.entry;
  child->device = item.stat.device;
  child->depth = node.depth + 1;
  child->path = join(node.path, item.entry.name);
  if (child->device != node.device) run_.devices.enter(child->device, snapshot_path(*child, ""));
  tasks.push_back({child.get(), true});
  chunk.children.push_back(std::move(child));
}

// Decides for each name of the chunk what is to be done.
Result<void> TreeScanner::sort_out(ScanNode& node, ScanChunk& chunk, HandOut& work) {
  std::optional<StatCache::DirectoryRows> rows;
  if (stat_cache_ != nullptr)
    rows =
        stat_cache_->directory(node.path, chunk.entries.front().entry.name, chunk.entries.back().entry.name);
  for (std::size_t index = 0; index < chunk.entries.size(); ++index) {
    ScanEntry& item = chunk.entries[index];
    if (item.dropped) continue;
    // Symlinks and special files have hard links as well.
    if (item.entry.type != EntryType::kDirectory && item.stat.nlink > 1)
      item.entry.hardlink_id = run_.devices.link_id(item.stat.device, item.stat.inode);
    if (item.entry.type == EntryType::kDirectory) {
      ASL_ASSIGN(const bool entered, enter_directory(node, chunk, index, work));
      if (entered) continue;
    } else if (item.entry.type == EntryType::kFile) {
      ++work.files;
      work.bytes += item.stat.size;
      RereadReason reason = RereadReason::kNew;
      if (!take_unchanged(node, item, rows ? rows->find(item.entry.name) : std::nullopt, reason)) {
        work.add_file(chunk, index, reason);
        continue;
      }
    }
    ASL_TRY(scan_entry(node, chunk, index));
  }
  return {};
}

void TreeScanner::HandOut::add_file(ScanChunk& chunk, std::size_t index, RereadReason reason) {
  const std::uint64_t size_bytes = chunk.entries[index].stat.size;
  if (batches.empty() || batches.back().files.size() >= kBatchFilesMax ||
      batches.back().bytes + size_bytes > kBatchBytesMax)
    batches.push_back({.chunk = &chunk, .files = {}, .reasons = {}, .bytes = 0});
  batches.back().files.push_back(static_cast<std::uint32_t>(index));
  batches.back().reasons.push_back(reason);
  batches.back().bytes += size_bytes;
}

// False for a directory that stays empty in the snapshot: a mount point with --one-file-system, or too deep.
Result<bool> TreeScanner::enter_directory(ScanNode& node, ScanChunk& chunk, std::size_t index,
                                          HandOut& work) {
  ScanEntry& item = chunk.entries[index];
  const bool other_device = run_.options.one_file_system && item.stat.device != node.device;
  if (!other_device && node.depth + 1 < kDepthMax) {
    add_directory(node, chunk, index, work.directories);
    return true;
  }
  if (!other_device) {
    run_.add_problem(shown_path(node, item.entry.name), "open: nested too deeply", ELOOP);
    item.entry.flags |= kEntryNotFullyListed;
  }
  TreeBuilder empty([this](ByteSpan bytes) { return run_.writer.put_typed(kTagTree, bytes); });
  ASL_ASSIGN(const TreeBuilder::Finished finished, empty.finish());
  item.entry.content = finished.root;
  return false;
}

// Depth first and in name order: the next chunk lowest, subdirectories above it, the first of them on top.
void TreeScanner::hand_out(ScanNode& node, ScanChunk& chunk, HandOut& work) {
  progress_add(run_.progress.files_total, work.files);
  progress_add(run_.progress.bytes_total, work.bytes);
  chunk.pending.fetch_add(static_cast<std::uint32_t>(work.directories.size() + work.batches.size()));
  {
    const std::lock_guard lock(node.mutex);
    if (node.next_name < node.names.size()) {
      if (node.chunks.size() < kChunksWaitingMax)
        stack_.push({&node, false});
      else
        node.scan_waits = true;
    }
  }
  std::reverse(work.directories.begin(), work.directories.end());
  stack_.push_all(work.directories);
  for (FileBatch& batch : work.batches) {
    const std::size_t weight = batch.files.size();
    if (!batches_.push(std::move(batch), weight)) return;  // closed: the run has ended
  }
}

// What needs no reading of content: links, special files, unchanged files.
Result<void> TreeScanner::scan_entry(ScanNode& node, ScanChunk& chunk, std::size_t index) {
  ScanEntry& item = chunk.entries[index];
  const std::string path = shown_path(node, item.entry.name);
  if (item.entry.type == EntryType::kSymlink) {
    if (auto target = io::read_link_at(node.directory.fd(), item.entry.name.c_str())) {
      item.entry.symlink_target = std::move(*target);
    } else {
      run_.add_problem(path, "readlink", target.error().sys_errno);
      item.entry.flags |= kEntryMetadataIncomplete;
    }
  }
  if (!item.no_xattrs)
    ASL_TRY(
        add_xattrs(run_, item.entry, io::read_xattrs_at(node.directory.fd(), item.entry.name.c_str()), path));
  return {};
}

// Something went from the store, or is damaged, since the row was written: the content itself is looked up.
bool TreeScanner::row_still_holds(const ScanNode& node, const ScanEntry& item, const StatRow& row) {
  const bool moved = row.epoch != stat_cache_->epoch();
  if (!moved && !run_.writer.knows_damage()) return true;
  const auto holds = run_.writer.still_holds(row.content);
  if (!holds || !*holds) return false;
  if (moved) {
    StatRow renewed = row;
    renewed.epoch = stat_cache_->epoch();
    stat_cache_->put(node.path, item.entry.name, renewed);
  }
  return true;
}

bool TreeScanner::take_unchanged(const ScanNode& node, ScanEntry& item, const std::optional<StatRow>& row,
                                 RereadReason& reason) {
  const io::SourceStat& stat = item.stat;
  reason = RereadReason::kNew;
  if (!row) return false;
  if (row->size_bytes != stat.size)
    reason = RereadReason::kSize;
  else if (row->inode != stat.inode || row->device != stat.device)
    reason = RereadReason::kIdentity;
  else if (row->mtime != stat.mtime || row->ctime != stat.ctime)
    reason = RereadReason::kTime;
  else if (!row_still_holds(node, item, *row))
    reason = RereadReason::kStoreChanged;
  else {
    item.entry.content = row->content;
    item.entry.hole_bytes = row->hole_bytes;
    item.no_xattrs = !row->has_xattrs;
    run_.count_unchanged();
    progress_add(run_.progress.files_done, 1);
    progress_add(run_.progress.bytes_done, stat.size);
    return true;
  }
  return false;
}

void TreeScanner::batch_done(const FileBatch& batch) {
  chunk_part_done(batch.chunk);
}

// One part of a chunk is done; when it was the last, trees are built upwards as far as they are complete. A
// loop, not a recursion: trees may be thousands of levels deep.
void TreeScanner::chunk_part_done(ScanChunk* chunk) {
  while (chunk != nullptr && chunk->pending.fetch_sub(1) == 1) {
    ScanNode& node = *chunk->node;
    {
      const std::lock_guard lock(node.mutex);
      chunk->complete = true;
    }
    ScanNode* finished = emit_ready_chunks(node);
    if (finished == nullptr) return;
    chunk = finish_node(*finished);
  }
}

// Feeds complete chunks at the front to the builder. Returns the node if all its names are in its tree.
ScanNode* TreeScanner::emit_ready_chunks(ScanNode& node) {
  std::unique_lock lock(node.mutex);
  if (node.emitting) return nullptr;  // that thread takes this chunk along
  node.emitting = true;
  while (!node.chunks.empty() && node.chunks.front()->complete) {
    const std::unique_ptr<ScanChunk> chunk = std::move(node.chunks.front());
    node.chunks.pop_front();
    if (node.scan_waits) {
      node.scan_waits = false;
      stack_.push({&node, false});
    }
    lock.unlock();
    for (const ScanEntry& item : chunk->entries) {
      if (item.dropped) continue;
      run_.count_entry(item.entry);
      if (auto added = node.builder.add(item.entry); !added) {
        run_.abort(std::move(added).error().with_path(shown_path(node, item.entry.name)));
        close();
        return nullptr;
      }
    }
    lock.lock();
  }
  node.emitting = false;
  const bool done = node.chunks.empty() && node.next_name == node.names.size();
  return done ? &node : nullptr;
}

// Puts the finished tree into the directory's entry and frees the node. Returns the chunk that waited for it.
ScanChunk* TreeScanner::finish_node(ScanNode& node) {
  auto finished = node.builder.finish();
  if (!finished) {
    run_.abort(std::move(finished).error());
    close();
    return nullptr;
  }
  node.entry->content = finished->root;
  node.entry->below = finished->below;
  ScanChunk* const parent = node.parent;
  if (parent == nullptr) {
    run_.count_entry(*node.entry);
    close();
    return nullptr;
  }
  parent->children[node.parent_child].reset();
  return parent;
}

}  // namespace asl
