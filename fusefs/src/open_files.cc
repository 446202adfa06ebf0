#include "open_files.h"

#include <utility>

namespace asl::fusefs {

Reply<std::shared_ptr<const OpenFile>> OpenFiles::get(std::uint64_t node, const Open& open) {
  std::uint64_t cleared_before = 0;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = slots_.find(node); found != slots_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
      return found->second->file;
    }
    cleared_before = cleared_;
  }
  ASL_ASSIGN(auto file, open());
  const std::lock_guard lock(mutex_);
  // Opened before the commit that cleared all: good for this request, and for no other.
  if (cleared_ != cleared_before || slots_.contains(node)) return file;
  recent_.push_front({.node = node, .file = file, .bytes = file->memory_bytes()});
  slots_.emplace(node, recent_.begin());
  bytes_ += recent_.front().bytes;
  while (bytes_ > bytes_max_ && recent_.size() > 1) {
    bytes_ -= recent_.back().bytes;
    slots_.erase(recent_.back().node);
    recent_.pop_back();
  }
  return file;
}

void OpenFiles::clear() {
  Slots dropped;
  const std::lock_guard lock(mutex_);
  ++cleared_;
  slots_.clear();
  dropped.swap(recent_);
  bytes_ = 0;
}

}  // namespace asl::fusefs
