#include "commands/name_list.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <iterator>
#include <unistd.h>
#include <utility>

namespace asl::cli {
namespace {

// Far beyond PATH_MAX: a longer "name" is a file of another kind.
constexpr std::size_t kNameMax = 64 << 10;
constexpr std::size_t kReadBytes = 2 * kNameMax;

}  // namespace

Result<std::vector<std::string>> read_name_list(const std::string& path) {
  std::string text;
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(system_error(errno, "cannot read the list of names", path));
    text.assign(std::istreambuf_iterator<char>(file), {});
    if (file.bad()) return fail(system_error(EIO, "cannot read the list of names", path));
  }
  const char end = text.find('\0') != std::string::npos ? '\0' : '\n';
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t stop = std::min(text.find(end, at), text.size());
    if (stop > at) names.push_back(text.substr(at, stop - at));
    at = stop + 1;
  }
  return names;
}

Result<NameReader> NameReader::open(const std::string& path, bool null) {
  int fd = STDIN_FILENO;
  if (path != "-") fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(system_error(errno, "cannot read the list of names", path));
  NameReader reader(fd, path);
  if (null) reader.end_of_name_ = '\0';
  return reader;
}

NameReader::NameReader(NameReader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      end_of_name_(other.end_of_name_),
      buffer_(std::move(other.buffer_)),
      at_(other.at_),
      ended_(other.ended_) {}

NameReader::~NameReader() {
  if (fd_ > STDERR_FILENO) ::close(fd_);
}

// False at the end.
Result<bool> NameReader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t filled = buffer_.size();
  buffer_.resize(filled + kReadBytes);
  ssize_t got = 0;
  do {
    got = ::read(fd_, buffer_.data() + filled, kReadBytes);
  } while (got < 0 && errno == EINTR);
  const int failed = errno;
  buffer_.resize(filled + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) return fail(system_error(failed, "cannot read the list of names", path_));
  ended_ = got == 0;
  return !ended_;
}

Result<std::optional<std::string>> NameReader::next() {
  // Which end of a name it is shows in the first name: enough of the list must be there to hold that.
  while (!end_of_name_) {
    if (buffer_.find('\0') != std::string::npos)
      end_of_name_ = '\0';
    else if (ended_ || buffer_.size() > kNameMax)
      end_of_name_ = '\n';
    else
      ASL_TRY(fill());
  }
  while (true) {
    const std::size_t stop = buffer_.find(*end_of_name_, at_);
    if (stop == std::string::npos && !ended_) {
      if (buffer_.size() - at_ > kNameMax)
        return fail(Error{.code = ErrorCode::kMalformed, .message = "not a list of names", .path = path_});
      ASL_TRY(fill());
      continue;
    }
    std::string name = buffer_.substr(at_, stop == std::string::npos ? stop : stop - at_);
    at_ = stop == std::string::npos ? buffer_.size() : stop + 1;
    if (!name.empty()) return name;
    if (ended_ && at_ >= buffer_.size()) return std::nullopt;
  }
}

}  // namespace asl::cli
