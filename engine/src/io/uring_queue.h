// A queue on one io_uring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <liburing.h>
#include <memory>
#include <vector>

#include <asl/engine/io.h>

namespace asl::io {

// See Queue for the rules on threads. Owns its ring; the kernel holds the buffers of what is in flight, so
// the destructor waits for all of it.
class UringQueue : public Queue {
 public:
  // nullptr where the kernel refuses a ring (too old, a container's seccomp filter, kernel.io_uring_disabled,
  // locked-memory limits).
  static std::unique_ptr<UringQueue> create(std::size_t capacity);
  UringQueue(const UringQueue&) = delete;
  UringQueue& operator=(const UringQueue&) = delete;
  ~UringQueue() override;

  std::size_t capacity() const override { return slots_.size(); }
  std::size_t in_flight() const override { return slots_.size() - free_slots_.size(); }
  Result<void> read(const File& file, MutableByteSpan into, std::uint64_t offset,
                    std::uint64_t token) override;
  Result<void> write(const File& file, ByteSpan from, std::uint64_t offset, std::uint64_t token) override;
  Result<void> submit() override;
  Result<std::size_t> reap(std::span<Completion> out, bool wait) override;

 private:
  // An operation as it was asked for, so that it can be given to the kernel again.
  struct Slot {
    bool is_write = false;
    int fd = -1;
    std::byte* buffer = nullptr;  // only read from where is_write
    std::uint32_t size = 0;
    std::uint64_t offset = 0;
    std::uint64_t token = 0;
    std::uint32_t retries = 0;
  };

  explicit UringQueue(std::size_t capacity);
  bool set_up_ring();
  Result<void> start(const Slot& operation);
  void prepare(std::uint32_t slot_index);
  Result<void> enter(unsigned wait_count);
  std::size_t take(std::span<Completion> out);
  bool try_again(Slot& slot, std::int32_t result);

  io_uring ring_ = {};
  bool ring_ready_ = false;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
};

}  // namespace asl::io
