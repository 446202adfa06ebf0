#include "io/system.h"

#include <array>
#include <climits>
#include <sys/stat.h>
#include <unistd.h>

namespace asl::io {

std::string path_of(const File& file) {
  std::array<char, PATH_MAX> target;
  const std::string link = "/proc/self/fd/" + std::to_string(file.fd());
  const ssize_t size = readlink(link.c_str(), target.data(), target.size());
  return size <= 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(size));
}

bool is_end_of_file(const File& file, std::uint64_t position) {
  constexpr std::uint64_t kSectorSize = 512;  // the smallest unit of direct I/O
  if (position % kSectorSize == 0) return false;
  struct stat status;
  return fstat(file.fd(), &status) == 0 && S_ISREG(status.st_mode) &&
         position >= static_cast<std::uint64_t>(status.st_size);
}

}  // namespace asl::io
