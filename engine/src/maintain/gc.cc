#include <algorithm>
#include <chrono>
#include <memory>
#include <unordered_set>
#include <utility>

#include <asl/engine/gc.h>
#include <asl/engine/snapshot_pins.h>
#include <asl/engine/store_writer.h>

#include "maintain/gc_blocks.h"
#include "maintain/gc_marker.h"
#include "maintain/gc_marks.h"
#include "maintain/gc_repacker.h"
#include "maintain/scrub_history.h"
#include "pin/settle.h"
#include "store/damage_list.h"
#include "store/domain_impl.h"
#include "store/sweep.h"
#include "store/writer_session.h"

namespace asl {
namespace {

// The present state with an index that asks the segments themselves: what is decided here is decided by the
// truth and not by a cache.
std::shared_ptr<const View> true_view(Domain& domain) {
  const Domain::Impl& impl = domain.impl();
  const std::shared_ptr<const View> current = impl.current();
  std::vector<LiveSegment> live;
  for (const Index::Segment& segment : current->index->segments()) live.push_back(segment.live);
  auto view = std::make_shared<View>();
  view->state = current->state;
  view->index = Index::open(impl.segments, live, nullptr, nullptr, impl.pages);
  return view;
}

class GcRun {
 public:
  GcRun(Domain& domain, const GcOptions& options, ProgressCounters& progress, const StopToken& stop)
      : domain_(domain), options_(options), progress_(progress), stop_(stop) {}

  Result<void> explain();
  Result<void> collect();
  GcReport take_report() { return std::move(report_); }

 private:
  struct Round {
    std::shared_ptr<const View> view;
    std::unique_ptr<GcMarks> marks;
    std::unique_ptr<GcBlocks> blocks;
  };
  Result<Round> look();
  Result<BlockSet> worn_blocks(const GcBlocks& blocks) const;
  Result<void> verify_segments(const View& view);
  Result<void> free_space(StoreWriter::Impl& session, const Round& round);
  Result<void> forget_what_rows_say(StoreWriter::Impl& session);
  Result<void> remove_garbage(StoreWriter::Impl& session, const Round& round);
  void describe(const Round& round, std::vector<GcRoot> roots);

