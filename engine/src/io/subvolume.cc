#include "io/subvolume.h"

#include <btrfsutil.h>
#include <cerrno>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "io/system.h"

namespace asl::io {
namespace {

Result<void> check_util(btrfs_util_error outcome, const char* message, const std::string& name) {
  if (outcome == BTRFS_UTIL_OK) return {};
  return fail(system_error(errno, message, name));
}

}  // namespace

Result<bool> is_on_btrfs(int directory_fd) {
  struct statfs status{};
  if (retry_interrupted([&] { return ::fstatfs(directory_fd, &status); }) != 0)
    return fail(system_error(errno, "cannot ask for the kind of file system"));
  return static_cast<unsigned long>(status.f_type) == BTRFS_SUPER_MAGIC;
}

Result<bool> is_subvolume(int directory_fd) {
  const btrfs_util_error outcome = btrfs_util_is_subvolume_fd(directory_fd);
  if (outcome == BTRFS_UTIL_ERROR_NOT_BTRFS || outcome == BTRFS_UTIL_ERROR_NOT_SUBVOLUME) return false;
  ASL_TRY(check_util(outcome, "cannot tell whether this is a subvolume", ""));
  return true;
}

Result<void> snapshot_subvolume(int subvolume_fd, int parent_fd, const std::string& name) {
  return check_util(btrfs_util_create_snapshot_fd2(subvolume_fd, parent_fd, name.c_str(),
                                                   BTRFS_UTIL_CREATE_SNAPSHOT_READ_ONLY, nullptr, nullptr),
                    "cannot make the file-system snapshot", name);
}

Result<void> remove_subvolume(int parent_fd, const std::string& name) {
  return check_util(btrfs_util_delete_subvolume_fd(parent_fd, name.c_str(), 0),
                    "cannot remove the file-system snapshot", name);
}

}  // namespace asl::io
