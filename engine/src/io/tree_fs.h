// Metadata of foreign file systems: what is read from a source that is ingested. Everything that io::Io,
// which serves stores and file contents, does not do. The other direction is io/target_fs.h.
//
// Free functions over open descriptors, safe from any thread (one descriptor's listing position is shared by
// all who list through it). Nothing is followed: a symlink is always itself. Every failure is an Error whose
// sys_errno is the system call's and whose path is the name that was asked for; interrupted calls are
// retried.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl::io {

// Attributes whose names start so answer questions about a store (the FUSE view makes them up, restore leaves
// one behind): they are never part of a source.
inline constexpr std::string_view kOwnXattrPrefix = "user.asl.";

// Names of directory entries in one arena: 16 bytes an entry beside the names themselves.
class NameList {
 public:
  struct Item {
    std::uint64_t inode;
    std::uint32_t name_offset;
    std::uint16_t name_length;
    std::uint8_t type;  // DT_* of <dirent.h>; DT_UNKNOWN where the file system does not say
  };

  void clear();
  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  const Item& item(std::size_t index) const { return items_[index]; }
  std::string_view name(std::size_t index) const {
    return {arena_.data() + items_[index].name_offset, items_[index].name_length};
  }
  // Terminated by a NUL byte; valid until the list changes.
  const char* c_name(std::size_t index) const { return arena_.data() + items_[index].name_offset; }
  // What the list occupies, for callers that bound their memory.
  std::size_t memory_bytes() const { return arena_.capacity() + items_.capacity() * sizeof(Item); }

  // By name bytes, as trees are sorted; by inode number, as disks like to be read.
  void sort_by_name();
  void sort_by_inode();

  // False (and nothing added) if the arena has no room for offsets of 32 bits.
  [[nodiscard]] bool add(std::string_view name, std::uint64_t inode, std::uint8_t type);

 private:
  std::vector<char> arena_;
  std::vector<Item> items_;
};

// Appends the next entries of an open directory, one large getdents64 at a time, without "." and "..".
// Returns false once the directory has ended. A directory that changes meanwhile may show an entry twice or
// not at all (the kernel's rule); an entry already returned stays in `out` when a later call fails.
Result<bool> list_some(int directory_fd, NameList& out);
// All of them. The descriptor must not have been listed before.
Result<void> list_all(int directory_fd, NameList& out);

// A moment, to the nanosecond; seconds before 1970 are negative, nanoseconds never are.
struct FileTime {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  auto operator<=>(const FileTime&) const = default;
};

struct SourceStat {
  std::uint32_t mode = 0;  // type and permissions, as st_mode
  std::uint32_t nlink = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t device = 0;  // as st_dev (makedev)
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::uint64_t blocks_512 = 0;  // allocated, in units of 512 bytes
  std::uint64_t rdev = 0;        // as st_rdev
  FileTime mtime;
  FileTime ctime;
  std::optional<FileTime> btime;          // where the file system keeps it
  std::optional<std::uint64_t> mount_id;  // where the kernel tells it (5.8 and later)
  std::uint64_t attributes = 0;           // STATX_ATTR_* that are set

  bool is_directory() const { return (mode & 0170000) == 0040000; }
  bool is_regular() const { return (mode & 0170000) == 0100000; }
  bool is_symlink() const { return (mode & 0170000) == 0120000; }
  bool operator==(const SourceStat&) const = default;
};

// `name` is one component or a relative path below `directory_fd`; AT_FDCWD takes any path.
Result<SourceStat> stat_at(int directory_fd, const char* name);
Result<SourceStat> stat_fd(int fd);

// The flags of chattr(1) (FS_IMMUTABLE_FL, FS_APPEND_FL, FS_NODUMP_FL, FS_NOATIME_FL, FS_NOCOW_FL, ...) of an
// open file or directory, as FS_IOC_GETFLAGS gives them; 0 on file systems that know none.
Result<std::uint32_t> inode_flags(int fd);

struct Xattr {
  std::string name;
  Bytes value;
  bool operator==(const Xattr&) const = default;
};
// All extended attributes that this process may see, sorted by name, without our own (kOwnXattrPrefix). POSIX
// ACLs (system.posix_acl_*), capabilities and labels are among them.
struct XattrSet {
  std::vector<Xattr> items;
  // The first attribute that was listed but could not be read; the others are there all the same.
  int failed_errno = 0;
  std::string failed_name;
};
// Costs one system call when there are none. A file system without attributes has an empty set.
Result<XattrSet> read_xattrs(int fd);
// For what cannot be opened (symlinks, devices, sockets): through /proc/self/fd, which must be mounted.
Result<XattrSet> read_xattrs_at(int directory_fd, const char* name);

// The target of a symlink; kMalformed if it passes kSymlinkTargetMax.
inline constexpr std::size_t kSymlinkTargetMax =
    64 << 10;  // sixteen times PATH_MAX: no Linux file system has longer
Result<std::string> read_link_at(int directory_fd, const char* name);

struct DataRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool operator==(const DataRange&) const = default;
};
// The next range at or after `from` that is not a hole, cut at `size`; nothing if only a hole is left. Where
// the file system cannot tell, the rest is one range of data. Moves the descriptor's file position.
Result<std::optional<DataRange>> next_data_range(int fd, std::uint64_t from, std::uint64_t size);

// Waits until a pipe has something to say: bytes, its end or an error. False after `timeout_ms`, or when a
// signal came first.
Result<bool> wait_readable(int fd, int timeout_ms);
// The next bytes of a pipe, at least one unless it has ended (then 0).
Result<std::size_t> read_pipe(int fd, MutableByteSpan into);

struct BlockDevice {
  std::uint64_t size_bytes = 0;
  std::uint32_t logical_sector_bytes = 0;  // direct I/O must be aligned to it
};
Result<BlockDevice> block_device(int fd);

}  // namespace asl::io
