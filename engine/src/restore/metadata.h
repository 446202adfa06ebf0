// Giving an entry of the target the metadata of the snapshot: owner, extended attributes, ACLs, times, mode,
// inode flags.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <asl/engine/tree.h>

#include "io/tree_fs.h"
#include "restore/restore_run.h"

namespace asl {

struct FreshOwner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

// One inode of the target: by descriptor where there is one, else by directory and name.
struct TargetInode {
  int fd = -1;
  int directory_fd = -1;
  const char* name = "";
};

inline io::FileTime mtime_of(const Entry& entry) {
  return {entry.mtime_s, entry.mtime_ns};
}

// Stateless apart from the run; thread-safe. Whatever cannot be set is a problem of the run, and the rest is
// set all the same.
class MetadataSetter {
 public:
  using PathOf = std::function<std::string()>;

  explicit MetadataSetter(RestoreRun& run) : run_(run) {}

  // For an inode that was just made and has no attributes of its own. The mode comes last but for inode
  // flags: a regular file is marked unfinished until then. `with_mtime` is false for content that must be
  // restored again.
  void set_new(const TargetInode& inode, const Entry& entry, const FreshOwner* owner, bool with_mtime,
               const PathOf& path) const;
  // For an inode that is there as `now`: sets what differs and removes attributes that the snapshot does not
  // have.
  void update(const TargetInode& inode, const io::SourceStat& now, const Entry& entry,
              const PathOf& path) const;
  // Of a new, empty regular file: what takes effect only then.
  void set_early_flags(int fd, const Entry& entry, const PathOf& path) const;
  // Clears what would keep an existing inode from being changed or replaced.
  void unlock(const TargetInode& inode, const io::SourceStat& now) const;

 private:
  struct Wanted;
  bool set_owner(const TargetInode& inode, const Entry& entry, const FreshOwner* owner,
                 const PathOf& path) const;
  void set_mode(const TargetInode& inode, const Entry& entry, bool owner_is_right, const PathOf& path) const;
  void set_mtime(const TargetInode& inode, const Entry& entry, const PathOf& path) const;
  void set_xattrs(const TargetInode& inode, const Entry& entry, const io::XattrSet* present,
                  const PathOf& path) const;
  void set_late_flags(const TargetInode& inode, const Entry& entry, bool always, const PathOf& path) const;
  Result<Bytes> value_of(const Xattr& xattr) const;

  RestoreRun& run_;
};

}  // namespace asl