  Domain& domain_;
  const GcOptions options_;
  ProgressCounters& progress_;
  const StopToken stop_;
  std::unordered_set<SegmentNumber> verified_;
  bool described_ = false;
  GcReport report_;
};

Result<void> GcRun::verify_segments(const View& view) {
  for (const Index::Segment& segment : view.index->segments()) {
    ASL_TRY(stop_.check());
    if (verified_.contains(segment.live.number)) continue;
    auto whole = segment.reader == nullptr ? Result<void>(fail(*segment.error))
                                           : segment.reader->verify_whole(&segment.live.hash);
    if (!whole) {
      Error error = std::move(whole).error();
      error.hint = "asl verify says what it touches; nothing was removed";
      return fail(std::move(error));
    }
    verified_.insert(segment.live.number);
  }
  return {};
}

Result<GcRun::Round> GcRun::look() {
  progress_.set_phase(ProgressPhase::kMarking);
  Round round;
  round.view = true_view(domain_);
  ASL_TRY(round.view->state->require_known_types());
  ASL_TRY(verify_segments(*round.view));
  round.marks = std::make_unique<GcMarks>(round.view, domain_.blocks());
  GcMarker marker(domain_, round.view, *round.marks, progress_, stop_);
  ASL_TRY(marker.mark_snapshots());
  ASL_TRY(marker.mark_log_roots());
  ASL_TRY(marker.mark_record_roots());
  round.blocks = std::make_unique<GcBlocks>(domain_.blocks(), round.view, *round.marks);
  ASL_TRY(round.blocks->count(stop_));
  ASL_ASSIGN(const BlockSet worn, worn_blocks(*round.blocks));
  ASL_TRY(round.blocks->decide(options_, worn, kGcExtentsPerRound));
  if (!described_) describe(round, marker.take_roots());
  described_ = true;
  return round;
}

// Where the last reading found damage, and none of it is of extents that are needed: those are listed in
// store/damaged until they are healed, and could not be moved.
Result<BlockSet> GcRun::worn_blocks(const GcBlocks& blocks) const {
  const Domain::Impl& impl = domain_.impl();
  const ScrubHistory history = ScrubHistory::load(impl.io, impl.layout.scrub_history());
  ASL_ASSIGN(const DamageList damage, DamageList::load(impl.io, impl.layout.damaged_file()));
  BlockSet worn;
  for (const auto& [id, usage] : blocks.blocks()) {
    const auto status = impl.io.status(impl.blocks.path_of(id));
    const auto checked = status ? history.find(id, change_time_of(*status)) : std::nullopt;
    if (checked && checked->damaged && !damage.names(id)) worn.insert(id);
  }
  return worn;
}

void GcRun::describe(const Round& round, std::vector<GcRoot> roots) {
  report_.kept = std::move(roots);
  report_.records_live = round.blocks->records_live();
  report_.records_dead = round.blocks->records_dead();
  report_.blocks = round.blocks->blocks().size();
  report_.bytes_before = round.blocks->total_bytes();
}

Result<void> GcRun::explain() {
  if (const auto corruption = domain_.corruption()) return fail(*corruption);
  ASL_ASSIGN(const Round round, look());
  report_.blocks_removed = round.blocks->removed().size();
  report_.blocks_repacked = round.blocks->repacked().size();
  report_.segments_rewritten = round.blocks->segments_to_rewrite().size();
  std::uint64_t freed = 0;
  for (const BlockId& id : round.blocks->removed()) freed += round.blocks->blocks().at(id).length_bytes;
  for (const BlockId& id : round.blocks->repacked()) {
    const BlockUsage& usage = round.blocks->blocks().at(id);
    report_.bytes_moved += usage.live_bytes();
    freed += usage.length_bytes - std::min(usage.length_bytes, usage.live_bytes());
  }
  report_.bytes_after = report_.bytes_before - freed;
  return {};
}

Result<void> GcRun::collect() {
  WriterOptions opening;
  opening.release_reserve = true;
  opening.progress = &progress_;
  ASL_ASSIGN(const std::unique_ptr<StoreWriter> writer, StoreWriter::open(domain_, opening));
  report_.notices = writer->notices();
  StoreWriter::Impl& session = writer->impl();
  while (true) {
    ASL_ASSIGN(const Round round, look());
    const bool changes = !round.blocks->segments_to_rewrite().empty();
    if (changes) ASL_TRY(free_space(session, round));
    ASL_TRY(remove_garbage(session, round));
    // What could not be moved now cannot be moved in another round either.
    if (!changes || !round.blocks->more_to_repack() || !report_.damage.empty()) break;
  }
  if (report_.damage.empty()) report_.pins_removed = settle_pins(domain_, true, report_.notices).removed;
  return {};
}

// The stat cache trusts that what it names is still in the store: its rows end before that ends.
Result<void> GcRun::forget_what_rows_say(StoreWriter::Impl& session) {
  if (session.cache != nullptr && session.cache->bump_epoch()) return {};
  session.domain.impl().attach_cache(nullptr);
  session.cache.reset();
  return IndexCache::drop(session.layout.index_cache());
}

Result<void> GcRun::free_space(StoreWriter::Impl& session, const Round& round) {
  progress_.set_phase(ProgressPhase::kSweeping);
  GcRepacker repacker(session.blocks, progress_);
  ASL_TRY(repacker.collect(*round.view, *round.marks, round.blocks->repacked(), stop_));
  ASL_TRY(repacker.run(stop_));
  report_.damage.insert(report_.damage.end(), repacker.damage().begin(), repacker.damage().end());
  report_.bytes_moved += repacker.bytes_moved();

  SegmentRewrite rewrite;
  const std::vector<Index::Segment> wanted = round.blocks->segments_to_rewrite();
  for (std::size_t first = 0; first < wanted.size(); first += kMergeInputsMax) {
    const std::size_t end = std::min(wanted.size(), first + kMergeInputsMax);
    rewrite.groups.emplace_back(wanted.begin() + static_cast<std::ptrdiff_t>(first),
                                wanted.begin() + static_cast<std::ptrdiff_t>(end));
  }
  rewrite.rules.keep = [&](SegmentNumber segment, const RecordHandle& handle) {
    return round.marks->needs_copy(segment, handle.number);
  };
  rewrite.rules.relocate = [&](ExtentLocation& location) { return repacker.relocate(location); };
  rewrite.blocks = repacker.take_blocks();
  report_.blocks_written += rewrite.blocks.size();
  ASL_TRY(stop_.check());
  ASL_TRY(forget_what_rows_say(session));
  const Gate::Closed closed(session.gate);
  ASL_ASSIGN(const SegmentRewriteReport rewritten, session.rewrite_segments(std::move(rewrite)));
  report_.segments_rewritten += rewritten.retired.size();
  report_.artifacts_dropped += rewritten.artifacts_dropped;
  return {};
}

// Whatever the log does not name any more, and what else nobody owns.
Result<void> GcRun::remove_garbage(StoreWriter::Impl& session, const Round& round) {
  const std::shared_ptr<const View> view = true_view(domain_);
  ASL_ASSIGN(const auto named, named_blocks(*view->index));
  ASL_TRY(sweep_store(session.io, session.layout, session.blocks, session.segments, *view->state,
                      *view->index, false));
  report_.bytes_after = 0;
  for (const BlockId& id : named) {
    if (const auto length = session.blocks.length_of(id)) report_.bytes_after += *length;
  }
  for (const auto& [id, usage] : round.blocks->blocks()) {
    if (named.contains(id)) continue;
    session.blocks.forget(id);
    (round.blocks->repacked().contains(id) ? report_.blocks_repacked : report_.blocks_removed) += 1;
  }
  session.damage->keep_only([&](const BlockId& id) { return named.contains(id); });
  ASL_TRY(session.damage->save(session.io, session.layout.damaged_file()));
  for (const auto& [id, snapshot] : view->state->snapshots()) {
    const std::string copy = session.layout.snapshot_file(id);
    if (snapshot.forgotten && io::exists(session.io, copy)) ASL_TRY(session.io.remove(copy));
  }
  if (session.cache != nullptr && session.cache->wants_sweep(view->index->segments())) {
    // It serves no worse for it: what is wrong with a cache is found when it is opened.
    if (auto swept = session.cache->sweep(*view->index); !swept)
      report_.notices.push_back("the index cache could not be tidied: " + swept.error().to_string());
  }
  return {};
}

}  // namespace

std::string_view gc_root_kind_name(GcRootKind kind) {
  switch (kind) {
    case GcRootKind::kSnapshot:
      return "snapshot";
    case GcRootKind::kPublication:
      return "log";
    case GcRootKind::kAuthority:
      return "authority";
    case GcRootKind::kPinned:
      return "pinned";
    case GcRootKind::kFixed:
      return "fixed";
  }
  return "";
}

Result<GcReport> collect_garbage(Domain& domain, const GcOptions& options, ProgressCounters& progress,
                                 const StopToken& stop) {
  const auto start = std::chrono::steady_clock::now();
  GcRun run(domain, options, progress, stop);
  ASL_TRY(options.dry_run ? run.explain() : run.collect());
  GcReport report = run.take_report();
  report.pins = look_at_pins(domain, true);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace asl
