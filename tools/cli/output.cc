#include "output.h"

#include <cerrno>
#include <csignal>
#include <sys/ioctl.h>
#include <unistd.h>

namespace asl::cli {
namespace {

constexpr std::size_t kBufferSize = 64 * 1024;  // a pipe's usual capacity

// The handler that ignores SIGPIPE (signals.cc) keeps a long ingest alive when only its progress has no
// reader; on standard output the usual death is right.
[[noreturn]] void die_by_sigpipe() {
  ::signal(SIGPIPE, SIG_DFL);
  ::raise(SIGPIPE);
  ::_exit(128 + SIGPIPE);
}

}  // namespace

Output::~Output() {
  if (!buffer_.empty()) drain(buffer_);
}

void Output::write(std::string_view text) {
  if (!good()) return;
  if (text.size() >= kBufferSize) {
    drain(buffer_);
    buffer_.clear();
    drain(text);
    return;
  }
  buffer_ += text;
  if (buffer_.size() < kBufferSize) return;
  drain(buffer_);
  buffer_.clear();
}

void Output::line(std::string_view text) {
  write(text);
  write("\n");
}

Result<void> Output::flush() {
  drain(buffer_);
  buffer_.clear();
  if (!good()) return fail(system_error(sys_errno_, "cannot write standard output"));
  return {};
}

bool Output::is_terminal() const {
  return ::isatty(fd_) == 1;
}

std::size_t Output::width(std::size_t fallback) const {
  struct winsize size{};
  if (::ioctl(fd_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return fallback;
  return size.ws_col;
}

void Output::drain(std::string_view text) {
  while (!text.empty() && good()) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE && fd_ == STDOUT_FILENO) {
      die_by_sigpipe();
    } else if (errno != EINTR) {
      sys_errno_ = errno;
    }
  }
}

}  // namespace asl::cli
