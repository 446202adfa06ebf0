#include "io/sparse_bytes.h"

#include <algorithm>
#include <cstring>

namespace asl::io {

void SparseBytes::write(std::uint64_t offset, ByteSpan bytes) {
  size_ = std::max(size_, offset + bytes.size());
  while (!bytes.empty()) {
    const std::size_t within = offset % kPageSize;
    const std::size_t size = std::min(bytes.size(), kPageSize - within);
    std::memcpy(writable_page(offset / kPageSize).data() + within, bytes.data(), size);
    bytes = bytes.subspan(size);
    offset += size;
  }
}

void SparseBytes::resize(std::uint64_t size) {
  if (size < size_) {
    pages_.erase(pages_.lower_bound(round_up(size, kPageSize) / kPageSize), pages_.end());
    if (const std::uint64_t last = size / kPageSize; pages_.contains(last)) {
      Page& page = writable_page(last);
      std::fill(page.begin() + static_cast<std::ptrdiff_t>(size % kPageSize), page.end(), std::byte{0});
    }
  }
  size_ = size;
}

SparseBytes::Page& SparseBytes::writable_page(std::uint64_t index) {
  std::shared_ptr<Page>& page = pages_[index];
  if (page == nullptr)
    page = std::make_shared<Page>();
  else if (page.use_count() > 1)
    page = std::make_shared<Page>(*page);
  return *page;
}

}  // namespace asl::io
