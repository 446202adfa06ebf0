#include "restore/problem_list.h"

#include <algorithm>
#include <utility>

namespace asl {
namespace {

// For reading the report: what lost bytes first, then by path.
bool comes_before(const RestoreProblem& a, const RestoreProblem& b) {
  return std::tie(a.kind, a.path) < std::tie(b.kind, b.path);
}

}  // namespace

std::string_view restore_problem_name(RestoreProblemKind kind) {
  constexpr std::array<std::string_view, kRestoreProblemKinds> kNames = {
      "damaged", "mismatch", "refused", "not-made", "not-removed", "in-the-way", "partial",
      "owner",   "mode",     "time",    "xattr",    "inode-flags", "hard-link"};
  return kNames[static_cast<std::size_t>(kind)];
}

RestoreProblemKind kind_of_loss(const Error& error) {
  return error.code == ErrorCode::kRefused ? RestoreProblemKind::kRefused : RestoreProblemKind::kDamaged;
}

int RestoreReport::exit_code() const {
  using enum RestoreProblemKind;
  if (count(kDamaged) + count(kMismatch) != 0) return asl::exit_code(ErrorCode::kIntegrity);
  if (count(kRefused) != 0) return asl::exit_code(ErrorCode::kRefused);
  if (count(kNotMade) + count(kNotRemoved) + count(kInTheWay) != 0) return asl::exit_code(ErrorCode::kIo);
  const bool any = std::ranges::any_of(problem_counts, [](std::uint64_t number) { return number != 0; });
  return any ? kExitSourceIncomplete : kExitOk;
}

void ProblemList::add(RestoreProblemKind kind, std::string path, Error error) {
  progress_add(progress_.errors, 1);
  const std::lock_guard lock(mutex_);
  if (counts_[static_cast<std::size_t>(kind)]++ >= RestoreReport::kProblemsKept) return;
  problems_.push_back({kind, std::move(path), std::move(error)});
}

void ProblemList::move_to(RestoreReport& report) {
  const std::lock_guard lock(mutex_);
  std::ranges::stable_sort(problems_, comes_before);
  report.problems = std::move(problems_);
  report.problem_counts = counts_;
}

}  // namespace asl
