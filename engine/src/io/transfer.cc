#include "io/transfer.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <stdexcept>

#include "io/system.h"

namespace asl::io {
namespace {

constexpr std::size_t kReapMax = 64;  // taken from the queue at a time

}  // namespace

Transfers::Transfers(Queue& queue)
    : queue_(&queue), slots_(queue.capacity()), reaped_(std::min(queue.capacity(), kReapMax)) {
  free_slots_.reserve(slots_.size());
  for (std::size_t i = slots_.size(); i > 0; --i) free_slots_.push_back(i - 1);
}

Transfers::~Transfers() {
  // Going on with operations in flight would free memory that the kernel may still write to.
  while (queue_->in_flight() > 0)
    if (!queue_->reap(reaped_, true)) std::terminate();
}

Result<void> Transfers::read(const File& file, MutableByteSpan into, std::uint64_t offset,
                             std::uint64_t token) {
  return start(
      {.file = &file, .into = into, .from = {}, .is_write = false, .offset = offset, .token = token});
}

Result<void> Transfers::write(const File& file, ByteSpan from, std::uint64_t offset, std::uint64_t token) {
  return start({.file = &file, .into = {}, .from = from, .is_write = true, .offset = offset, .token = token});
}

Result<void> Transfers::start(const Slot& slot) {
  if (full()) throw std::logic_error("a transfer was started while all were in flight");
  const std::size_t index = free_slots_.back();
  slots_[index] = slot;
  ASL_TRY(issue(index));
  free_slots_.pop_back();
  return {};
}

Result<void> Transfers::issue(std::size_t slot_index) {
  const Slot& slot = slots_[slot_index];
  const std::uint64_t position = slot.offset + slot.done;
  if (slot.is_write) return queue_->write(*slot.file, slot.from.subspan(slot.done), position, slot_index);
  return queue_->read(*slot.file, slot.into.subspan(slot.done), position, slot_index);
}

Result<std::optional<Completion>> Transfers::next(bool wait) {
  while (in_flight() > 0) {
    if (next_ == reaped_count_) {
      ASL_ASSIGN(reaped_count_, queue_->reap(reaped_, wait));
      next_ = 0;
      if (reaped_count_ == 0) break;
    }
    ASL_ASSIGN(const std::optional<Completion> finished, advance(reaped_[next_++]));
    if (finished) return finished;
  }
  return std::nullopt;
}

// Takes one step of a transfer; nothing if there is more to do.
Result<std::optional<Completion>> Transfers::advance(const Completion& step) {
  Slot& slot = slots_[step.token];
  std::int64_t result = step.result;
  if (result > 0) slot.done += static_cast<std::size_t>(result);
  const bool unfinished = result > 0 && slot.done < slot.size();
  if (unfinished && (slot.is_write || !is_end_of_file(*slot.file, slot.offset + slot.done))) {
    ASL_TRY(issue(step.token));
    return std::nullopt;
  }
  // A device that takes nothing and reports no error would be asked for ever.
  if (result == 0 && slot.is_write && slot.size() > 0) result = -EIO;
  if (result >= 0) result = static_cast<std::int64_t>(slot.done);
  free_slots_.push_back(step.token);
  return Completion{.token = slot.token, .result = result};
}

Result<void> read_all(Queue& queue, std::span<ReadRequest> requests) {
  Transfers transfers(queue);
  std::size_t started = 0;
  while (started < requests.size() || transfers.in_flight() > 0) {
    for (; started < requests.size() && !transfers.full(); ++started) {
      const ReadRequest& request = requests[started];
      ASL_TRY(transfers.read(*request.file, request.into, request.offset, started));
    }
    ASL_ASSIGN(const std::optional<Completion> finished, transfers.next(true));
    if (finished) requests[finished->token].result = finished->result;
  }
  return {};
}

}  // namespace asl::io
