#include "io/tree_fs.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <limits>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace asl::io {
namespace {

// Big enough that most directories need one call that returns entries and one that returns none.
constexpr std::size_t kListBufferBytes = 128 << 10;

// Layout of the kernel's struct linux_dirent64: the name follows the fixed part.
constexpr std::size_t kDirentInode = 0;
constexpr std::size_t kDirentLength = 16;
constexpr std::size_t kDirentType = 18;
constexpr std::size_t kDirentName = 19;

template <typename Call>
auto retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

Result<SourceStat> stat_with(int fd, const char* name, int flags) {
  struct statx raw;
  // Neither AT_STATX_DONT_SYNC nor FORCE_SYNC: a network file system answers as stat(2) would.
  const unsigned mask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID;
  if (retry([&] { return ::statx(fd, name, flags | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, mask, &raw); }) !=
      0)
    return fail(system_error(errno, "cannot read the metadata", name));
  SourceStat out;
  out.mode = raw.stx_mode;
  out.nlink = raw.stx_nlink;
  out.uid = raw.stx_uid;
  out.gid = raw.stx_gid;
  out.device = gnu_dev_makedev(raw.stx_dev_major, raw.stx_dev_minor);
  out.inode = raw.stx_ino;
  out.size = raw.stx_size;
  out.blocks_512 = raw.stx_blocks;
  out.rdev = gnu_dev_makedev(raw.stx_rdev_major, raw.stx_rdev_minor);
  out.mtime = {raw.stx_mtime.tv_sec, raw.stx_mtime.tv_nsec};
  out.ctime = {raw.stx_ctime.tv_sec, raw.stx_ctime.tv_nsec};
  if ((raw.stx_mask & STATX_BTIME) != 0) out.btime = FileTime{raw.stx_btime.tv_sec, raw.stx_btime.tv_nsec};
  if ((raw.stx_mask & STATX_MNT_ID) != 0) out.mount_id = raw.stx_mnt_id;
  out.attributes = raw.stx_attributes & raw.stx_attributes_mask;
  return out;
}

// The two ways to reach an entry's attributes behind one face.
struct ByDescriptor {
  int fd;
  ssize_t list(char* into, std::size_t size) const { return ::flistxattr(fd, into, size); }
  ssize_t get(const char* name, void* into, std::size_t size) const {
    return ::fgetxattr(fd, name, into, size);
  }
};
struct ByPath {
  const char* path;
  ssize_t list(char* into, std::size_t size) const { return ::llistxattr(path, into, size); }
  ssize_t get(const char* name, void* into, std::size_t size) const {
    return ::lgetxattr(path, name, into, size);
  }
};

template <typename Entry>
Result<void> read_xattr(const Entry& entry, const char* name, XattrSet& out) {
  // Nearly every value fits the first guess; the kernel allows XATTR_SIZE_MAX (64 KiB).
  std::array<std::byte, 1024> small;
  ssize_t length = retry([&] { return entry.get(name, small.data(), small.size()); });
  if (length >= 0) {
    out.items.push_back({name, Bytes(small.begin(), small.begin() + length)});
    return {};
  }
  if (errno == ERANGE) {
    Bytes large(XATTR_SIZE_MAX);
    length = retry([&] { return entry.get(name, large.data(), large.size()); });
    if (length >= 0) {
      large.resize(static_cast<std::size_t>(length));
      out.items.push_back({name, std::move(large)});
      return {};
    }
  }
  if (errno == ENODATA) return {};  // removed since it was listed
  return fail(system_error(errno, "cannot read an extended attribute", name));
}

template <typename Entry>
Result<XattrSet> read_xattrs_of(const Entry& entry, const char* name_for_error) {
  XattrSet out;
  std::array<char, 1024> small;
  std::vector<char> large;
  const char* names = small.data();
  ssize_t length = retry([&] { return entry.list(small.data(), small.size()); });
  if (length < 0 && errno == ERANGE) {
    large.resize(XATTR_LIST_MAX);
    names = large.data();
    length = retry([&] { return entry.list(large.data(), large.size()); });
  }
  if (length < 0) {
    if (errno == ENOTSUP) return out;
    return fail(system_error(errno, "cannot list extended attributes", name_for_error));
  }
  for (const char* end = names + length; names < end;) {
    const std::string_view name(names);
    if (!name.starts_with(kOwnXattrPrefix)) {
      const Result<void> got = read_xattr(entry, names, out);
      if (!got && out.failed_errno == 0) {
        out.failed_errno = got.error().sys_errno;
        out.failed_name = name;
      }
    }
    names += name.size() + 1;
  }
  std::ranges::sort(out.items, {}, &Xattr::name);
  return out;
}

}  // namespace

void NameList::clear() {
  arena_.clear();
  items_.clear();
}

bool NameList::add(std::string_view name, std::uint64_t inode, std::uint8_t type) {
  if (arena_.size() + name.size() + 1 > std::numeric_limits<std::uint32_t>::max()) return false;
  if (name.size() > std::numeric_limits<std::uint16_t>::max()) return false;
  const auto offset = static_cast<std::uint32_t>(arena_.size());
  arena_.insert(arena_.end(), name.begin(), name.end());
  arena_.push_back('\0');
  items_.push_back({inode, offset, static_cast<std::uint16_t>(name.size()), type});
  return true;
}

void NameList::sort_by_name() {
  std::ranges::sort(items_, [this](const Item& a, const Item& b) {
    return std::string_view(arena_.data() + a.name_offset, a.name_length) <
           std::string_view(arena_.data() + b.name_offset, b.name_length);
  });
}

