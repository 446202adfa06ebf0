#include "log_sink.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <syslog.h>
#include <unistd.h>
#include <utility>

namespace asl::fusefs {
namespace {

constexpr auto kRepeatAfter = std::chrono::seconds(1);
constexpr mode_t kLogMode = 0600;  // it names files

// Names may hold anything; a line must stay one line.
std::string one_line(const std::string& words) {
  std::string text;
  for (const char c : words) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F)
      text += fmt::format("\\x{:02x}", byte);
    else
      text += c;
  }
  return text;
}

}  // namespace

Result<LogSink> LogSink::open(Kind kind, const std::string& path) {
  int fd = -1;
  if (kind == Kind::kStandardError) fd = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (kind == Kind::kFile) {
    fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kLogMode);
    if (fd < 0) return fail(system_error(errno, "cannot write the log", path));
  }
  if (kind == Kind::kSystem) ::openlog("asl-mount", LOG_PID, LOG_DAEMON);
  return LogSink(kind, fd);
}

LogSink::LogSink(LogSink&& other) noexcept : kind_(other.kind_), fd_(std::exchange(other.fd_, -1)) {}

LogSink::~LogSink() {
  if (fd_ >= 0) ::close(fd_);
}

void LogSink::line(const std::string& words) {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (words == last_ && now - last_time_ < kRepeatAfter) return;
  last_ = words;
  last_time_ = now;
  const std::string text = "asl: mount: " + one_line(words);
  if (kind_ == Kind::kSystem) {
    ::syslog(LOG_ERR, "%s", text.c_str());
    return;
  }
  const std::string line = text + "\n";
  // There is nobody to tell if the log itself cannot be written.
  if (::write(fd_, line.data(), line.size()) < 0) last_.clear();
}

}  // namespace asl::fusefs
