// Making entries of a foreign file system and setting their metadata: the target side of a restore, as
// io/tree_fs.h is the source side of an ingest.
//
// Free functions, safe from any thread. `directory_fd` is an open directory and `name` one component in it;
// nothing is followed, so that nothing outside of that directory is ever touched. Nothing is durable before
// sync_file_system. Every failure is an Error whose sys_errno is the system call's and whose path is `name`;
// interrupted calls are retried.
#pragma once

#include <cstdint>
#include <string>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>

#include "io/tree_fs.h"

namespace asl::io {

// The mode of a regular file that is still being written: nobody gives a file the sticky bit and no right to
// read. What a killed restore leaves can be told by it.
inline constexpr std::uint32_t kUnfinishedMode = 01200;

struct NewFile {
  File file;            // open for reading and writing
  bool direct = false;  // memory, offsets and lengths of its transfers must be multiples of kPageSize
};
// A new empty file of kUnfinishedMode; EEXIST if there is anything of that name. Direct where the file system
// can. `io` closes it.
Result<NewFile> create_file_at(Io& io, int directory_fd, const char* name);

Result<void> make_directory_at(int directory_fd, const char* name, std::uint32_t mode);
Result<void> make_symlink_at(int directory_fd, const char* name, const std::string& target);
// A device, fifo or socket. `mode` holds type and permissions.
Result<void> make_node_at(int directory_fd, const char* name, std::uint32_t mode, std::uint64_t rdev);
// A second name of an inode that may be of any type but directory.
Result<void> link_at(int from_fd, const char* from, int to_fd, const char* to);
// Replaces `to`.
Result<void> rename_at(int from_fd, const char* from, int to_fd, const char* to);
Result<void> remove_at(int directory_fd, const char* name);            // anything but a directory
Result<void> remove_directory_at(int directory_fd, const char* name);  // an empty one

Result<void> set_owner(int fd, std::uint32_t uid, std::uint32_t gid);
Result<void> set_owner_at(int directory_fd, const char* name, std::uint32_t uid, std::uint32_t gid);
// Permission bits, setuid, setgid and sticky.
Result<void> set_mode(int fd, std::uint32_t mode);
// Not for symlinks, which have no mode (EOPNOTSUPP).
Result<void> set_mode_at(int directory_fd, const char* name, std::uint32_t mode);
// Leaves the access time alone.
Result<void> set_mtime(int fd, const FileTime& mtime);
Result<void> set_mtime_at(int directory_fd, const char* name, const FileTime& mtime);

Result<void> set_xattr(int fd, const std::string& name, ByteSpan value);
Result<void> set_xattr_at(int directory_fd, const char* name, const std::string& xattr, ByteSpan value);
// An attribute that is not there is no error.
Result<void> remove_xattr(int fd, const std::string& name);
Result<void> remove_xattr_at(int directory_fd, const char* name, const std::string& xattr);

// The flags of chattr(1) that a user sets and may expect back: no dump, no atime, append-only, immutable. And
// no copy-on-write, which takes effect only on an empty file. The others say how a file system keeps the
// file.
extern const std::uint32_t kInodeFlagsLate;   // to be set when all else is done
extern const std::uint32_t kInodeFlagsEarly;  // to be set while the file is empty
// Those that keep a file or directory from being changed or replaced.
extern const std::uint32_t kInodeFlagsLocking;
// Makes the flags in `mask` what `flags` says, and leaves the others.
Result<void> set_inode_flags(int fd, std::uint32_t flags, std::uint32_t mask);

// Reserves space for [0, length) without changing the size; on a file system that cannot, does nothing.
Result<void> reserve_space(int fd, std::uint64_t length);

// Everything written to the file system that `fd` lies on is durable when it returns.
Result<void> sync_file_system(int fd);

}  // namespace asl::io
