#include "memory.h"

#include <cstddef>
#include <malloc.h>

namespace asl::fusefs {
namespace {

constexpr int kMappedFrom = 32 << 20;
constexpr int kTrimAbove = 64 << 20;
constexpr std::size_t kSpareBytesMax = 64 << 20;

}  // namespace

// Buffers of extents come and go by the hundred a second: given back to the kernel each time, clearing their
// pages would cost as much as checking what is read into them.
void keep_freed_memory() {
  ::mallopt(M_MMAP_THRESHOLD, kMappedFrom);
  ::mallopt(M_TRIM_THRESHOLD, kTrimAbove);
  // What one thread reads, another evicts: with a heap for each, every heap would grow to the whole cache.
  ::mallopt(M_ARENA_MAX, 1);
}

// Buffers have many sizes: in time the holes between them are more than the caches themselves (a copy of 10
// GB left 370 MiB of them).
void give_back_spare_memory() {
  if (::mallinfo2().fordblks > kSpareBytesMax) ::malloc_trim(0);
}

}  // namespace asl::fusefs
