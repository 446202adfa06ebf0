#include "io/faulting_queue.h"

#include <algorithm>

#include "io/plain_queue.h"

namespace asl::io {

Result<void> FaultingQueue::read(const File& file, MutableByteSpan into, std::uint64_t offset,
                                 std::uint64_t token) {
  require_room(*this);
  const auto fault = faults_.judge(CallKind::kRead, file);
  if (!fault) return inner_->read(file, into, offset, token);
  const std::size_t size = std::min(into.size(), fault->transferred_bytes);
  if (fault->sys_errno == 0) return inner_->read(file, into.first(size), offset, token);
  failed_.push_back({.token = token, .result = -fault->sys_errno});
  return {};
}

Result<void> FaultingQueue::write(const File& file, ByteSpan from, std::uint64_t offset,
                                  std::uint64_t token) {
  require_room(*this);
  const auto fault = faults_.judge(CallKind::kWrite, file);
  if (!fault) return inner_->write(file, from, offset, token);
  const ByteSpan part = from.first(std::min(from.size(), fault->transferred_bytes));
  if (fault->sys_errno == 0) return inner_->write(file, part, offset, token);
  if (!part.empty()) ASL_TRY(faults_.inner_.write(file, part, offset));
  failed_.push_back({.token = token, .result = -fault->sys_errno});
  return {};
}

Result<std::size_t> FaultingQueue::reap(std::span<Completion> out, bool wait) {
  const std::size_t count = std::min(out.size(), failed_.size());
  std::copy_n(failed_.begin(), count, out.begin());
  failed_.erase(failed_.begin(), failed_.begin() + static_cast<std::ptrdiff_t>(count));
  if (count == out.size()) return count;
  ASL_ASSIGN(const std::size_t more, inner_->reap(out.subspan(count), wait && count == 0));
  return count + more;
}

}  // namespace asl::io
