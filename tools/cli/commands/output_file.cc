#include "commands/output_file.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace asl::cli {
namespace {

constexpr mode_t kMode = 0666;  // less the umask

Result<void> sync_parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string parent =
      slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
  const int fd = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail(system_error(errno, "cannot open the directory", parent));
  const int failed = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (failed != 0) return fail(system_error(failed, "cannot write the directory", parent));
  return {};
}

}  // namespace

OutputFile::OutputFile(std::string path, std::string written, int fd)
    : path_(std::move(path)), written_(std::move(written)), fd_(fd), output_(std::make_unique<Output>(fd)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      written_(std::exchange(other.written_, {})),
      fd_(std::exchange(other.fd_, -1)),
      output_(std::move(other.output_)) {}

OutputFile::~OutputFile() {
  output_.reset();
  if (fd_ >= 0) ::close(fd_);
  if (!written_.empty()) ::unlink(written_.c_str());
}

Result<OutputFile> OutputFile::create(const std::string& path) {
  struct stat status{};
  const bool special = ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  const std::string written = special ? path : path + ".partial";
  const int flags = O_WRONLY | O_CLOEXEC | (special ? 0 : O_CREAT | O_TRUNC);
  const int fd = ::open(written.c_str(), flags, kMode);
  if (fd < 0) return fail(system_error(errno, "cannot create", path));
  return OutputFile(path, special ? std::string() : written, fd);
}

Result<void> OutputFile::finish() {
  if (auto flushed = output_->flush(); !flushed)
    return fail(system_error(flushed.error().sys_errno, "cannot write", path_));
  if (written_.empty()) return {};
  if (::fsync(fd_) != 0) return fail(system_error(errno, "cannot write", path_));
  if (::rename(written_.c_str(), path_.c_str()) != 0)
    return fail(system_error(errno, "cannot rename into place", path_));
  written_.clear();
  return sync_parent(path_);
}

}  // namespace asl::cli
