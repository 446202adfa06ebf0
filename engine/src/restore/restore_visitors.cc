#include "restore/restore_visitors.h"

#include <utility>

#include "io/tree_fs.h"
#include "restore/removal.h"

namespace asl {

using Action = RestoreOptions::Action;

bool RestoringVisitor::enter(const std::shared_ptr<TargetDirectory>& directory) {
  return tree_.open(*directory) != nullptr;
}

void RestoringVisitor::entry(const std::shared_ptr<TargetDirectory>& directory, const Entry& entry) {
  if (count_totals_) {
    progress_add(run_.progress.files_total, 1);
    progress_add(run_.progress.bytes_total, entry.size_bytes);
  }
  tree_.hold(*directory);
  auto task = std::make_shared<RestoreTask>(placer_, directory, entry);
  if (entry.hardlink_id != 0 && is_placed(*task)) {
    progress_add(run_.progress.files_done, 1);
    progress_add(run_.progress.bytes_done, entry.size_bytes);
    return tree_.release(directory);
  }
  add(std::move(task));
}

// True if a hard-linked entry needs nothing more. The first name of an inode is made here and now, so that
// the others can be linked to it before it has its content.
bool RestoringVisitor::is_placed(RestoreTask& task) {
  TargetDirectory& directory = *task.directory;
  const HardLinks::Linked linked = links_.link(directory, task.entry);
  if (linked != HardLinks::Linked::kFirst) return linked == HardLinks::Linked::kDone;
  const std::string path = path_of(directory, task.entry.name);
  const bool is_file = task.entry.type == EntryType::kFile;
  const Placement placement = is_file ? placer_.place_file(directory, task.entry, task.placed)
                                      : placer_.place_other(directory, task.entry);
  if (placement == Placement::kWrite) {
    const bool temporary = !task.placed.temporary_name.empty();
    links_.remember(*task.placed.directory,
                    temporary ? task.placed.temporary_name.c_str() : task.entry.name.c_str(), task.entry,
                    path);
    return false;
  }
  if (placement == Placement::kUnchanged || placement == Placement::kDone) {
    if (const DirectoryHandle handle = tree_.open(directory))
      links_.remember(*handle, task.entry.name.c_str(), task.entry, path);
  }
  return true;
}

void RestoringVisitor::add(std::shared_ptr<RestoreTask> task) {
  const std::uint64_t size = task->entry.type == EntryType::kFile ? task->entry.size_bytes : 0;
  if (size > kRestoreChunkBytes + kRestoreChunkBytes / 2) {
    const std::uint64_t chunks = (size + kRestoreChunkBytes - 1) / kRestoreChunkBytes;
    task->chunks_left = static_cast<std::uint32_t>(chunks);
    for (std::uint64_t begin = 0; begin < size; begin += kRestoreChunkBytes)
      queue_.push({{task, begin, std::min(size, begin + kRestoreChunkBytes)}}, 1);
    return;
  }
  batch_.push_back({std::move(task), 0, size});
  batch_bytes_ += size;
  if (batch_bytes_ >= kRestoreBatchBytes || batch_.size() >= kRestoreBatchFiles) flush();
}

void RestoringVisitor::flush() {
  if (!batch_.empty()) queue_.push(std::move(batch_), 1);
  batch_.clear();
  batch_bytes_ = 0;
}

void RestoringVisitor::extraneous(const io::File& directory, const char* name, const std::string& path) {
  run_.acted(Action::kRemove, [&] { return path; });
  run_.removed.fetch_add(remove_entry(run_, tree_, directory, name, path, RemovalReason::kExtraneous),
                         std::memory_order_relaxed);
}

bool LookingVisitor::enter(const std::shared_ptr<TargetDirectory>& directory) {
  run_.directories.fetch_add(1, std::memory_order_relaxed);
  if (tree_.open(*directory) == nullptr) run_.acted(Action::kMake, [&] { return path_of(*directory) + "/"; });
  return true;
}

void LookingVisitor::entry(const std::shared_ptr<TargetDirectory>& directory, const Entry& entry) {
  progress_add(run_.progress.files_done, 1);
  const Placement placement = placer_.look(*directory, entry);
  const auto path = [&] { return path_of(*directory, entry.name); };
  const bool is_file = entry.type == EntryType::kFile;
  if (placement == Placement::kKept) {
    run_.files_kept.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (entry.type == EntryType::kSymlink)
    run_.symlinks.fetch_add(1, std::memory_order_relaxed);
  else if (!is_file)
    run_.special_files.fetch_add(1, std::memory_order_relaxed);
  if (placement == Placement::kUnchanged) {
    if (is_file) run_.files_unchanged.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (is_file) {
    run_.files_written.fetch_add(1, std::memory_order_relaxed);
    run_.bytes_written.fetch_add(entry.size_bytes - entry.hole_bytes, std::memory_order_relaxed);
    run_.bytes_holes.fetch_add(entry.hole_bytes, std::memory_order_relaxed);
  }
  const DirectoryHandle handle = tree_.open(*directory);
  const bool exists = handle != nullptr && io::stat_at(handle->fd(), entry.name.c_str()).has_value();
  run_.acted(exists ? Action::kReplace : Action::kMake, path);
}

void LookingVisitor::extraneous(const io::File&, const char*, const std::string& path) {
  run_.removed.fetch_add(1, std::memory_order_relaxed);
  run_.acted(Action::kRemove, [&] { return path; });
}

}  // namespace asl
