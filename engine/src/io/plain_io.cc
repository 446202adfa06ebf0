#include "io/plain_io.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/plain_queue.h"
#include "io/system.h"

namespace asl::io {
namespace {

constexpr ::mode_t kNewFileMode = 0600;       // what a store holds is its owner's business
constexpr ::mode_t kNewDirectoryMode = 0700;  // likewise

int open_flags(const OpenOptions& options) {
  int flags = O_CLOEXEC | O_NOCTTY;
  flags |= options.write || options.create_new ? O_RDWR : O_RDONLY;
  if (options.create_new) flags |= O_CREAT | O_EXCL;
  if (options.direct) flags |= O_DIRECT;
  if (options.no_follow) flags |= O_NOFOLLOW;
  if (options.directory) flags |= O_DIRECTORY;
  if (options.no_atime) flags |= O_NOATIME;
  if (options.path_only) flags |= O_PATH;
  if (options.no_wait) flags |= O_NONBLOCK;
  return flags;
}

// Wishes that the file system or the caller's rights may not allow are dropped one by one; what remains is
// needed.
int open_with_fallbacks(int directory, const std::string& path, int flags) {
  while (true) {
    const int fd = retry_interrupted([&] { return openat(directory, path.c_str(), flags, kNewFileMode); });
    if (fd >= 0) return fd;
    if (errno == EINVAL && (flags & O_DIRECT) != 0) {
      // Some kernels create the file before they find that it cannot be opened directly.
      if ((flags & O_EXCL) != 0) (void)unlinkat(directory, path.c_str(), 0);
      flags &= ~O_DIRECT;
    } else if (errno == EPERM && (flags & O_NOATIME) != 0) {
      flags &= ~O_NOATIME;
    } else {
      return -1;
    }
  }
}

Result<int> open_descriptor(int directory, const std::string& path, const OpenOptions& options) {
  const int fd = open_with_fallbacks(directory, path, open_flags(options));
  if (fd < 0) {
    const char* const message = options.create_new ? "cannot create file" : "cannot open";
    return fail(system_error(errno, message, path));
  }
  // Only the opening must not wait: io_uring would report EAGAIN for reads of a non-blocking handle.
  if (options.no_wait && !options.path_only) {
    const int flags = fcntl(fd, F_GETFL);
    if (flags >= 0) (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  }
  return fd;
}

}  // namespace

Result<File> PlainIo::open(const std::string& path, const OpenOptions& options) {
  ASL_ASSIGN(const int fd, open_descriptor(AT_FDCWD, path, options));
  return File(this, fd);
}

Result<File> PlainIo::open_at(const File& directory, const std::string& name, const OpenOptions& options) {
  auto fd = open_descriptor(directory.fd(), name, options);
  if (!fd) return fail(std::move(fd).error().with_path(path_of(directory) + "/" + name));
  return File(this, *fd);
}

Result<std::size_t> PlainIo::read(const File& file, MutableByteSpan into, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < into.size()) {
    const std::uint64_t position = offset + done;
    const ssize_t size = retry_interrupted([&] {
      return pread(file.fd(), into.data() + done, into.size() - done, static_cast<off_t>(position));
    });
    if (size < 0) {
      if (errno == EINVAL && done > 0 && is_end_of_file(file, position)) break;
      return fail(system_error(errno, "cannot read", path_of(file)).with_offset(position));
    }
    if (size == 0) break;
    done += static_cast<std::size_t>(size);
  }
  return done;
}

Result<void> PlainIo::write(const File& file, ByteSpan from, std::uint64_t offset) {
  while (!from.empty()) {
    const ssize_t size = retry_interrupted(
        [&] { return pwrite(file.fd(), from.data(), from.size(), static_cast<off_t>(offset)); });
    if (size < 0) return fail(system_error(errno, "cannot write", path_of(file)).with_offset(offset));
    // POSIX lets a write of some bytes return 0 only for odd devices; trying again could go on for ever.
    if (size == 0) return fail(system_error(EIO, "cannot write", path_of(file)).with_offset(offset));
    from = from.subspan(static_cast<std::size_t>(size));
    offset += static_cast<std::uint64_t>(size);
  }
  return {};
}

Result<void> PlainIo::truncate(const File& file, std::uint64_t length) {
  const int result = retry_interrupted([&] { return ftruncate(file.fd(), static_cast<off_t>(length)); });
  if (result < 0)
    return fail(system_error(errno, "cannot set the length", path_of(file)).with_offset(length));
  return {};
}

Result<void> PlainIo::allocate(const File& file, std::uint64_t length) {
  if (length == 0) return {};  // which fallocate calls invalid
  const int result =
      retry_interrupted([&] { return fallocate(file.fd(), 0, 0, static_cast<off_t>(length)); });
  if (result < 0) return fail(system_error(errno, "cannot reserve space", path_of(file)));
  return {};
}

Result<void> PlainIo::sync_data(const File& file) {
  const int result = retry_interrupted([&] { return fdatasync(file.fd()); });
  if (result < 0) return fail(system_error(errno, "cannot sync", path_of(file)));
  return {};
}

Result<void> PlainIo::sync(const File& file) {
  const int result = retry_interrupted([&] { return fsync(file.fd()); });
  if (result < 0) return fail(system_error(errno, "cannot sync", path_of(file)));
  return {};
}

Result<struct stat> PlainIo::status(const File& file) {
  struct stat status;
  if (fstat(file.fd(), &status) < 0) return fail(system_error(errno, "cannot stat", path_of(file)));
  return status;
}

Result<struct stat> PlainIo::status(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) < 0) return fail(system_error(errno, "cannot stat", path));
  return status;
}

