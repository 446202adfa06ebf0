#include "io/disk_facts.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "io/system.h"

namespace asl::io {

bool has_direct_io(const std::string& directory) {
  // Without a name: nothing is left behind, whatever happens. Io::open hides what is asked here.
  const int fd = retry_interrupted(
      [&] { return ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600); });
  if (fd < 0) return false;
  ::close(fd);
  return true;
}

Result<std::uint64_t> free_bytes(const std::string& path) {
  struct statvfs facts{};
  const int result = retry_interrupted([&] { return ::statvfs(path.c_str(), &facts); });
  if (result < 0) return fail(system_error(errno, "cannot ask how much is free", path));
  return std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

Result<void> drop_pages(const File& file) {
  // It returns the error instead of setting errno.
  const int error = ::posix_fadvise(file.fd(), 0, 0, POSIX_FADV_DONTNEED);
  if (error != 0) return fail(system_error(error, "cannot drop cached pages", path_of(file)));
  return {};
}

}  // namespace asl::io
