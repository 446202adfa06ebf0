#include "io/target_fs.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "io/system.h"

namespace asl::io {
namespace {

struct timespec to_timespec(const FileTime& time) {
  return {.tv_sec = time.seconds, .tv_nsec = time.nanoseconds};
}

// Calls that know no directory descriptor, or follow a symlink in the last place, go by this name.
std::string proc_path(int directory_fd, const char* name) {
  return "/proc/self/fd/" + std::to_string(directory_fd) + "/" + name;
}

}  // namespace

const std::uint32_t kInodeFlagsLate = FS_NODUMP_FL | FS_NOATIME_FL | FS_APPEND_FL | FS_IMMUTABLE_FL;
const std::uint32_t kInodeFlagsEarly = FS_NOCOW_FL;
const std::uint32_t kInodeFlagsLocking = FS_APPEND_FL | FS_IMMUTABLE_FL;

Result<NewFile> create_file_at(Io& io, int directory_fd, const char* name) {
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW;
  const auto open_with = [&](int flags) {
    return retry_interrupted([&] { return ::openat(directory_fd, name, flags, kUnfinishedMode); });
  };
  int fd = open_with(kFlags | O_DIRECT);
  const bool direct = fd >= 0;
  if (!direct && errno == EINVAL) {
    // Some kernels create the file before they find that it cannot be opened directly.
    (void)::unlinkat(directory_fd, name, 0);
    fd = open_with(kFlags);
  }
  if (fd < 0) return fail(system_error(errno, "cannot create file", name));
  return NewFile{File(&io, fd), direct};
}

Result<void> make_directory_at(int directory_fd, const char* name, std::uint32_t mode) {
  return check(::mkdirat(directory_fd, name, mode), "cannot make a directory", name);
}

Result<void> make_symlink_at(int directory_fd, const char* name, const std::string& target) {
  return check(::symlinkat(target.c_str(), directory_fd, name), "cannot make a symbolic link", name);
}

Result<void> make_node_at(int directory_fd, const char* name, std::uint32_t mode, std::uint64_t rdev) {
  return check(::mknodat(directory_fd, name, mode, rdev), "cannot make a special file", name);
}

Result<void> link_at(int from_fd, const char* from, int to_fd, const char* to) {
  return check(::linkat(from_fd, from, to_fd, to, 0), "cannot make a hard link", to);
}

Result<void> rename_at(int from_fd, const char* from, int to_fd, const char* to) {
  return check(::renameat(from_fd, from, to_fd, to), "cannot rename", to);
}

Result<void> remove_at(int directory_fd, const char* name) {
  return check(::unlinkat(directory_fd, name, 0), "cannot remove", name);
}

Result<void> remove_directory_at(int directory_fd, const char* name) {
  return check(::unlinkat(directory_fd, name, AT_REMOVEDIR), "cannot remove a directory", name);
}

Result<void> set_owner(int fd, std::uint32_t uid, std::uint32_t gid) {
  return check(::fchown(fd, uid, gid), "cannot set the owner", {});
}

Result<void> set_owner_at(int directory_fd, const char* name, std::uint32_t uid, std::uint32_t gid) {
  return check(::fchownat(directory_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW), "cannot set the owner", name);
}

Result<void> set_mode(int fd, std::uint32_t mode) {
  return check(::fchmod(fd, mode), "cannot set the mode", {});
}

Result<void> set_mode_at(int directory_fd, const char* name, std::uint32_t mode) {
  // fchmodat would follow a symlink that somebody puts there between a look and the call; a handle on the
  // entry itself cannot be exchanged.
  const int fd = ::openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return fail(system_error(errno, "cannot set the mode", name));
  struct stat status;
  int error = ::fstat(fd, &status) != 0 ? errno : S_ISLNK(status.st_mode) ? EOPNOTSUPP : 0;
  if (error == 0 && ::chmod(("/proc/self/fd/" + std::to_string(fd)).c_str(), mode) != 0) error = errno;
  ::close(fd);
  if (error != 0) return fail(system_error(error, "cannot set the mode", name));
  return {};
}

Result<void> set_mtime(int fd, const FileTime& mtime) {
  const std::array<struct timespec, 2> times = {{{0, UTIME_OMIT}, to_timespec(mtime)}};
  return check(::futimens(fd, times.data()), "cannot set the modification time", {});
}

Result<void> set_mtime_at(int directory_fd, const char* name, const FileTime& mtime) {
  const std::array<struct timespec, 2> times = {{{0, UTIME_OMIT}, to_timespec(mtime)}};
  return check(::utimensat(directory_fd, name, times.data(), AT_SYMLINK_NOFOLLOW),
               "cannot set the modification time", name);
}

Result<void> set_xattr(int fd, const std::string& name, ByteSpan value) {
  return check(::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0),
               "cannot set an extended attribute", name);
}

Result<void> set_xattr_at(int directory_fd, const char* name, const std::string& xattr, ByteSpan value) {
  return check(
      ::lsetxattr(proc_path(directory_fd, name).c_str(), xattr.c_str(), value.data(), value.size(), 0),
      "cannot set an extended attribute", xattr);
}

Result<void> remove_xattr(int fd, const std::string& name) {
  if (::fremovexattr(fd, name.c_str()) == 0 || errno == ENODATA) return {};
  return fail(system_error(errno, "cannot remove an extended attribute", name));
}

Result<void> remove_xattr_at(int directory_fd, const char* name, const std::string& xattr) {
  if (::lremovexattr(proc_path(directory_fd, name).c_str(), xattr.c_str()) == 0 || errno == ENODATA)
    return {};
  return fail(system_error(errno, "cannot remove an extended attribute", xattr));
}

Result<void> set_inode_flags(int fd, std::uint32_t flags, std::uint32_t mask) {
  // The ioctls are declared with a long and implemented with an int (see ioctl_iflags(2)).
  unsigned int current = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &current) != 0)
    return fail(system_error(errno, "cannot read the inode flags"));
  unsigned int wanted = (current & ~mask) | (flags & mask);
  if (wanted == current) return {};
  return check(::ioctl(fd, FS_IOC_SETFLAGS, &wanted), "cannot set the inode flags", {});
}

Result<void> reserve_space(int fd, std::uint64_t length) {
  if (length == 0) return {};
  const int result =
      retry_interrupted([&] { return ::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(length)); });
  if (result != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
    return fail(system_error(errno, "cannot reserve space"));
  return {};
}

Result<void> sync_file_system(int fd) {
  return check(::syncfs(fd), "cannot sync the file system", {});
}

}  // namespace asl::io
