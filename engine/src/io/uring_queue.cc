#include "io/uring_queue.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <sched.h>

#include "io/plain_queue.h"
#include "io/system.h"

namespace asl::io {
namespace {

// Best first. Completions are handed over when the thread enters the kernel anyway, instead of interrupting
// it; kernels before 5.19 know less. (A ring bound to one issuing thread would do a little better, but a
// commit seals the blocks of all lanes from whichever thread it falls to.)
constexpr std::array<unsigned, 2> kSetupFlags = {
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    0,
};

// Enough to outlast a moment of memory pressure; beyond it the error is the caller's to see.
constexpr std::uint32_t kRetriesMax = 1000;

bool is_transient(int error) {
  return error == EINTR || error == EAGAIN;
}

}  // namespace

std::unique_ptr<UringQueue> UringQueue::create(std::size_t capacity) {
  std::unique_ptr<UringQueue> queue(new UringQueue(capacity));
  if (!queue->set_up_ring()) return nullptr;
  return queue;
}

UringQueue::UringQueue(std::size_t capacity) : slots_(capacity) {
  free_slots_.reserve(capacity);
  for (std::size_t i = capacity; i > 0; --i) free_slots_.push_back(static_cast<std::uint32_t>(i - 1));
}

bool UringQueue::set_up_ring() {
  for (const unsigned flags : kSetupFlags) {
    io_uring_params params = {};
    params.flags = flags;
    if (io_uring_queue_init_params(static_cast<unsigned>(slots_.size()), &ring_, &params) == 0) {
      ring_ready_ = true;
      return true;
    }
  }
  return false;
}

UringQueue::~UringQueue() {
  if (!ring_ready_) return;
  std::array<Completion, 64> dropped;
  while (in_flight() > 0) {
    // Going on would free memory that the kernel may still write to.
    if (!reap(dropped, true)) std::terminate();
  }
  io_uring_queue_exit(&ring_);
}

Result<void> UringQueue::read(const File& file, MutableByteSpan into, std::uint64_t offset,
                              std::uint64_t token) {
  return start({.is_write = false,
                .fd = file.fd(),
                .buffer = into.data(),
                .size = static_cast<std::uint32_t>(std::min(into.size(), kTransferSizeMax)),
                .offset = offset,
                .token = token});
}

Result<void> UringQueue::write(const File& file, ByteSpan from, std::uint64_t offset, std::uint64_t token) {
  return start({.is_write = true,
                .fd = file.fd(),
                .buffer = const_cast<std::byte*>(from.data()),
                .size = static_cast<std::uint32_t>(std::min(from.size(), kTransferSizeMax)),
                .offset = offset,
                .token = token});
}

Result<void> UringQueue::start(const Slot& operation) {
  require_room(*this);
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  slots_[index] = operation;
  prepare(index);
  return {};
}

void UringQueue::prepare(std::uint32_t slot_index) {
  const Slot& slot = slots_[slot_index];
  // Never null: the ring has at least as many entries as there are slots.
  io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
  if (slot.is_write)
    io_uring_prep_write(entry, slot.fd, slot.buffer, slot.size, slot.offset);
  else
    io_uring_prep_read(entry, slot.fd, slot.buffer, slot.size, slot.offset);
  io_uring_sqe_set_data64(entry, slot_index);
}

Result<void> UringQueue::submit() {
  return enter(0);
}

// One call of io_uring_enter, repeated while the kernel is only interrupted or short of memory.
Result<void> UringQueue::enter(unsigned wait_count) {
  if (wait_count == 0 && io_uring_sq_ready(&ring_) == 0) return {};
  for (std::uint32_t attempt = 0;; ++attempt) {
    const int result =
        wait_count == 0 ? io_uring_submit(&ring_) : io_uring_submit_and_wait(&ring_, wait_count);
    if (result >= 0) return {};
    // EBUSY: completions wait to be taken first, which the caller does next.
    if (result == -EBUSY && io_uring_cq_ready(&ring_) > 0) return {};
    if (result != -EINTR && attempt >= kRetriesMax)
      return fail(system_error(-result, "cannot submit to io_uring"));
    if (!is_transient(-result) && result != -EBUSY)
      return fail(system_error(-result, "cannot submit to io_uring"));
    if (result != -EINTR) (void)sched_yield();
  }
}

Result<std::size_t> UringQueue::reap(std::span<Completion> out, bool wait) {
  if (in_flight() == 0 || out.empty()) return 0;
  // What is there already is taken without waiting, but what was queued still gets going.
  ASL_TRY(enter(0));
  std::size_t count = take(out);
  while (count == 0 && wait) {
    ASL_TRY(enter(1));
    count = take(out);
  }
  return count;
}

std::size_t UringQueue::take(std::span<Completion> out) {
  std::size_t count = 0;
  io_uring_cqe* event = nullptr;
  while (count < out.size() && io_uring_peek_cqe(&ring_, &event) == 0) {
    const auto index = static_cast<std::uint32_t>(io_uring_cqe_get_data64(event));
    const std::int32_t result = event->res;
    io_uring_cqe_seen(&ring_, event);
    if (try_again(slots_[index], result)) {
      prepare(index);
      continue;
    }
    out[count++] = {.token = slots_[index].token, .result = result};
    free_slots_.push_back(index);
  }
  return count;
}

bool UringQueue::try_again(Slot& slot, std::int32_t result) {
  return result < 0 && is_transient(-result) && slot.retries++ < kRetriesMax;
}

}  // namespace asl::io
