#include "pin/btrfs_pins.h"

#include <cerrno>

#include "io/program.h"
#include "io/subvolume.h"

namespace asl {
namespace {

Error explained(Error error, const std::string& path) {
  error.path = path;
  const bool forbidden = error.sys_errno == EPERM || error.sys_errno == EACCES;
  if (forbidden && !io::is_superuser())
    error.hint = "run it as root, or mount the file system with -o user_subvol_rm_allowed";
  if (error.sys_errno == EROFS) error.hint = "mount the file system for writing";
  return error;
}

}  // namespace

// Not through a symlink: what is removed in there must be what was put there.
Result<io::File> BtrfsPins::pin_directory(bool create) {
  ASL_ASSIGN(const io::File top, io_->open(top_, {.directory = true}));
  const std::string name(kPinDirectory);
  auto directory = io_->open_at(top, name, {.no_follow = true, .directory = true});
  if (directory || !create || directory.error().code != ErrorCode::kNotFound) return directory;
  ASL_TRY(io_->make_directory(directory_path()));
  ASL_TRY(io_->sync_directory(top_));
  return io_->open_at(top, name, {.no_follow = true, .directory = true});
}

Result<std::vector<HeldPin>> BtrfsPins::list() {
  auto directory = pin_directory(false);
  if (!directory && directory.error().code == ErrorCode::kNotFound) return std::vector<HeldPin>{};
  if (!directory) return fail(std::move(directory).error());
  ASL_ASSIGN(const std::vector<io::ListedEntry> entries, io_->list(directory_path()));
  std::vector<HeldPin> pins;
  for (const io::ListedEntry& entry : entries) {
    const auto opened = io_->open_at(*directory, entry.name, {.no_follow = true, .directory = true});
    if (!opened) continue;  // a file or a link: not a snapshot
    ASL_ASSIGN(const bool subvolume, io::is_subvolume(opened->fd()));
    if (subvolume) pins.push_back({.name = entry.name});
  }
  return pins;
}

Result<void> BtrfsPins::make(const std::string& name) {
  ASL_ASSIGN(const io::File top, io_->open(top_, {.directory = true}));
  auto directory = pin_directory(true);
  if (!directory) return fail(explained(std::move(directory).error(), directory_path()));
  if (auto made = io::snapshot_subvolume(top.fd(), directory->fd(), name); !made)
    return fail(explained(std::move(made).error(), directory_path() + "/" + name));
  return {};
}

Result<void> BtrfsPins::remove(const HeldPin& pin) {
  ASL_ASSIGN(const io::File directory, pin_directory(false));
  if (auto removed = io::remove_subvolume(directory.fd(), pin.name); !removed)
    return fail(explained(std::move(removed).error(), directory_path() + "/" + pin.name));
  return {};
}

}  // namespace asl
