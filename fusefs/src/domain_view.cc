#include "domain_view.h"

#include <utility>

namespace asl::fusefs {
namespace {

// A tree's root and nothing else, mostly: ten thousand snapshots looked at take a few MiB at a time.
constexpr std::size_t kTreesBytesMax = 8 << 20;

constexpr std::size_t kHeadSizeMax = 4096;

}  // namespace

Result<std::unique_ptr<DomainView>> DomainView::open(io::Io& io, const std::string& directory,
                                                     std::uint32_t slot, const DomainOptions& options,
                                                     TreeCache& cache) {
  std::unique_ptr<DomainView> view(new DomainView(slot, cache));
  // Before the log: a commit in between is then read twice rather than not at all.
  if (auto head = io::read_file(io, directory + "/log/head", kHeadSizeMax)) view->head_ = std::move(*head);
  ASL_ASSIGN(view->domain_, Domain::open(io, directory, options));
  view->name_ = view->domain_->alias();
  view->seen_ = view->domain_->state();
  ::clock_gettime(CLOCK_REALTIME, &view->changed_at_);
  return view;
}

Reply<std::shared_ptr<const SnapshotTree>> DomainView::tree(std::uint64_t snapshot) {
  const SnapshotState* anchor = nullptr;
  const std::shared_ptr<const LogState> state = domain_->state();
  anchor = state->find_snapshot(snapshot);
  if (anchor == nullptr || anchor->forgotten) return refuse(ESTALE);
  {
    const std::lock_guard lock(trees_mutex_);
    if (const auto found = tree_of_.find(snapshot); found != tree_of_.end()) {
      trees_.splice(trees_.begin(), trees_, found->second);
      return *found->second;
    }
  }
  ASL_ASSIGN(auto tree, SnapshotTree::open(*domain_, slot_, snapshot, cache_));
  const std::lock_guard lock(trees_mutex_);
  looked_at_.insert(static_cast<std::uint32_t>(snapshot));
  if (tree_of_.contains(snapshot)) return tree;
  trees_.push_front(tree);
  tree_of_.emplace(snapshot, trees_.begin());
  trees_bytes_ += tree->memory_bytes();
  while (trees_bytes_ > kTreesBytesMax && trees_.size() > 1) {
    trees_bytes_ -= trees_.back()->memory_bytes();
    tree_of_.erase(trees_.back()->snapshot_id());
    trees_.pop_back();
  }
  return tree;
}

std::vector<std::uint32_t> DomainView::looked_at() {
  const std::lock_guard lock(trees_mutex_);
  return {looked_at_.begin(), looked_at_.end()};
}

bool DomainView::head_moved() {
  auto head = io::read_file(domain_->io(), domain_->directory() + "/log/head", kHeadSizeMax);
  // A hint that cannot be read says nothing: then the log itself is asked.
  if (!head || head->empty()) return true;
  if (*head == head_) return false;
  head_ = std::move(*head);
  return true;
}

Result<timespec> DomainView::changed_at() {
  ASL_TRY(refresh());
  const std::lock_guard lock(refresh_mutex_);
  return changed_at_;
}

Result<void> DomainView::refresh() {
  const std::lock_guard lock(refresh_mutex_);
  if (head_moved()) ASL_TRY(domain_->refresh());
  const std::shared_ptr<const LogState> now = domain_->state();
  if (now == seen_) return {};
  change_.moved = true;
  ::clock_gettime(CLOCK_REALTIME, &changed_at_);
  for (const auto& [id, snapshot] : now->snapshots()) {
    const SnapshotState* before = seen_->find_snapshot(id);
    if (snapshot.forgotten && before != nullptr && !before->forgotten) change_.forgotten.push_back(id);
  }
  for (const auto& [ref, stones] : now->tombstones())
    if (now->tombstone(ref) != nullptr && seen_->tombstone(ref) == nullptr) change_.withdrawn.push_back(ref);
  seen_ = now;
  return {};
}

Result<DomainChange> DomainView::take_change() {
  ASL_TRY(refresh());
  const std::lock_guard lock(refresh_mutex_);
  return std::exchange(change_, {});
}

}  // namespace asl::fusefs