void NameList::sort_by_inode() {
  std::ranges::sort(items_, {}, &Item::inode);
}

Result<bool> list_some(int directory_fd, NameList& out) {
  alignas(8) std::array<std::byte, kListBufferBytes> buffer;
  const long length =
      retry([&] { return ::syscall(SYS_getdents64, directory_fd, buffer.data(), buffer.size()); });
  if (length < 0) return fail(system_error(errno, "cannot list a directory"));
  const std::byte* at = buffer.data();
  const std::byte* const end = at + length;
  while (at < end) {
    const std::string_view name(reinterpret_cast<const char*>(at + kDirentName));
    if (name != "." && name != ".." &&
        !out.add(name, load_le<std::uint64_t>(at + kDirentInode), static_cast<std::uint8_t>(at[kDirentType])))
      return fail(system_error(EOVERFLOW, "cannot list a directory"));
    at += load_le<std::uint16_t>(at + kDirentLength);
  }
  return length > 0;
}

Result<void> list_all(int directory_fd, NameList& out) {
  for (;;) {
    ASL_ASSIGN(const bool more, list_some(directory_fd, out));
    if (!more) return {};
  }
}

Result<SourceStat> stat_at(int directory_fd, const char* name) {
  return stat_with(directory_fd, name, 0);
}

Result<SourceStat> stat_fd(int fd) {
  return stat_with(fd, "", AT_EMPTY_PATH);
}

Result<std::uint32_t> inode_flags(int fd) {
  // The ioctl is declared with a long and implemented with an int (see ioctl_iflags(2)).
  unsigned int flags = 0;
  if (retry([&] { return ::ioctl(fd, FS_IOC_GETFLAGS, &flags); }) == 0) return flags;
  if (errno == ENOTTY || errno == ENOTSUP || errno == ENOSYS || errno == EINVAL) return 0U;
  return fail(system_error(errno, "cannot read the inode flags"));
}

Result<XattrSet> read_xattrs(int fd) {
  return read_xattrs_of(ByDescriptor{fd}, "");
}

Result<XattrSet> read_xattrs_at(int directory_fd, const char* name) {
  std::array<char, 32> prefix;
  const int length = directory_fd == AT_FDCWD
                         ? std::snprintf(prefix.data(), prefix.size(), "%s", "")
                         : std::snprintf(prefix.data(), prefix.size(), "/proc/self/fd/%d/", directory_fd);
  std::string path(prefix.data(), static_cast<std::size_t>(length));
  path += name;
  return read_xattrs_of(ByPath{path.c_str()}, name);
}

Result<std::string> read_link_at(int directory_fd, const char* name) {
  std::array<char, PATH_MAX> small;
  ssize_t length = retry([&] { return ::readlinkat(directory_fd, name, small.data(), small.size()); });
  if (length >= 0 && static_cast<std::size_t>(length) < small.size())
    return std::string(small.data(), static_cast<std::size_t>(length));
  std::string large;
  if (length >= 0) {
    // The answer may have been cut: readlinkat does not say.
    large.resize(kSymlinkTargetMax + 1);
    length = retry([&] { return ::readlinkat(directory_fd, name, large.data(), large.size()); });
  }
  if (length < 0) return fail(system_error(errno, "cannot read a symbolic link", name));
  if (static_cast<std::size_t>(length) > kSymlinkTargetMax)
    return fail(ErrorCode::kMalformed, "a symbolic link is too long");
  large.resize(static_cast<std::size_t>(length));
  return large;
}

Result<std::optional<DataRange>> next_data_range(int fd, std::uint64_t from, std::uint64_t size) {
  if (from >= size) return std::nullopt;
  const off_t start = retry([&] { return ::lseek(fd, static_cast<off_t>(from), SEEK_DATA); });
  if (start < 0) {
    if (errno == ENXIO) return std::nullopt;
    if (errno == EINVAL || errno == ENOTSUP || errno == ESPIPE) return DataRange{from, size - from};
    return fail(system_error(errno, "cannot find the next data"));
  }
  const auto offset = static_cast<std::uint64_t>(start);
  if (offset >= size) return std::nullopt;
  const off_t stop = retry([&] { return ::lseek(fd, start, SEEK_HOLE); });
  if (stop < 0) return fail(system_error(errno, "cannot find the next hole"));
  return DataRange{offset, std::min(static_cast<std::uint64_t>(stop), size) - offset};
}

Result<bool> wait_readable(int fd, int timeout_ms) {
  struct pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  const int ready = ::poll(&wanted, 1, timeout_ms);
  if (ready < 0 && errno != EINTR) return fail(system_error(errno, "cannot wait for the input"));
  return ready > 0;
}

Result<std::size_t> read_pipe(int fd, MutableByteSpan into) {
  const ssize_t got = retry([&] { return ::read(fd, into.data(), into.size()); });
  if (got < 0) return fail(system_error(errno, "cannot read the input"));
  return static_cast<std::size_t>(got);
}

Result<BlockDevice> block_device(int fd) {
  BlockDevice out;
  int sector = 0;
  if (retry([&] { return ::ioctl(fd, BLKGETSIZE64, &out.size_bytes); }) != 0 ||
      retry([&] { return ::ioctl(fd, BLKSSZGET, &sector); }) != 0)
    return fail(system_error(errno, "cannot read the size of a block device"));
  out.logical_sector_bytes = static_cast<std::uint32_t>(sector);
  return out;
}

}  // namespace asl::io
