#include "restore/metadata.h"

#include <algorithm>
#include <fcntl.h>
#include <linux/stat.h>
#include <optional>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "io/target_fs.h"

namespace asl {
namespace {

using Kind = RestoreProblemKind;

constexpr std::uint32_t kSetIds = 06000;
// As the kernel has it (XATTR_SIZE_MAX).
constexpr std::uint64_t kXattrValueMax = 64 << 10;
constexpr std::string_view kAclPrefix = "system.posix_acl_";

// Attributes that belong to the user or to the entry. Others that are there (labels) were put there by this
// system's own policy, and go only if the snapshot has another value.
bool is_removable(std::string_view name) {
  return name.starts_with("user.") || name.starts_with("trusted.") || name.starts_with(kAclPrefix) ||
         name == "security.capability";
}

bool has_flags(const Entry& entry) {
  return entry.type == EntryType::kFile || entry.type == EntryType::kDirectory;
}

// A descriptor for ioctls on an inode that is known by name.
class Opened {
 public:
  explicit Opened(const TargetInode& inode) {
    if (inode.fd >= 0)
      fd_ = inode.fd;
    else
      fd_ = own_ = ::openat(inode.directory_fd, inode.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() {
    if (own_ >= 0) ::close(own_);
  }
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
  int own_ = -1;
};

}  // namespace

void MetadataSetter::set_new(const TargetInode& inode, const Entry& entry, const FreshOwner* owner,
                             bool with_mtime, const PathOf& path) const {
  const bool owner_is_right = set_owner(inode, entry, owner, path);
  if (!entry.xattrs.empty()) set_xattrs(inode, entry, nullptr, path);
  if (with_mtime) set_mtime(inode, entry, path);
  if (entry.type != EntryType::kSymlink) set_mode(inode, entry, owner_is_right, path);
  set_late_flags(inode, entry, false, path);
}

void MetadataSetter::update(const TargetInode& inode, const io::SourceStat& now, const Entry& entry,
                            const PathOf& path) const {
  unlock(inode, now);
  const FreshOwner owner{now.uid, now.gid};
  const bool owner_is_right = set_owner(inode, entry, &owner, path);
  const bool chowned = now.uid != run_.owners.user(entry.uid) || now.gid != run_.owners.group(entry.gid);
  const auto present =
      inode.fd >= 0 ? io::read_xattrs(inode.fd) : io::read_xattrs_at(inode.directory_fd, inode.name);
  if (!present)
    run_.problem(Kind::kXattr, path(), present.error());
  else if (!present->items.empty() || !entry.xattrs.empty())
    set_xattrs(inode, entry, &*present, path);
  if (now.mtime != mtime_of(entry)) set_mtime(inode, entry, path);
  // Changing the owner may have cleared bits, changing an ACL may have changed them.
  const bool mode_may_differ = (now.mode & kModeMask) != entry.mode || chowned || !entry.xattrs.empty() ||
                               (present && !present->items.empty());
  if (mode_may_differ && entry.type != EntryType::kSymlink) set_mode(inode, entry, owner_is_right, path);
  const bool any_flag =
      (now.attributes & (STATX_ATTR_NODUMP | STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE)) != 0;
  set_late_flags(inode, entry, any_flag, path);
}

void MetadataSetter::unlock(const TargetInode& inode, const io::SourceStat& now) const {
  if ((now.attributes & (STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE)) == 0) return;
  const Opened opened(inode);
  // If it cannot be cleared, the change that needs it fails and is the problem reported.
  (void)io::set_inode_flags(opened.fd(), 0, io::kInodeFlagsLocking);
}

bool MetadataSetter::set_owner(const TargetInode& inode, const Entry& entry, const FreshOwner* owner,
                               const PathOf& path) const {
  const std::uint32_t uid = run_.owners.user(entry.uid);
  const std::uint32_t gid = run_.owners.group(entry.gid);
  if (owner != nullptr && owner->uid == uid && owner->gid == gid) return true;
  constexpr auto kSame = static_cast<std::uint32_t>(-1);
  const auto change = [&](std::uint32_t to_uid, std::uint32_t to_gid) {
    return inode.fd >= 0 ? io::set_owner(inode.fd, to_uid, to_gid)
                         : io::set_owner_at(inode.directory_fd, inode.name, to_uid, to_gid);
  };
  auto done = change(uid, gid);
  if (done) return true;
  // Without privilege the group may still be one of the user's own.
  (void)change(kSame, gid);
  run_.problem(Kind::kOwner, path(), std::move(done).error().with_path(""));
  return false;
}

void MetadataSetter::set_mode(const TargetInode& inode, const Entry& entry, bool owner_is_right,
                              const PathOf& path) const {
  // A program must not gain the rights of an owner it was not meant to have.
  const bool keeps_ids = owner_is_right || entry.type == EntryType::kDirectory;
  const std::uint32_t mode = keeps_ids ? entry.mode : entry.mode & ~kSetIds;
  auto done =
      inode.fd >= 0 ? io::set_mode(inode.fd, mode) : io::set_mode_at(inode.directory_fd, inode.name, mode);
  if (!done)
    run_.problem(Kind::kMode, path(), std::move(done).error().with_path(""));
  else if (mode != entry.mode)
    run_.problem(Kind::kMode, path(),
                 Error{.code = ErrorCode::kIo,
                       .message = "setuid and setgid were left out because the owner could not be set"});
}

void MetadataSetter::set_mtime(const TargetInode& inode, const Entry& entry, const PathOf& path) const {
  auto done = inode.fd >= 0 ? io::set_mtime(inode.fd, mtime_of(entry))
                            : io::set_mtime_at(inode.directory_fd, inode.name, mtime_of(entry));
  if (!done) run_.problem(Kind::kTime, path(), std::move(done).error().with_path(""));
}

Result<Bytes> MetadataSetter::value_of(const Xattr& xattr) const {
  Bytes value = xattr.value;
  if (!xattr.ref.is_null()) {
    ASL_ASSIGN(const Artifact artifact, run_.domain.find(xattr.ref));
    if (artifact.length() > kXattrValueMax)
      return fail(ErrorCode::kMalformed, "an extended attribute is longer than Linux allows");
    value.resize(artifact.length());
    ASL_TRY(artifact.read(0, value));
  }
  if (!run_.owners.changes_nothing() && as_text(xattr.name).starts_with(kAclPrefix))
    return run_.owners.acl(value);
  return value;
}

void MetadataSetter::set_xattrs(const TargetInode& inode, const Entry& entry, const io::XattrSet* present,
                                const PathOf& path) const {
  const auto report = [&](Error error) { run_.problem(Kind::kXattr, path(), std::move(error)); };
  for (const Xattr& xattr : entry.xattrs) {
    const std::string name(as_text(xattr.name));
    auto value = value_of(xattr);
    if (!value) {
      run_.problem(kind_of_loss(value.error()), path(), std::move(value).error());
      continue;
    }
    if (present != nullptr) {
      const auto same = std::ranges::find(present->items, name, &io::Xattr::name);
      if (same != present->items.end() && same->value == *value) continue;
    }
    auto done = inode.fd >= 0 ? io::set_xattr(inode.fd, name, *value)
                              : io::set_xattr_at(inode.directory_fd, inode.name, name, *value);
    if (!done) report(std::move(done).error());
  }
  if (present == nullptr) return;
  for (const io::Xattr& old : present->items) {
    const bool wanted = std::ranges::any_of(
        entry.xattrs, [&](const Xattr& xattr) { return as_text(xattr.name) == old.name; });
    if (wanted || !is_removable(old.name)) continue;
    auto done = inode.fd >= 0 ? io::remove_xattr(inode.fd, old.name)
                              : io::remove_xattr_at(inode.directory_fd, inode.name, old.name);
    if (!done) report(std::move(done).error());
  }
}

void MetadataSetter::set_early_flags(int fd, const Entry& entry, const PathOf& path) const {
  if ((entry.inode_flags & io::kInodeFlagsEarly) == 0) return;
  auto done = io::set_inode_flags(fd, entry.inode_flags, io::kInodeFlagsEarly);
  if (!done) run_.problem(Kind::kInodeFlags, path(), std::move(done).error());
}

void MetadataSetter::set_late_flags(const TargetInode& inode, const Entry& entry, bool always,
                                    const PathOf& path) const {
  if (!has_flags(entry) || (!always && (entry.inode_flags & io::kInodeFlagsLate) == 0)) return;
  const Opened opened(inode);
  auto done = io::set_inode_flags(opened.fd(), entry.inode_flags, io::kInodeFlagsLate);
  if (!done) run_.problem(Kind::kInodeFlags, path(), std::move(done).error());
}

}  // namespace asl
