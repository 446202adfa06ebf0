#include <utility>

#include <asl/engine/io.h>

namespace asl::io {

File::File(File&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), fd_(std::exchange(other.fd_, -1)) {}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    close();
    owner_ = std::exchange(other.owner_, nullptr);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

File::~File() {
  close();
}

void File::close() {
  if (fd_ >= 0 && owner_ != nullptr) owner_->close(fd_);
  owner_ = nullptr;
  fd_ = -1;
}

int File::release() {
  owner_ = nullptr;
  return std::exchange(fd_, -1);
}

}  // namespace asl::io
