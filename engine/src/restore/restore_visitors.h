// What is done about what a scan finds: writing it, or only looking.
#pragma once

#include <memory>

#include "restore/entry_placer.h"
#include "restore/file_task.h"
#include "restore/hard_links.h"
#include "restore/restore_run.h"
#include "restore/snapshot_scan.h"

namespace asl {

// Makes directories and hard links itself and gathers the rest into batches for the workers.
class RestoringVisitor : public ScanVisitor {
 public:
  // With `count_totals` the progress totals grow with the scan; otherwise they are known.
  RestoringVisitor(RestoreRun& run, TargetTree& tree, EntryPlacer& placer, HardLinks& links,
                   RestoreQueue& queue, bool count_totals)
      : run_(run), tree_(tree), placer_(placer), links_(links), queue_(queue), count_totals_(count_totals) {}

  bool enter(const std::shared_ptr<TargetDirectory>& directory) override;
  void entry(const std::shared_ptr<TargetDirectory>& directory, const Entry& entry) override;
  void extraneous(const io::File& directory, const char* name, const std::string& path) override;
  // Hands out what is still gathered.
  void flush();

 private:
  bool is_placed(RestoreTask& task);
  void add(std::shared_ptr<RestoreTask> task);

  RestoreRun& run_;
  TargetTree& tree_;
  EntryPlacer& placer_;
  HardLinks& links_;
  RestoreQueue& queue_;
  const bool count_totals_;
  RestoreBatch batch_;
  std::uint64_t batch_bytes_ = 0;
};

// Counts what would be done.
class LookingVisitor : public ScanVisitor {
 public:
  LookingVisitor(RestoreRun& run, TargetTree& tree, EntryPlacer& placer)
      : run_(run), tree_(tree), placer_(placer) {}

  bool enter(const std::shared_ptr<TargetDirectory>& directory) override;
  void entry(const std::shared_ptr<TargetDirectory>& directory, const Entry& entry) override;
  void extraneous(const io::File& directory, const char* name, const std::string& path) override;

 private:
  RestoreRun& run_;
  TargetTree& tree_;
  EntryPlacer& placer_;
};

}  // namespace asl
