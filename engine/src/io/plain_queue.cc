#include "io/plain_queue.h"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <unistd.h>

#include "io/system.h"

namespace asl::io {

void require_room(const Queue& queue) {
  if (queue.in_flight() >= queue.capacity())
    throw std::logic_error("an I/O queue was filled beyond its capacity");
}

Result<void> PlainQueue::read(const File& file, MutableByteSpan into, std::uint64_t offset,
                              std::uint64_t token) {
  require_room(*this);
  finish(token, retry_interrupted(
                    [&] { return pread(file.fd(), into.data(), into.size(), static_cast<off_t>(offset)); }));
  return {};
}

Result<void> PlainQueue::write(const File& file, ByteSpan from, std::uint64_t offset, std::uint64_t token) {
  require_room(*this);
  finish(token, retry_interrupted(
                    [&] { return pwrite(file.fd(), from.data(), from.size(), static_cast<off_t>(offset)); }));
  return {};
}

Result<std::size_t> PlainQueue::reap(std::span<Completion> out, bool /*wait*/) {
  const std::size_t count = std::min(out.size(), finished_.size());
  std::copy_n(finished_.begin(), count, out.begin());
  finished_.erase(finished_.begin(), finished_.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

void PlainQueue::finish(std::uint64_t token, ssize_t result) {
  finished_.push_back({.token = token, .result = result < 0 ? -errno : result});
}

}  // namespace asl::io
