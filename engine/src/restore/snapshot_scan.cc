#include "restore/snapshot_scan.h"

#include <utility>

#include "restore/entry_placer.h"
#include "restore/hard_links.h"

namespace asl {

Result<Selection> Selection::make(const RestoreOptions& options) {
  Selection selection;
  for (const std::string& pattern : options.include) ASL_TRY(selection.include_.add(pattern));
  for (const std::string& pattern : options.exclude) ASL_TRY(selection.exclude_.add(pattern));
  return selection;
}

void SnapshotScan::run(const Snapshot& snapshot, const Entry& start,
                       const std::shared_ptr<TargetDirectory>& root) {
  path_.clear();
  const bool is_made_up = start.type == EntryType::kDirectory && start.content.is_null();
  const bool included = selection_.includes_root();
  if (is_made_up) {
    for (const SnapshotRoot& source : snapshot.roots) {
      path_.clear();
      visit(root, source.entry, included);
      visit_levels();
    }
    return;
  }
  if (start.type == EntryType::kDirectory)
    enter(root, start, included);
  else
    visit(root, start, included);
  visit_levels();
}

void SnapshotScan::visit_levels() {
  while (!levels_.empty() && !run_.must_stop()) {
    Level& level = levels_.back();
    path_.resize(level.path_size);
    const auto entry = next(level);
    if (!entry) {
      damaged(level, entry.error());
      leave();
    } else if (*entry == nullptr) {
      leave();
    } else {
      // Names of the target are checked off before anything is left out: they are not extraneous.
      if (level.existing) level.existing->keep((*entry)->name);
      visit(level.directory, **entry, level.included);
    }
  }
  // Only when the run ends early; then no metadata is set either.
  while (!levels_.empty()) {
    tree_.release(levels_.back().directory);
    levels_.pop_back();
  }
}

void SnapshotScan::visit(const std::shared_ptr<TargetDirectory>& directory, const Entry& entry,
                         bool included_above) {
  const std::size_t path_size = path_.size();
  if (!path_.empty()) path_ += '/';
  path_ += entry.name;
  const bool is_directory = entry.type == EntryType::kDirectory;
  bool included = included_above;
  bool excluded = false;
  if (!selection_.is_everything()) {
    excluded = selection_.excludes(path_, is_directory);
    included = selection_.includes(path_, is_directory, included_above);
  }
  if (is_directory && !excluded) {
    // The entry may lie in a reader that entering closes.
    const Entry copy = entry;
    return enter(tree_.child(directory, copy), copy, included);
  }
  if (!excluded && included) visitor_.entry(directory, entry);
  path_.resize(path_size);
}

void SnapshotScan::enter(const std::shared_ptr<TargetDirectory>& directory, const Entry& entry,
                         bool included) {
  // The root is held by the caller and released here like any other.
  if (directory->parent == nullptr) tree_.hold(*directory);
  if (directory->depth > kTargetDepthMax) {
    run_.problem(RestoreProblemKind::kNotMade, path_of(*directory),
                 Error{.code = ErrorCode::kUnsupported, .message = "directories are nested too deeply"});
    return tree_.release(directory);
  }
  // Directories that are merely passed on the way to something selected are made when that is.
  if (included && !visitor_.enter(directory)) return tree_.release(directory);
  Level level;
  level.directory = directory;
  level.tree = entry.content;
  level.path_size = path_.size();
  level.included = included;
  level.fully_listed = (entry.flags & kEntryNotFullyListed) == 0;
  auto reader = DirectoryReader::open(run_.domain, entry.content);
  if (!reader) {
    damaged(level, std::move(reader).error());
    return tree_.release(directory);
  }
  level.reader = std::move(*reader);
  if (options_.look_for_extraneous) list_existing(level);
  levels_.push_back(std::move(level));
  if (levels_.size() > kOpenReadersMax) levels_[levels_.size() - kOpenReadersMax - 1].reader.reset();
}

void SnapshotScan::list_existing(Level& level) {
  if (!level.included) return;
  const DirectoryHandle handle = tree_.open(*level.directory);
  if (handle == nullptr || !tree_.existed(*level.directory)) return;
  // A handle of its own: listing moves a position that the other has in common with everybody.
  auto own = run_.target_io.open_at(*handle, ".", {.directory = true});
  auto existing = own ? ExistingNames::list(*own) : Result<ExistingNames>(fail(own.error()));
  if (!existing) {
    run_.problem(RestoreProblemKind::kNotMade, path_of(*level.directory),
                 std::move(existing).error().with_path(""));
    return;
  }
  level.existing = std::move(*existing);
}

Result<const Entry*> SnapshotScan::next(Level& level) {
  if (!level.reader) {
    ASL_ASSIGN(level.reader, DirectoryReader::open(run_.domain, level.tree));
    for (;;) {
      ASL_ASSIGN(const Entry* const entry, level.reader->next());
      if (entry == nullptr || entry->name == level.last_name) break;
    }
  }
  ASL_ASSIGN(const Entry* const entry, level.reader->next());
  if (entry != nullptr && entry->type == EntryType::kDirectory) level.last_name = entry->name;
  return entry;
}

bool SnapshotScan::wants_removal(const Level& level, std::string_view name) const {
  if (is_temporary_name(name)) return true;
  if (!run_.options.remove_extraneous || !level.fully_listed) return false;
  if (level.directory->parent == nullptr && name.starts_with(HardLinks::kDirectoryName)) return false;
  if (selection_.is_everything()) return true;
  const std::string path = path_of(*level.directory, name);
  // Whether it is a directory does not matter enough to look: patterns for either keep it.
  if (selection_.excludes(path, true) || selection_.excludes(path, false)) return false;
  return selection_.includes(path, true, level.included) || selection_.includes(path, false, level.included);
}

void SnapshotScan::leave() {
  Level level = std::move(levels_.back());
  levels_.pop_back();
  if (level.existing && !run_.must_stop()) {
    if (const DirectoryHandle handle = tree_.open(*level.directory)) {
      level.existing->for_each_extraneous([&](std::string_view name, const char* c_name) {
        if (wants_removal(level, name)) visitor_.extraneous(*handle, c_name, path_of(*level.directory, name));
      });
    }
  }
  tree_.release(level.directory);
}

void SnapshotScan::damaged(Level& level, Error error) {
  // What the tree still holds is not known, so nothing here is taken for extraneous.
  level.existing.reset();
  if (!options_.report_damage) return;
  const RestoreProblemKind kind = kind_of_loss(error);
  run_.problem(kind, path_of(*level.directory), std::move(error));
}

}  // namespace asl
