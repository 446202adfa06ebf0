#include "domain_set.h"

#include <algorithm>
#include <utility>

#include "node_id.h"

namespace asl::fusefs {
namespace {

// Some windows and some large extents. Memory is only taken by domains that are read.
constexpr std::size_t kReadCacheBytesMin = 16 << 20;

}  // namespace

Result<std::unique_ptr<DomainSet>> DomainSet::open(io::Io& io, const std::string& directory,
                                                   const DomainSetOptions& options, TreeCache& cache) {
  std::unique_ptr<DomainSet> set(new DomainSet(io, options, cache));
  const bool alone = !io::exists(io, directory + "/host/layout") && io::exists(io, directory + "/layout") &&
                     io::exists(io, directory + "/log");
  if (alone) {
    ASL_TRY(set->add(directory, 0));
    return set;
  }
  ASL_ASSIGN(HostRoot root, HostRoot::open(io, directory));
  set->root_ = std::move(root);
  ASL_ASSIGN(const auto places, set->root_->places());
  set->options_.domain.read_cache_bytes =
      std::max(kReadCacheBytesMin, options.domain.read_cache_bytes / std::max<std::size_t>(1, places.size()));
  std::optional<Error> first_error;
  for (const DomainPlace& place : places) {
    auto added = set->add(place.directory, static_cast<std::uint32_t>(place.slot));
    if (added) continue;
    options.log(added.error().to_string());
    set->refused_.push_back(place.directory);
    if (!first_error) first_error = std::move(added).error();
  }
  if (set->domains_.empty() && first_error) return fail(std::move(*first_error));
  return set;
}

Result<void> DomainSet::add(const std::string& directory, std::uint32_t slot) {
  if (slot > kSlotMax)
    return fail(Error{.code = ErrorCode::kUnsupported,
                      .message = "there are more domains than a mount can number",
                      .path = directory});
  ASL_ASSIGN(auto view, DomainView::open(io_, directory, slot, options_.domain, cache_));
  if (const auto damage = view->domain().corruption())
    options_.log("the log is damaged, what verifies is shown: " + damage->to_string());
  const std::lock_guard lock(mutex_);
  domains_.emplace(slot, std::move(view));
  ::clock_gettime(CLOCK_REALTIME, &changed_at_);
  return {};
}

// Domains found by their directories come after the listed ones; their slots are only kept for this mount, so
// that a domain made meanwhile takes the next free one.
Result<void> DomainSet::look_again() {
  if (!root_) return {};
  const std::lock_guard look(look_mutex_);
  ASL_ASSIGN(const auto places, root_->places());
  for (const DomainPlace& place : places) {
    std::uint32_t slot = static_cast<std::uint32_t>(place.slot);
    {
      const std::lock_guard lock(mutex_);
      const bool known = std::ranges::any_of(domains_, [&](const auto& domain) {
        return domain.second->domain().directory() == place.directory;
      });
      if (known) continue;
      while (domains_.contains(slot)) ++slot;
    }
    if (std::ranges::find(refused_, place.directory) != refused_.end()) continue;
    if (auto added = add(place.directory, slot); !added) {
      options_.log(added.error().to_string());
      refused_.push_back(place.directory);
    }
  }
  return {};
}

std::vector<DomainView*> DomainSet::all() {
  if (auto looked = look_again(); !looked) options_.log(looked.error().to_string());
  const std::lock_guard lock(mutex_);
  std::vector<DomainView*> views;
  for (const auto& [slot, view] : domains_) views.push_back(view.get());
  return views;
}

timespec DomainSet::changed_at() {
  if (auto looked = look_again(); !looked) options_.log(looked.error().to_string());
  const std::lock_guard lock(mutex_);
  return changed_at_;
}

DomainView* DomainSet::by_slot(std::uint32_t slot) const {
  const std::lock_guard lock(mutex_);
  const auto found = domains_.find(slot);
  return found == domains_.end() ? nullptr : found->second.get();
}

DomainView* DomainSet::by_name(std::string_view name) {
  for (DomainView* view : all())
    if (view->name() == name || to_hex(view->domain().id()) == name) return view;
  return nullptr;
}

}  // namespace asl::fusefs
