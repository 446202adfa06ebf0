// Snapshots made anew without what should never have been ingested.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/filter_options.h>
#include <asl/engine/progress.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/stop.h>

namespace asl {

struct RewriteOptions {
  // What is taken out. Paths are matched from each source's top, as ingest does; markers and caches are not
  // looked for.
  FilterOptions filter;
  std::vector<std::string> sources;  // source paths that are taken out whole
  // The originals are forgotten in the same commit that makes what replaces them visible; their labels move.
  bool forget = false;
  bool dry_run = false;  // says what would be taken out and writes nothing
};

struct RewrittenSnapshot {
  std::uint64_t id = 0;
  std::optional<std::uint64_t> new_id;  // none if nothing was to be taken out, or in a dry run
  SnapshotCounts removed;               // `errors`: of the list of source errors
  bool changes() const { return removed != SnapshotCounts{}; }
};

struct RewriteReport {
  std::vector<RewrittenSnapshot> snapshots;  // ascending
  std::vector<std::string> notices;
};

// A snapshot that loses something gets a copy of its own number, with the same facts and trees but for what
// is left out; its parent is the original. One that loses nothing stays as it is. Directories keep their
// times and link counts, files their hard links. Each new snapshot is one commit, durable before the next is
// begun: an interruption leaves whole ones. Opens a writing session. Errors: kNotFound; kUsage if nothing
// would be left of one, or for a pattern; with `forget`, kRefused for one that is on hold or published
// (before anything is done); kIntegrity if a tree cannot be read.
Result<RewriteReport> rewrite_snapshots(Domain& domain, std::span<const std::uint64_t> ids,
                                        const RewriteOptions& options, ProgressCounters& progress,
                                        const StopToken& stop);

}  // namespace asl
