// Walking the part of a snapshot that is restored, beside the directories of the target.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/snapshot.h>
#include <asl/engine/tree_walk.h>

#include "ingest/pattern.h"
#include "restore/removal.h"
#include "restore/restore_run.h"
#include "restore/target_tree.h"

namespace asl {

// Trees that are open at once hold a leaf each; those further up are opened again when their turn comes back.
inline constexpr std::size_t kOpenReadersMax = 32;

// What --include and --exclude select.
class Selection {
 public:
  static Result<Selection> make(const RestoreOptions& options);
  bool is_everything() const { return include_.empty() && exclude_.empty(); }
  // Whether where the restore begins is selected itself.
  bool includes_root() const { return include_.empty(); }

  // `above` is whether the directory it lies in is selected.
  bool excludes(std::string_view path, bool is_directory) const {
    return exclude_.matches(path, is_directory);
  }
  bool includes(std::string_view path, bool is_directory, bool above) const {
    return above || include_.empty() || include_.matches(path, is_directory);
  }

 private:
  PatternList include_;
  PatternList exclude_;
};

// Called in tree order, by one thread.
class ScanVisitor {
 public:
  virtual ~ScanVisitor() = default;
  // Before what a selected directory holds. False: nothing below it is visited.
  virtual bool enter(const std::shared_ptr<TargetDirectory>& directory) = 0;
  // Everything selected that is not a directory.
  virtual void entry(const std::shared_ptr<TargetDirectory>& directory, const Entry& entry) = 0;
  // A name in an existing directory that the snapshot does not have and that is selected for removal.
  virtual void extraneous(const io::File& directory, const char* name, const std::string& path) = 0;
};

class SnapshotScan {
 public:
  struct Options {
    bool report_damage = true;  // trees that cannot be read are problems; otherwise they were reported before
    bool look_for_extraneous = false;  // names for --delete, and what a killed restore left
  };

  SnapshotScan(RestoreRun& run, TargetTree& tree, const Selection& selection, ScanVisitor& visitor,
               const Options& options)
      : run_(run), tree_(tree), selection_(selection), visitor_(visitor), options_(options) {}

  // `start` is what find_path gave. The root stays held until the caller releases it. Ends early if the run
  // must stop.
  void run(const Snapshot& snapshot, const Entry& start, const std::shared_ptr<TargetDirectory>& root);

 private:
  struct Level {
    std::shared_ptr<TargetDirectory> directory;
    Reference tree;
    std::optional<DirectoryReader> reader;  // closed while far above what is visited
    std::string last_name;
    std::size_t path_size = 0;
    bool included = false;
    bool fully_listed = true;  // in the snapshot
    std::optional<ExistingNames> existing;
  };

  void visit_levels();
  void enter(const std::shared_ptr<TargetDirectory>& directory, const Entry& entry, bool included);
  void list_existing(Level& level);
  Result<const Entry*> next(Level& level);
  void visit(const std::shared_ptr<TargetDirectory>& directory, const Entry& entry, bool included_above);
  void leave();
  void damaged(Level& level, Error error);
  bool wants_removal(const Level& level, std::string_view name) const;

  RestoreRun& run_;
  TargetTree& tree_;
  const Selection& selection_;
  ScanVisitor& visitor_;
  const Options options_;
  std::vector<Level> levels_;
  std::string path_;
};

}  // namespace asl
