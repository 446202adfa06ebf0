#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <asl/engine/history.h>
#include <asl/engine/rewrite.h>
#include <asl/engine/source_errors.h>

#include "ingest/filter.h"
#include "maintain/tree_rewriter.h"
#include "store/snapshot_anchor.h"

namespace asl {
namespace {

// What the counts of a snapshot say is not checked by its format: they may be smaller than what is found.
void take(std::uint64_t& count, std::uint64_t removed) {
  count -= std::min(count, removed);
}

bool is_named(const RewriteOptions& options, const std::string& source) {
  return std::ranges::find(options.sources, source) != options.sources.end();
}

// Everything that can be refused is, before anything is done.
Result<void> check_all(const Domain& domain, const std::set<std::uint64_t>& ids,
                       const RewriteOptions& options) {
  if (options.forget)
    ASL_TRY(check_forgettable(*domain.state(), std::vector<std::uint64_t>(ids.begin(), ids.end())));
  for (const std::uint64_t id : ids) {
    ASL_ASSIGN(const Snapshot snapshot, domain.snapshot(id));
    if (std::ranges::all_of(snapshot.roots,
                            [&](const auto& root) { return is_named(options, root.source_path); }))
      return fail(Error{.code = ErrorCode::kUsage,
                        .message = "nothing would be left of the snapshot",
                        .object = std::to_string(id),
                        .hint = "asl snapshot forget " + std::to_string(id)});
  }
  return {};
}

class SnapshotRewriter {
 public:
  SnapshotRewriter(Domain& domain, StoreWriter& writer, const SourceFilter& filter,
                   const RewriteOptions& options, ProgressCounters& progress, const StopToken& stop,
                   RewriteReport& report)
      : domain_(domain),
        writer_(writer),
        filter_(filter),
        options_(options),
        progress_(progress),
        trees_(domain, writer, filter, stop),
        report_(report) {}

  Result<void> rewrite(std::uint64_t id);

 private:
  Result<void> rewrite_roots(Snapshot& snapshot, SnapshotCounts& removed);
  Result<void> rewrite_errors(const std::vector<SnapshotRoot>& roots, Snapshot& snapshot,
                              SnapshotCounts& removed);
  bool leaves_out_error(const std::vector<SnapshotRoot>& roots, std::string_view path) const;
  bool leaves_out_source(const std::string& path) const { return is_named(options_, path); }
  Result<std::uint64_t> anchor(Snapshot snapshot);

