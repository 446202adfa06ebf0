#include "transfer/copy_run.h"

#include <utility>

namespace asl {

Result<bool> CopyRun::present(const Reference& ref) {
  if (writer.domain().state()->tombstone(ref) != nullptr) return true;
  ASL_ASSIGN(const bool held, writer.holds(ref));
  if (held) present_.fetch_add(1, std::memory_order_relaxed);
  return held;
}

bool CopyRun::note(const std::string& place, const Reference& ref, const Error& error) {
  if (error.code == ErrorCode::kInterrupted || error.code == ErrorCode::kNoSpace) return false;
  const std::lock_guard lock(mutex_);
  if (error.code == ErrorCode::kRefused && source.state()->tombstone(ref) != nullptr) {
    tombstones_.insert(ref);
    return true;
  }
  problem_count_.fetch_add(1);
  progress_add(progress.errors, 1);
  if (problems_.size() < CopyReport::kProblemsShown) problems_.push_back({place, error});
  return true;
}

void CopyRun::abort(Error error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(error);
  aborted_.store(true, std::memory_order_relaxed);
}

std::optional<Error> CopyRun::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void CopyRun::count_copied(std::uint64_t bytes) {
  copied_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

std::set<Reference> CopyRun::take_tombstones() {
  const std::lock_guard lock(mutex_);
  return std::exchange(tombstones_, {});
}

void CopyRun::report_to(CopyReport& report) const {
  report.artifacts_copied = copied_;
  report.artifacts_present = present_;
  report.bytes_copied = bytes_;
  report.problem_count = problem_count_;
  const std::lock_guard lock(mutex_);
  report.problems = problems_;
}

}  // namespace asl
