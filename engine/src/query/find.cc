#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <asl/engine/children.h>
#include <asl/engine/find.h>
#include <asl/engine/tree_walk.h>

#include "query/entry_filter.h"

namespace asl {
namespace {

// Snapshots of the same sources, in order: each is searched as what changed since the one before.
struct History {
  Snapshot last;
  Entry last_entry;  // at the place
  std::map<std::string, std::vector<FindHit>> hits;
};
using HistoryKey = std::tuple<std::string, std::vector<std::string>, std::string>;

HistoryKey key_of(const Snapshot& snapshot, const std::string& path) {
  std::vector<std::string> sources;
  sources.reserve(snapshot.roots.size());
  for (const SnapshotRoot& root : snapshot.roots) sources.push_back(root.source_path);
  return {snapshot.host, std::move(sources), path};
}

// A directory being searched, beside the same directory in the snapshot before.
struct Level {
  Children now;
  std::optional<Children> before;
  const Entry* before_entry = nullptr;  // the next one there that was not passed yet
  std::string path;
};

class Search {
 public:
  Search(const Domain& domain, EntryFilter& filter, const FindVisitor& visit,
         const FindErrorHandler& on_error, const StopToken& stop, bool one_place)
      : domain_(domain),
        filter_(filter),
        visit_(visit),
        on_error_(on_error),
        stop_(stop),
        one_place_(one_place) {}

  Result<void> search(const SnapshotPath& place) {
    auto snapshot = domain_.snapshot(place.snapshot_id);
    if (!snapshot) return on_error_(place.snapshot_id, "", snapshot.error());
    now_ = std::move(*snapshot);
    ASL_ASSIGN(const Entry start, find_path(domain_, now_, place.path));
    history_ = &histories_[key_of(now_, place.path)];
    const bool has_before = history_->last.snapshot_id != 0;
    // The made-up root over several sources, and the only directory source, have no name to match.
    if (!place.path.empty()) ASL_TRY(consider(place.path, start));
    ASL_TRY(enter(place.path, start, has_before ? &history_->last_entry : nullptr));
    while (!levels_.empty()) {
      ASL_TRY(stop_.check());
      ASL_TRY(step());
    }
    history_->last = std::move(now_);
    history_->last_entry = start;
    return {};
  }

  Result<void> report() {
    for (auto& [key, history] : histories_)
      for (auto& [path, hits] : history.hits)
        for (const FindHit& hit : hits) ASL_TRY(visit_(hit));
    return {};
  }

 private:
  // Goes on into a directory, unless it is what it was.
  Result<void> enter(const std::string& path, const Entry& entry, const Entry* before) {
    if (entry.type != EntryType::kDirectory) return {};
    const bool comparable = before != nullptr && before->type == EntryType::kDirectory;
    if (comparable && !entry.content.is_null() && entry.content == before->content) {
      live_on(path);
      return {};
    }
    auto now = Children::open(domain_, now_, entry);
    if (!now) return on_error_(now_.snapshot_id, path, now.error());
    std::optional<Children> before_children;
    if (comparable) {
      // One that cannot be read any more is no help, and was reported when it was searched.
      if (auto opened = Children::open(domain_, history_->last, *before))
        before_children = std::move(*opened);
    }
    levels_.push_back({std::move(*now), std::move(before_children), nullptr, path});
    advance_before(levels_.back());
    return {};
  }

  Result<void> step() {
    Level& level = levels_.back();
    auto next = level.now.next();
    if (!next || *next == nullptr) {
      const std::string path = std::move(level.path);
      levels_.pop_back();
      return next ? Result<void>() : on_error_(now_.snapshot_id, path, next.error());
    }
    const Entry& entry = **next;
    const std::string path = level.path.empty() ? entry.name : level.path + "/" + entry.name;
    while (level.before_entry != nullptr && level.before_entry->name < entry.name) advance_before(level);
    const bool there = level.before_entry != nullptr && level.before_entry->name == entry.name;
    ASL_TRY(consider(path, entry));
    return enter(path, entry, there ? level.before_entry : nullptr);
  }

  static void advance_before(Level& level) {
    const auto next = level.before ? level.before->next() : Result<const Entry*>(nullptr);
    level.before_entry = next ? *next : nullptr;
    if (level.before_entry == nullptr) level.before.reset();
  }

  Result<void> consider(const std::string& path, const Entry& entry) {
    ASL_ASSIGN(const bool wanted, filter_.matches(path, entry));
    if (!wanted) return {};
    const std::uint64_t id = now_.snapshot_id;
    if (one_place_)
      return visit_(
          {.path = path, .entry = entry, .first_snapshot = id, .last_snapshot = id, .snapshots = 1});
    std::vector<FindHit>& hits = history_->hits[path];
    if (!hits.empty() && hits.back().last_snapshot == history_->last.snapshot_id &&
        hits.back().entry == entry) {
      hits.back().last_snapshot = id;
      ++hits.back().snapshots;
      return {};
    }
    if (++hit_count_ > kFindHitsMax)
      return fail(Error{.code = ErrorCode::kUnsupported,
                        .message = fmt::format("more than {} entries match", kFindHitsMax),
                        .hint = "asl find --snapshot ID searches one snapshot, without a limit"});
    hits.push_back({.path = path, .entry = entry, .first_snapshot = id, .last_snapshot = id, .snapshots = 1});
    return {};
  }

  // Everything found below `path` in the snapshot before is in this one too.
  void live_on(const std::string& path) {
    const std::uint64_t before = history_->last.snapshot_id;
    const std::string from = path.empty() ? "" : path + '/';
    for (auto at = history_->hits.lower_bound(from);
         at != history_->hits.end() && at->first.starts_with(from); ++at) {
      FindHit& hit = at->second.back();
      if (hit.last_snapshot != before) continue;
      hit.last_snapshot = now_.snapshot_id;
      ++hit.snapshots;
    }
  }

  const Domain& domain_;
  EntryFilter& filter_;
  const FindVisitor& visit_;
  const FindErrorHandler& on_error_;
  const StopToken stop_;
  const bool one_place_;
  Snapshot now_;
  History* history_ = nullptr;  // that now_ belongs to
  std::map<HistoryKey, History> histories_;
  std::vector<Level> levels_;
  std::uint64_t hit_count_ = 0;
};

}  // namespace

Result<void> find_entries(const Domain& domain, const FindQuery& query, std::span<const SnapshotPath> places,
                          const FindVisitor& visit, const FindErrorHandler& on_error, const StopToken& stop) {
  ASL_ASSIGN(EntryFilter filter, EntryFilter::make(domain, query));
  std::vector<SnapshotPath> ordered(places.begin(), places.end());
  std::ranges::stable_sort(ordered, {}, &SnapshotPath::snapshot_id);
  Search search(domain, filter, visit, on_error, stop, ordered.size() == 1);
  for (const SnapshotPath& place : ordered) ASL_TRY(search.search(place));
  return search.report();
}

}  // namespace asl
