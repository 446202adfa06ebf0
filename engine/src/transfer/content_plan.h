// What of a file's content is data and what is not: a plain artifact or a partial, seen as one.
#pragma once

#include <cstdint>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/tree.h>

#include "transfer/pax_writer.h"

namespace asl {

// Files with more runs than this are not written as sparse ones: the map of runs is held in memory.
inline constexpr std::size_t kSparseRunsMax = 100'000;

// Reads a file's content by offset. Gaps of a partial read as nothing: they are in no run.
class ContentPlan {
 public:
  // Finds the artifacts; reads no content. Errors of Domain::find and read_typed.
  static Result<ContentPlan> make(const Domain& domain, const Entry& file);

  std::uint64_t length() const { return length_; }
  bool has_gaps() const { return has_gaps_; }
  // Holes and gaps make a file sparse, unless it has more than kSparseRunsMax runs.
  bool sparse() const { return sparse_; }
  // Ascending, not adjacent. Where the file is not sparse, all of it.
  const std::vector<TarRun>& data_runs() const { return runs_; }
  // Reads bytes that lie in data runs; zeros for holes, and for gaps where the file is too ragged to be
  // sparse.
  Result<void> read(std::uint64_t offset, MutableByteSpan into);

 private:
  struct Piece {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    Reference ref;
  };

  explicit ContentPlan(const Domain& domain) : domain_(&domain) {}
  Result<void> add_runs(const Piece& piece);
  void add_run(std::uint64_t offset, std::uint64_t length);

  const Domain* domain_;
  std::uint64_t length_ = 0;
  bool has_gaps_ = false;
  bool sparse_ = false;
  std::vector<Piece> pieces_;
  std::vector<TarRun> runs_;
  std::size_t open_piece_ = 0;
  std::optional<Artifact> artifact_;  // of open_piece_
};

}  // namespace asl
