#include "restore/restore_run.h"

#include <cerrno>

namespace asl {

void RestoreRun::problem(RestoreProblemKind kind, std::string path, Error error) {
  if (error.code == ErrorCode::kNoSpace || error.sys_errno == EROFS ||
      error.code == ErrorCode::kInterrupted) {
    if (error.path.empty()) error.path = std::move(path);
    abort(std::move(error));
    return;
  }
  problems.add(kind, std::move(path), std::move(error));
}

void RestoreRun::abort(Error error) {
  {
    const std::lock_guard lock(failure_mutex_);
    if (!failure_) failure_ = std::move(error);
  }
  aborted_.store(true, std::memory_order_relaxed);
}

bool RestoreRun::must_stop() {
  if (aborted_.load(std::memory_order_relaxed)) return true;
  auto stopped = stop_.check();
  if (stopped) return false;
  abort(std::move(stopped).error());
  return true;
}

std::optional<Error> RestoreRun::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

void RestoreRun::report_to(RestoreReport& report) {
  report.files_written = files_written;
  report.files_unchanged = files_unchanged;
  report.files_kept = files_kept;
  report.files_verified = files_verified;
  report.directories = directories;
  report.symlinks = symlinks;
  report.special_files = special_files;
  report.hard_links = hard_links;
  report.removed = removed;
  report.bytes_written = bytes_written;
  report.bytes_holes = bytes_holes;
  problems.move_to(report);
}

}  // namespace asl
