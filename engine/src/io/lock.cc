#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>

#include "io/plain_io.h"
#include "io/system.h"

namespace asl::io {
namespace {

using Clock = std::chrono::steady_clock;

// Short enough not to be felt, long enough not to keep a core busy. OFD locks can wait in the kernel, but not
// for a limited time without a signal, and a library has no signals of its own.
constexpr std::chrono::milliseconds kRetryInterval(10);
constexpr ::mode_t kLockFileMode = 0600;

class FileLock : public Lock {
 public:
  explicit FileLock(int fd) : fd_(fd) {}
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() override { (void)::close(fd_); }

 private:
  int fd_;
};

void pause_for(std::chrono::nanoseconds duration) {
  timespec time = {.tv_sec = duration.count() / 1'000'000'000, .tv_nsec = duration.count() % 1'000'000'000};
  (void)nanosleep(&time, nullptr);  // cut short by a signal, the next try only comes earlier
}

bool try_lock(int fd) {
  struct flock request = {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  return retry_interrupted([&] { return fcntl(fd, F_OFD_SETLK, &request); }) == 0;
}

}  // namespace

Result<std::unique_ptr<Lock>> PlainIo::lock(const std::string& path, std::uint32_t wait_ms) {
  const int fd = retry_interrupted(
      [&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kLockFileMode); });
  if (fd < 0) return fail(system_error(errno, "cannot open lock file", path));
  auto lock = std::make_unique<FileLock>(fd);
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(wait_ms);
  while (!try_lock(fd)) {
    if (errno != EAGAIN && errno != EACCES) return fail(system_error(errno, "cannot lock", path));
    const Clock::duration left = deadline - Clock::now();
    if (left <= Clock::duration::zero()) {
      Error error = fail(ErrorCode::kLocked, "another process holds the lock").error();
      error.path = path;
      error.hint = "wait until the other writer has finished";
      return fail(std::move(error));
    }
    pause_for(std::min<Clock::duration>(left, kRetryInterval));
  }
  return lock;
}

}  // namespace asl::io
