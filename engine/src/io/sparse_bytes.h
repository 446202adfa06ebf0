// The bytes of a modelled file: cheap to copy, and holes cost nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include <asl/engine/bytes.h>

namespace asl::io {

// A sequence of bytes of a given size, zero where nothing was written. Copies share pages until one of them
// writes: thousands of possible states of one directory are made from the same log.
class SparseBytes {
 public:
  std::uint64_t size() const { return size_; }
  // Grows the size where it must.
  void write(std::uint64_t offset, ByteSpan bytes);
  // Zeros beyond a smaller size are not remembered.
  void resize(std::uint64_t size);

  using Page = std::array<std::byte, kPageSize>;
  // Index of a page (offset / kPageSize) -> its bytes; only pages that were written. The last may pass
  // size(): what lies beyond is zero.
  const std::map<std::uint64_t, std::shared_ptr<Page>>& pages() const { return pages_; }

 private:
  Page& writable_page(std::uint64_t index);

  std::uint64_t size_ = 0;
  std::map<std::uint64_t, std::shared_ptr<Page>> pages_;
};

}  // namespace asl::io
