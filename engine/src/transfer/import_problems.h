// What of an archive could not be kept.
#pragma once

#include <string>
#include <vector>

#include <asl/engine/progress.h>
#include <asl/engine/source_errors.h>

namespace asl {

// Bounded: all problems are encoded for the snapshot, the first ones kept for the report. Not thread-safe.
class ImportProblems {
 public:
  explicit ImportProblems(ProgressCounters& progress) : progress_(progress) {}

  void add(std::string path, std::string operation) {
    constexpr std::size_t kShown = 1000;
    progress_add(progress_.errors, 1);
    SourceError problem{.path = std::move(path), .operation = std::move(operation)};
    if (problem.path.empty()) problem.path = ".";
    all_.add(problem);
    if (first_.size() < kShown) first_.push_back(std::move(problem));
  }
  const SourceErrorList& all() const { return all_; }
  const std::vector<SourceError>& first() const { return first_; }

 private:
  ProgressCounters& progress_;
  SourceErrorList all_;
  std::vector<SourceError> first_;
};

}  // namespace asl
