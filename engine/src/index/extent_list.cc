#include "index/extent_list.h"

#include <algorithm>
#include <cassert>

namespace asl {

static_assert(std::is_trivially_copyable_v<ExtentRecord>, "spill files hold extents as they lie in memory");

ExtentList::~ExtentList() {
  budget_->bytes_.fetch_sub(charged_, std::memory_order_relaxed);
  if (!file_) return;
  file_.close();
  // A leftover is swept with the rest of store/tmp.
  (void)budget_->io_->remove(path_);
}

Result<void> ExtentList::append(const ExtentRecord& extent) {
  tail_.push_back(extent);
  // Charged by what the vector occupies: it grows by doubling.
  const std::uint64_t held = tail_.capacity() * sizeof(ExtentRecord);
  if (held == charged_) return {};
  const std::uint64_t total =
      budget_->bytes_.fetch_add(held - charged_, std::memory_order_relaxed) + held - charged_;
  charged_ = held;
  if (total > budget_->bytes_max_) return spill();
  return {};
}

Result<void> ExtentList::spill() {
  if (!file_) {
    const auto name = budget_->next_name_.fetch_add(1, std::memory_order_relaxed);
    std::string path = budget_->directory_ + "/extents-" + std::to_string(name) + ".tmp";
    ASL_ASSIGN(file_, budget_->io_->open(path, {.write = true, .create_new = true}));
    path_ = std::move(path);
  }
  ASL_TRY(budget_->io_->write(file_, std::as_bytes(std::span(tail_)), spilled_count_ * sizeof(ExtentRecord)));
  spilled_count_ += tail_.size();
  // Short lists that spill because others are long keep a little room, so that they do not write one by one.
  constexpr std::size_t kTailRoom = 1024;
  std::vector<ExtentRecord>().swap(tail_);
  tail_.reserve(kTailRoom);
  const std::uint64_t held = tail_.capacity() * sizeof(ExtentRecord);
  budget_->bytes_.fetch_sub(charged_, std::memory_order_relaxed);
  budget_->bytes_.fetch_add(held, std::memory_order_relaxed);
  charged_ = held;
  return {};
}

Result<void> ExtentList::rewind() {
  position_ = 0;
  return {};
}

Result<std::size_t> ExtentList::next(std::span<ExtentRecord> out) {
  std::size_t filled = 0;
  if (position_ < spilled_count_) {
    filled = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), spilled_count_ - position_));
    const auto into = std::as_writable_bytes(out.first(filled));
    ASL_ASSIGN(const std::size_t got, budget_->io_->read(file_, into, position_ * sizeof(ExtentRecord)));
    if (got != into.size())
      return fail(integrity_error("a spilled extent list is shorter than it was written", path_,
                                  position_ * sizeof(ExtentRecord)));
  } else {
    const std::uint64_t from = position_ - spilled_count_;
    filled = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), tail_.size() - from));
    std::copy_n(tail_.begin() + static_cast<std::ptrdiff_t>(from), filled, out.begin());
  }
  position_ += filled;
  return filled;
}

}  // namespace asl
