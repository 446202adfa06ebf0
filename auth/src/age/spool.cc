#include "age/spool.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace asl::auth {
namespace {

constexpr std::size_t kMemoryMax = std::size_t{1} << 20;  // a bundle or a key never touches the disk

}  // namespace

Spool::~Spool() {
  if (fd_ >= 0) ::close(fd_);
}

// Without a name from the start, where the file system can; the name is gone at once elsewhere.
Result<void> Spool::open() {
  fd_ = ::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  if (fd_ < 0) {
    std::string name = directory_ + "/asl-spool-XXXXXX";
    fd_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd_ < 0) return fail(system_error(errno, "cannot make a temporary file", directory_));
    ::unlink(name.c_str());
  }
  return append(memory_);
}

Result<void> Spool::append(ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail(system_error(errno, "cannot write a temporary file", directory_));
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> Spool::write(ByteSpan bytes) {
  size_ += bytes.size();
  if (fd_ >= 0) return append(bytes);
  memory_.insert(memory_.end(), bytes.begin(), bytes.end());
  if (memory_.size() <= kMemoryMax) return {};
  ASL_TRY(open());
  Bytes().swap(memory_);
  return {};
}

Result<std::size_t> Spool::read_at(MutableByteSpan into, std::uint64_t offset) const {
  const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
  if (fd_ < 0) {
    if (want > 0) std::memcpy(into.data(), memory_.data() + offset, want);
    return want;
  }
  while (true) {
    const ssize_t got = ::pread(fd_, into.data(), want, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error(errno, "cannot read a temporary file", directory_));
    return static_cast<std::size_t>(got);
  }
}

ByteSource Spool::reader() {
  return [this, offset = std::uint64_t{0}](MutableByteSpan into) mutable -> Result<std::size_t> {
    ASL_ASSIGN(const std::size_t got, read_at(into, offset));
    offset += got;
    return got;
  };
}

}  // namespace asl::auth
