#include "ingest/command_pipe.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace asl {

Result<CommandPipe> CommandPipe::start(const std::string& command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(system_error(errno, "cannot make a pipe"));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::string shell = "/bin/sh";
  std::string flag = "-c";
  std::string text = command;
  char* const arguments[] = {shell.data(), flag.data(), text.data(), nullptr};
  pid_t pid = -1;
  const int error = posix_spawn(&pid, shell.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    return fail(system_error(error, "cannot start the command").with_object(command));
  }
  return CommandPipe(command, ends[0], pid);
}

CommandPipe::CommandPipe(CommandPipe&& other) noexcept
    : command_(std::move(other.command_)),
      fd_(std::exchange(other.fd_, -1)),
      pid_(std::exchange(other.pid_, -1)) {}

CommandPipe::~CommandPipe() {
  if (pid_ >= 0) end_command();
  static_cast<void>(finish());
}

// Nobody wants its output any more. One that writes would notice by itself, one that waits for something
// never.
void CommandPipe::end_command() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  static_cast<void>(::kill(pid_, SIGTERM));
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  struct pollfd ended{.fd = handle, .events = POLLIN, .revents = 0};
  if (handle < 0 || ::poll(&ended, 1, kEndWaitMs) <= 0) static_cast<void>(::kill(pid_, SIGKILL));
  if (handle >= 0) ::close(handle);
}

Result<void> CommandPipe::finish() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  if (pid_ < 0) return {};
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return fail(system_error(errno, "cannot wait for the command").with_object(command_));
  }
  pid_ = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  Error error{.code = ErrorCode::kIo, .message = "the command failed", .object = command_};
  error.message += WIFEXITED(status) ? " with exit status " + std::to_string(WEXITSTATUS(status))
                                     : " with signal " + std::to_string(WTERMSIG(status));
  error.hint = "nothing was kept of its output; see what it printed";
  return fail(std::move(error));
}

}  // namespace asl
