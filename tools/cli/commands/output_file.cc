#include "commands/output_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace asl::cli {
namespace {

constexpr mode_t kMode = 0666;  // less the umask
constexpr std::uint64_t kZeroBytes = 64 << 10;

Error exists(const std::string& path) {
  return {.code = ErrorCode::kRefused,
          .message = "a file of this name exists",
          .path = path,
          .hint = "another name, or --overwrite"};
}

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

OutputFile::OutputFile(std::string path, std::string written, int fd, const OutputFileOptions& options)
    : path_(std::move(path)),
      options_(options),
      written_(std::move(written)),
      fd_(fd),
      output_(std::make_unique<Output>(fd)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      options_(other.options_),
      written_(std::exchange(other.written_, {})),
      fd_(std::exchange(other.fd_, -1)),
      ends_in_hole_(other.ends_in_hole_),
      output_(std::move(other.output_)) {}

OutputFile::~OutputFile() {
  output_.reset();
  if (fd_ >= 0) ::close(fd_);
  if (!written_.empty()) ::unlink(written_.c_str());
}

Result<OutputFile> OutputFile::create(const std::string& path, const OutputFileOptions& options) {
  struct stat status{};
  const bool special = ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  if (special && S_ISDIR(status.st_mode)) return fail(system_error(EISDIR, "cannot create", path));
  if (!special && !options.overwrite && ::lstat(path.c_str(), &status) == 0) return fail(exists(path));
  // The process id keeps two that write the same file apart.
  const std::string written = special ? path : path + ".partial-" + std::to_string(::getpid());
  const int flags = O_WRONLY | O_CLOEXEC | (special ? 0 : O_CREAT | O_TRUNC | O_NOFOLLOW);
  const int fd = ::open(written.c_str(), flags, kMode);
  if (fd < 0) return fail(system_error(errno, "cannot create", path));
  return OutputFile(path, special ? std::string() : written, fd, options);
}

Result<void> OutputFile::zeros(std::uint64_t length) {
  if (written_.empty()) {
    const std::string block(static_cast<std::size_t>(std::min<std::uint64_t>(length, kZeroBytes)), '\0');
    for (; length > 0 && output_->good(); length -= std::min<std::uint64_t>(length, block.size()))
      output_->write(std::string_view(block).substr(
          0, static_cast<std::size_t>(std::min<std::uint64_t>(length, block.size()))));
    return {};
  }
  ASL_TRY(output_->flush());
  if (::lseek(fd_, static_cast<off_t>(length), SEEK_CUR) < 0)
    return fail(system_error(errno, "cannot write", path_));
  ends_in_hole_ = true;
  return {};
}

// Where the file system cannot rename without replacing, a second link can be made without.
Result<void> OutputFile::put_in_place() {
  if (options_.overwrite) {
    if (::rename(written_.c_str(), path_.c_str()) == 0) return {};
    return fail(system_error(errno, "cannot rename into place", path_));
  }
  if (::renameat2(AT_FDCWD, written_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno == EINVAL && ::link(written_.c_str(), path_.c_str()) == 0) {
    ::unlink(written_.c_str());
    return {};
  }
  if (errno == EEXIST) return fail(exists(path_));
  return fail(system_error(errno, "cannot rename into place", path_));
}

Result<void> OutputFile::finish() {
  if (auto flushed = output_->flush(); !flushed)
    return fail(system_error(flushed.error().sys_errno, "cannot write", path_));
  if (written_.empty()) return {};
  if (ends_in_hole_ && ::ftruncate(fd_, ::lseek(fd_, 0, SEEK_CUR)) != 0)
    return fail(system_error(errno, "cannot write", path_));
  if (options_.sync && ::fsync(fd_) != 0) return fail(system_error(errno, "cannot write", path_));
  ASL_TRY(put_in_place());
  written_.clear();
  return options_.sync ? sync_parent(path_) : Result<void>();
}

}  // namespace asl::cli
