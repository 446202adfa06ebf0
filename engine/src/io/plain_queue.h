// A queue that completes each operation as it is queued.
#pragma once

#include <cstddef>
#include <deque>

#include <asl/engine/io.h>

namespace asl::io {

// The fallback where there is no io_uring, and the queue of tests that want one order of events.
class PlainQueue : public Queue {
 public:
  explicit PlainQueue(std::size_t capacity) : capacity_(capacity) {}
  std::size_t capacity() const override { return capacity_; }
  std::size_t in_flight() const override { return finished_.size(); }
  Result<void> read(const File& file, MutableByteSpan into, std::uint64_t offset,
                    std::uint64_t token) override;
  Result<void> write(const File& file, ByteSpan from, std::uint64_t offset, std::uint64_t token) override;
  Result<void> submit() override { return {}; }
  Result<std::size_t> reap(std::span<Completion> out, bool wait) override;

 private:
  void finish(std::uint64_t token, ssize_t result);

  std::size_t capacity_;
  std::deque<Completion> finished_;  // not yet reaped
};

// Throws std::logic_error where a queue is full: the caller broke the contract.
void require_room(const Queue& queue);

}  // namespace asl::io
