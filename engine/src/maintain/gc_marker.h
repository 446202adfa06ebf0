// Finds what is needed: from snapshots, publications, authority objects, pins and program runs downwards.
#pragma once

#include <memory>
#include <vector>

#include <asl/engine/gc.h>

#include "maintain/gc_marks.h"
#include "store/naming_artifacts.h"
#include "store/view.h"

namespace asl {

// Tombstones with these reasons take the bytes away, whatever names them.
bool is_erased(const LogState& state, const Reference& ref);

// Every typed artifact on the way is read whole and verified. Fails with what is damaged or missing, unless a
// tombstone explains it. Memory: what is still to be read of the trees on the way down.
class GcMarker {
 public:
  GcMarker(const Domain& domain, std::shared_ptr<const View> view, GcMarks& marks, ProgressCounters& progress,
           const StopToken& stop);

  Result<void> mark_snapshots();
  // What the log names.
  Result<void> mark_log_roots();
  // What the records themselves say: pinned, fixed, or of an authority kind.
  Result<void> mark_record_roots();

  std::vector<GcRoot> take_roots();

 private:
  // Marks `ref` and all it reaches.
  Result<void> reach(const Reference& ref, Named named, GcRoot& root);
  Result<void> mark(const Reference& ref, Named named, GcRoot& root);
  Result<void> read_below(const ArtifactHandle& handle, GcRoot& root);
  Result<void> mark_records_of(const Index::Segment& segment);

  const Domain& domain_;
  std::shared_ptr<const View> view_;
  GcMarks& marks_;
  ProgressCounters& progress_;
  const StopToken stop_;
  std::vector<ArtifactHandle> pending_;  // marked, typed, yet to be read
  std::vector<GcRoot> snapshots_;
  GcRoot published_{.kind = GcRootKind::kPublication};
  GcRoot authority_{.kind = GcRootKind::kAuthority};
  GcRoot pinned_{.kind = GcRootKind::kPinned};
  GcRoot fixed_{.kind = GcRootKind::kFixed};
};

}  // namespace asl