  Domain& domain_;
  StoreWriter& writer_;
  const SourceFilter& filter_;
  const RewriteOptions& options_;
  ProgressCounters& progress_;
  TreeRewriter trees_;
  RewriteReport& report_;
};

Result<void> SnapshotRewriter::rewrite_roots(Snapshot& snapshot, SnapshotCounts& removed) {
  std::vector<SnapshotRoot> kept;
  for (SnapshotRoot& root : snapshot.roots) {
    if (leaves_out_source(root.source_path)) {
      ASL_TRY(trees_.count(root.entry, removed));
      continue;
    }
    ASL_ASSIGN(root.entry, trees_.rewrite(root.entry, removed));
    kept.push_back(std::move(root));
  }
  snapshot.roots = std::move(kept);
  return {};
}

// A name may be what was never to be kept: where it or a directory above it goes, so does what was said of
// it.
bool SnapshotRewriter::leaves_out_error(const std::vector<SnapshotRoot>& roots, std::string_view path) const {
  for (const SnapshotRoot& root : roots) {
    if (!path.starts_with(root.source_path)) continue;
    std::string_view below = path.substr(root.source_path.size());
    const bool at_end = root.source_path.ends_with('/');
    if (!below.empty() && !at_end && !below.starts_with('/')) continue;
    if (leaves_out_source(root.source_path)) return true;
    if (below.starts_with('/')) below.remove_prefix(1);
    if (below.empty()) continue;
    for (std::size_t end = below.find('/'); end != std::string_view::npos; end = below.find('/', end + 1))
      if (filter_.excludes(below.substr(0, end), true)) return true;
    if (filter_.excludes(below, false) || filter_.excludes(below, true)) return true;
  }
  return false;
}

Result<void> SnapshotRewriter::rewrite_errors(const std::vector<SnapshotRoot>& roots, Snapshot& snapshot,
                                              SnapshotCounts& removed) {
  if (snapshot.errors.is_null()) return {};
  ASL_ASSIGN(const Bytes bytes, domain_.read_typed(snapshot.errors, kTagErrors, kSourceErrorsSizeMax));
  ASL_ASSIGN(std::vector<SourceError> errors, decode_source_errors(bytes));
  removed.errors =
      std::erase_if(errors, [&](const SourceError& error) { return leaves_out_error(roots, error.path); });
  if (removed.errors == 0) return {};
  if (errors.empty()) {
    snapshot.errors = {};
    return {};
  }
  ASL_ASSIGN(const Bytes rest, encode_source_errors(errors));
  ASL_ASSIGN(snapshot.errors, writer_.put_typed(kTagErrors, rest));
  return {};
}

Result<std::uint64_t> SnapshotRewriter::anchor(Snapshot snapshot) {
  const std::uint64_t old_id = snapshot.snapshot_id;
  snapshot.parent_id = old_id;
  snapshot.snapshot_id = domain_.state()->next_snapshot_id();
  snapshot.label.clear();
  snapshot.origin.reset();  // it is no copy of that one any more
  std::vector<NewRecord> more;
  if (options_.forget) {
    snapshot.label = domain_.state()->find_snapshot(old_id)->label;
    more.push_back(new_record(SnapshotForgetRecord{.snapshot_id = old_id}));
  }
  ASL_TRY(anchor_snapshot(writer_, domain_, snapshot, more, report_.notices));
  return snapshot.snapshot_id;
}

Result<void> SnapshotRewriter::rewrite(std::uint64_t id) {
  ASL_ASSIGN(Snapshot snapshot, domain_.snapshot(id));
  RewrittenSnapshot done{.id = id, .new_id = {}, .removed = {}};
  const std::vector<SnapshotRoot> roots = snapshot.roots;
  ASL_TRY(rewrite_roots(snapshot, done.removed));
  ASL_TRY(rewrite_errors(roots, snapshot, done.removed));
  take(snapshot.counts.files, done.removed.files);
  take(snapshot.counts.directories, done.removed.directories);
  take(snapshot.counts.symlinks, done.removed.symlinks);
  take(snapshot.counts.others, done.removed.others);
  take(snapshot.counts.bytes, done.removed.bytes);
  take(snapshot.counts.partial, done.removed.partial);
  take(snapshot.counts.errors, done.removed.errors);
  progress_add(progress_.files_done, snapshot.counts.files);
  if (done.changes() && !options_.dry_run) {
    ASL_ASSIGN(const std::uint64_t new_id, anchor(std::move(snapshot)));
    done.new_id = new_id;
  }
  report_.snapshots.push_back(done);
  return {};
}

}  // namespace

Result<RewriteReport> rewrite_snapshots(Domain& domain, std::span<const std::uint64_t> ids,
                                        const RewriteOptions& options, ProgressCounters& progress,
                                        const StopToken& stop) {
  ASL_ASSIGN(const SourceFilter filter, SourceFilter::make(domain.io(), options.filter));
  WriterOptions session;
  session.dry_run = options.dry_run;
  session.progress = &progress;
  ASL_ASSIGN(const std::unique_ptr<StoreWriter> writer, StoreWriter::open(domain, session));
  RewriteReport report;
  report.notices = writer->notices();
  const std::set<std::uint64_t> ascending(ids.begin(), ids.end());
  ASL_TRY(check_all(domain, ascending, options));
  progress.set_phase(ProgressPhase::kIngesting);
  SnapshotRewriter rewriter(domain, *writer, filter, options, progress, stop, report);
  for (const std::uint64_t id : ascending) ASL_TRY(rewriter.rewrite(id));
  if (auto merged = writer->merge_segments(); !merged)
    report.notices.push_back("small index segments could not be joined: " + merged.error().to_string());
  return report;
}

}  // namespace asl
