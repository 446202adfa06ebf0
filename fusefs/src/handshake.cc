#include "handshake.h"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace asl::fusefs {
namespace {

constexpr char kReadyMark = 'R';
constexpr char kErrorMark = 'E';

// An error as NUL-ended fields, to cross the pipe.
std::string packed(const Error& error) {
  std::string text(1, kErrorMark);
  for (const std::string& field : {std::to_string(static_cast<int>(error.code)), error.message, error.object,
                                   error.path, std::to_string(error.sys_errno), error.hint}) {
    text += field;
    text += '\0';
  }
  return text;
}

int number_of(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Error unpacked(std::string_view text) {
  std::vector<std::string> fields;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    fields.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  fields.resize(6);
  return {.code = static_cast<ErrorCode>(number_of(fields[0])),
          .message = fields[1],
          .object = fields[2],
          .path = fields[3],
          .offset = {},
          .sys_errno = number_of(fields[4]),
          .hint = fields[5]};
}

void say(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(fd, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;  // the parent is gone: nobody waits
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

Result<void> hear(int fd, pid_t child) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t size = ::read(fd, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    text.append(buffer, static_cast<std::size_t>(size));
    if (text.front() == kReadyMark) return {};
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!text.empty() && text.front() == kErrorMark) return fail(unpacked(std::string_view(text).substr(1)));
  return fail(ErrorCode::kIo, "the process in the background ended before it was ready");
}

void detach_from_terminal() {
  ::setsid();
  // Not to keep a file system busy by standing in it.
  static_cast<void>(::chdir("/") < 0);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
  if (null > STDERR_FILENO) ::close(null);
}

}  // namespace

Result<void> run_in_background(const std::function<Result<void>(const Ready& ready)>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(system_error(errno, "cannot make a pipe"));
  const pid_t child = ::fork();
  if (child < 0) {
    const int number = errno;
    ::close(ends[0]);
    ::close(ends[1]);
    return fail(system_error(number, "cannot start a process"));
  }
  if (child > 0) {
    ::close(ends[1]);
    auto heard = hear(ends[0], child);
    ::close(ends[0]);
    return heard;
  }
  ::close(ends[0]);
  detach_from_terminal();
  int out = ends[1];
  const auto done = work([&] {
    say(out, std::string_view(&kReadyMark, 1));
    ::close(std::exchange(out, -1));
  });
  if (!done && out >= 0) say(out, packed(done.error()));
  ::_exit(done ? 0 : exit_code(done.error().code));
}

}  // namespace asl::fusefs
