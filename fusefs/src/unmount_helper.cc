#include "unmount_helper.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mount_table.h"

extern char** environ;

namespace asl::fusefs {
namespace {

std::unexpected<Error> busy(const std::string& path) {
  return fail(Error{.code = ErrorCode::kLocked,
                    .message = "cannot unmount: in use",
                    .path = path,
                    .hint = "fuser -vm " + path + " shows by whom"});
}

Result<void> run_fusermount(const std::string& path, bool lazily) {
  // Its words are not ours; what it did is seen in the table of mounts.
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::array<std::string, 4> words{"fusermount3", lazily ? "-uz" : "-u", "--", path};
  std::array<char*, 5> arguments{words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  pid_t child = 0;
  const int outcome = ::posix_spawnp(&child, "fusermount3", &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (outcome != 0) {
    Error error = system_error(outcome, "cannot run fusermount3", path);
    error.code = ErrorCode::kUnsupported;
    error.hint = "install fuse3, or unmount as root";
    return fail(std::move(error));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ASL_ASSIGN(const auto mounted, find_mount(path));
  if (!mounted || mounted->type != kFileSystemType) return {};
  return busy(path);
}

}  // namespace

Result<void> take_away(const std::string& path, bool lazily) {
  if (::umount2(path.c_str(), UMOUNT_NOFOLLOW | (lazily ? MNT_DETACH : 0)) == 0) return {};
  if (errno == EBUSY) return busy(path);
  if (errno == EPERM) return run_fusermount(path, lazily);
  return fail(system_error(errno, "cannot unmount", path));
}

}  // namespace asl::fusefs