Result<std::vector<ListedEntry>> PlainIo::list(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (directory == nullptr) return fail(system_error(errno, "cannot open directory", path));
  std::vector<ListedEntry> entries;
  while (true) {
    errno = 0;
    const dirent* const entry = readdir(directory.get());
    if (entry == nullptr) {
      if (errno != 0) return fail(system_error(errno, "cannot list directory", path));
      return entries;
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    entries.push_back({std::string(name), entry->d_ino, entry->d_type});
  }
}

Result<void> PlainIo::make_directory(const std::string& path) {
  return check(mkdir(path.c_str(), kNewDirectoryMode), "cannot make directory", path);
}

Result<void> PlainIo::rename(const std::string& from, const std::string& to, bool replace) {
  if (replace) return check(::rename(from.c_str(), to.c_str()), "cannot rename to", to);
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno != EINVAL && errno != ENOSYS) return fail(system_error(errno, "cannot rename to", to));
  // Where the file system has no such rename: a link never replaces. A crash in between leaves both names,
  // which callers must bear anyway.
  ASL_TRY(link(from, to));
  return remove(from);
}

Result<void> PlainIo::link(const std::string& from, const std::string& to) {
  return check(::link(from.c_str(), to.c_str()), "cannot link to", to);
}

Result<void> PlainIo::remove(const std::string& path) {
  return check(unlink(path.c_str()), "cannot remove", path);
}

Result<void> PlainIo::remove_directory(const std::string& path) {
  return check(rmdir(path.c_str()), "cannot remove directory", path);
}

Result<void> PlainIo::sync_directory(const std::string& path) {
  ASL_ASSIGN(const File directory, open(path, {.directory = true}));
  return check(retry_interrupted([&] { return fsync(directory.fd()); }), "cannot sync directory", path);
}

Result<std::unique_ptr<Queue>> PlainIo::make_queue(std::size_t capacity) {
  if (capacity == 0 || capacity > kQueueCapacityMax)
    return fail(ErrorCode::kUsage, "the capacity of an I/O queue is out of range");
  return std::make_unique<PlainQueue>(capacity);
}

void PlainIo::close(int fd) {
  // Linux frees the descriptor whatever close returns, so there is nothing to try again.
  (void)::close(fd);
}

std::unique_ptr<Io> make_plain_io() {
  return std::make_unique<PlainIo>();
}

}  // namespace asl::io
