// Whole transfers over a Queue, which itself reports short ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <asl/engine/io.h>

namespace asl::io {

// Issues reads and writes on one queue and goes on with short ones, so that every completion it hands out is
// final:
//   read   result = bytes read; fewer than asked only where the file ended; or -errno
//   write  result = the size asked for; or -errno (then any part may have been written)
// The rules of Queue hold: one thread; buffers and File objects stay alive and in place until their
// completion. The queue must outlive this object and be used by nobody else meanwhile. Destroying it drops
// completions.
class Transfers {
 public:
  explicit Transfers(Queue& queue);
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;
  ~Transfers();  // waits for everything in flight

  std::size_t in_flight() const { return slots_.size() - free_slots_.size(); }
  // While full, take a completion with next() before starting another.
  bool full() const { return free_slots_.empty(); }
  Result<void> read(const File& file, MutableByteSpan into, std::uint64_t offset, std::uint64_t token);
  Result<void> write(const File& file, ByteSpan from, std::uint64_t offset, std::uint64_t token);
  // Hands what was started to the kernel without waiting.
  Result<void> submit() { return queue_->submit(); }
  // One finished transfer. With `wait` it blocks for it; nothing is returned only if nothing is in flight, or
  // without `wait` nothing is finished.
  Result<std::optional<Completion>> next(bool wait);

 private:
  struct Slot {
    const File* file = nullptr;
    MutableByteSpan into;  // of a read; the other is empty
    ByteSpan from;         // of a write
    bool is_write = false;
    std::uint64_t offset = 0;
    std::uint64_t token = 0;
    std::size_t done = 0;
    std::size_t size() const { return is_write ? from.size() : into.size(); }
  };

  Result<void> start(const Slot& slot);
  Result<void> issue(std::size_t slot_index);
  Result<std::optional<Completion>> advance(const Completion& step);

  Queue* queue_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> free_slots_;
  std::vector<Completion> reaped_;  // the last batch, of which next_ and later are not yet looked at
  std::size_t next_ = 0;
  std::size_t reaped_count_ = 0;
};

// One of a list of reads; `result` is as for Transfers.
struct ReadRequest {
  const File* file = nullptr;
  MutableByteSpan into;
  std::uint64_t offset = 0;
  std::int64_t result = 0;
};

// Does all of them, as many at once as the queue (which must be idle) takes. An error of a single read stands
// in its `result`; the function fails only where the queue itself does.
Result<void> read_all(Queue& queue, std::span<ReadRequest> requests);

}  // namespace asl::io
