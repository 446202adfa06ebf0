// The output of a command as a source.
#pragma once

#include <string>
#include <sys/types.h>

#include <asl/engine/error.h>

namespace asl {

// A running `sh -c COMMAND` whose standard output is to be read. Destroying it before
// finish() closes the pipe, ends the command (SIGTERM, and SIGKILL after kEndWaitMs) and waits for it.
class CommandPipe {
 public:
  static constexpr int kEndWaitMs = 2000;

  static Result<CommandPipe> start(const std::string& command);
  CommandPipe(CommandPipe&& other) noexcept;
  ~CommandPipe();

  int fd() const { return fd_; }
  // Waits for the end. kIo if the command failed, naming its exit status or signal: what it wrote is not to
  // be taken for whole.
  Result<void> finish();

 private:
  void end_command();
  CommandPipe(std::string command, int fd, pid_t pid) : command_(std::move(command)), fd_(fd), pid_(pid) {}
  std::string command_;
  int fd_ = -1;
  pid_t pid_ = -1;
};

}  // namespace asl
