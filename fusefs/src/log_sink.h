// Where a mount says what went wrong.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include <asl/engine/error.h>

namespace asl::fusefs {

// Thread-safe. The same line again within a second is left out: a program that reads a damaged file over and
// over must not fill the disk with it.
class LogSink {
 public:
  enum class Kind : std::uint8_t { kStandardError, kSystem, kFile };
  // `path` is for kFile only, which is appended to.
  static Result<LogSink> open(Kind kind, const std::string& path);
  LogSink(LogSink&& other) noexcept;
  ~LogSink();

  void line(const std::string& words);

 private:
  LogSink(Kind kind, int fd) : kind_(kind), fd_(fd) {}
  const Kind kind_;
  int fd_;
  std::mutex mutex_;
  std::string last_;
  std::chrono::steady_clock::time_point last_time_;
};

}  // namespace asl::fusefs
