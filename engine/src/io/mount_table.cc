#include "io/mount_table.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io/system.h"

namespace asl::io {
namespace {

constexpr const char* kMountTable = "/proc/self/mountinfo";
// Fields before the optional ones: id, parent, device, root, point, options.
constexpr std::size_t kFixedFields = 6;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Blanks, tabs, line ends and backslashes stand there as a backslash and three octal digits.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t k = 0; k < text.size(); ++k) {
    const std::string_view digits = text.substr(k + 1, 3);
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 8);
    if (text[k] == '\\' && digits.size() == 3 && error == std::errc() && end == digits.data() + 3 &&
        byte < 256) {
      plain.push_back(static_cast<char>(byte));
      k += 3;
    } else {
      plain.push_back(text[k]);
    }
  }
  return plain;
}

template <typename Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

Result<Mount> parse_line(std::string_view line) {
  const auto malformed = [&] {
    return fail(
        Error{.code = ErrorCode::kMalformed, .message = "cannot read the mount table", .path = kMountTable});
  };
  const std::vector<std::string_view> fields = split(line, ' ');
  std::size_t dash = kFixedFields;
  while (dash < fields.size() && fields[dash] != "-") ++dash;
  if (dash + 3 >= fields.size()) return malformed();
  const std::vector<std::string_view> numbers = split(fields[2], ':');
  unsigned major_number = 0;
  unsigned minor_number = 0;
  if (numbers.size() != 2 || !parse_number(numbers[0], major_number) ||
      !parse_number(numbers[1], minor_number))
    return malformed();
  return Mount{.device = gnu_dev_makedev(major_number, minor_number),
               .root = unescaped(fields[3]),
               .point = unescaped(fields[4]),
               .type = unescaped(fields[dash + 1]),
               .source = unescaped(fields[dash + 2]),
               .super_options = unescaped(fields[dash + 3])};
}

}  // namespace

Result<std::vector<Mount>> parse_mount_table(std::string_view text) {
  std::vector<Mount> mounts;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    ASL_ASSIGN(Mount mount, parse_line(line));
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

Result<std::vector<Mount>> read_mount_table() {
  const int fd = ::open(kMountTable, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(system_error(errno, "cannot read the mount table", kMountTable));
  std::string text;
  std::array<char, 16384> buffer;
  ssize_t got = 0;
  while ((got = retry_interrupted([&] { return ::read(fd, buffer.data(), buffer.size()); })) > 0)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  const int error = errno;
  ::close(fd);
  if (got < 0) return fail(system_error(error, "cannot read the mount table", kMountTable));
  return parse_mount_table(text);
}

Result<std::string> real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> found(::realpath(path.c_str(), nullptr), &std::free);
  if (found == nullptr) return fail(system_error(errno, "cannot find the directory", path));
  return std::string(found.get());
}

}  // namespace asl::io
