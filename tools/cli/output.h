// Where a program's words go: buffered, checked, and quiet when the reader has gone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl::cli {

// A buffered writer on a descriptor that it does not own. One thread at a time. The first failure is
// remembered and returned by flush(); after it, writes are dropped. If the reader of a pipe is gone, the
// process ends at once by SIGPIPE, silently, as a filter should (what is committed stays committed).
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  void write(std::string_view text);
  void line(std::string_view text);  // text and a newline
  // False once a write has failed: a long listing may stop early.
  bool good() const { return sys_errno_ == 0; }
  Result<void> flush();

  int fd() const { return fd_; }
  bool is_terminal() const;
  // Columns of the terminal, else `fallback`.
  std::size_t width(std::size_t fallback = 80) const;

 private:
  void drain(std::string_view text);

  int fd_;
  int sys_errno_ = 0;
  std::string buffer_;
};

}  // namespace asl::cli
