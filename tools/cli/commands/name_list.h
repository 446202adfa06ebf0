// Files that list names, one a line (--files-from).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <asl/engine/error.h>

namespace asl::cli {

// The lines of the file, or of standard input for "-"; empty lines are skipped. Lines end with LF, or with
// NUL if the list holds one (find -print0).
Result<std::vector<std::string>> read_name_list(const std::string& path);

// The same, a name at a time: for lists that may be longer than memory. Owns the file.
class NameReader {
 public:
  // With `null` names end with NUL whatever the list holds.
  static Result<NameReader> open(const std::string& path, bool null);
  NameReader(NameReader&& other) noexcept;
  NameReader& operator=(NameReader&&) = delete;
  ~NameReader();

  // The next name that is not empty; nothing at the end. kMalformed for one that is too long to be a name.
  Result<std::optional<std::string>> next();

 private:
  NameReader(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  Result<bool> fill();

  int fd_ = -1;
  std::string path_;
  std::optional<char> end_of_name_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

}  // namespace asl::cli
