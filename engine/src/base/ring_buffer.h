// A byte ring whose memory is mapped twice in a row, so that any range up to its size is contiguous.
#pragma once

#include <cstddef>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl {

class RingBuffer {
 public:
  // `size` is a multiple of the page size. Fails with kUnsupported where the kernel refuses memfd mappings.
  static Result<RingBuffer> make(std::size_t size);
  RingBuffer() = default;
  RingBuffer(RingBuffer&& other) noexcept;
  RingBuffer& operator=(RingBuffer&& other) noexcept;
  ~RingBuffer();

  std::size_t size() const { return size_; }
  // Byte `offset` of an endless stream; [at(o), at(o) + size()) is valid memory.
  std::byte* at(std::uint64_t offset) const { return base_ + offset % size_; }

 private:
  std::byte* base_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace asl
