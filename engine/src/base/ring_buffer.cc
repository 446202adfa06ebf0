#include "base/ring_buffer.h"

#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace asl {
namespace {

Error map_error(int sys_errno) {
  Error error = system_error(sys_errno, "cannot map a ring buffer");
  error.code = ErrorCode::kUnsupported;
  return error;
}

}  // namespace

Result<RingBuffer> RingBuffer::make(std::size_t size) {
  const int fd = memfd_create("asl-ring", MFD_CLOEXEC);
  if (fd < 0) return fail(map_error(errno));
  RingBuffer ring;
  void* base = MAP_FAILED;
  int error = 0;
  int sized = -1;
  do {
    sized = ftruncate(fd, static_cast<off_t>(size));
  } while (sized != 0 && errno == EINTR);
  if (sized != 0) {
    error = errno;
  } else {
    base = mmap(nullptr, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) error = errno;
  }
  for (int half = 0; half < 2 && error == 0; ++half) {
    void* at = static_cast<std::byte*>(base) + static_cast<std::size_t>(half) * size;
    if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) error = errno;
  }
  ::close(fd);
  if (error != 0) {
    if (base != MAP_FAILED) munmap(base, 2 * size);
    return fail(map_error(error));
  }
  ring.base_ = static_cast<std::byte*>(base);
  ring.size_ = size;
  return ring;
}

RingBuffer::RingBuffer(RingBuffer&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), size_(std::exchange(other.size_, 0)) {}

RingBuffer& RingBuffer::operator=(RingBuffer&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  return *this;
}

RingBuffer::~RingBuffer() {
  if (base_ != nullptr) munmap(base_, 2 * size_);
}

}  // namespace asl
