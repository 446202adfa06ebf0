// The content of a file that is being read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/file_content.h>

#include "control_tree.h"
#include "failure.h"

namespace asl::fusefs {

enum class BadRanges : std::uint8_t {
  kError,  // reading them fails
  kZero,   // they read as zeros
};

// Thread-safe.
class OpenFile {
 public:
  OpenFile(FileContent content, BadRanges bad_ranges)
      : content_(std::move(content)), bad_ranges_(bad_ranges) {}
  explicit OpenFile(ControlContent content);

  std::uint64_t length() const;
  std::size_t memory_bytes() const;

  // Up to scratch.size() bytes from `offset`, as pieces in order; none at the end. EIO for a gap, and for an
  // extent that fails its check.
  Reply<std::size_t> read(std::uint64_t offset, MutableByteSpan scratch,
                          std::vector<Artifact::Piece>& pieces) const;
  // The same into one buffer.
  Reply<std::size_t> read(std::uint64_t offset, MutableByteSpan into) const;
  // Has a range of a large file ready; says nothing of what fails.
  void read_ahead(std::uint64_t offset, std::uint64_t length) const;
  // Of FileReadAhead, which guards it: the end of the last request, and of what it asked to have ready.
  struct ReadSoFar {
    std::uint64_t asked_to = 0;
    std::uint64_t ahead_to = 0;
  };
  ReadSoFar& read_so_far() const { return read_so_far_; }
  // As lseek's SEEK_DATA and SEEK_HOLE; ENXIO beyond the end, or where no data follows.
  Reply<std::uint64_t> seek_data(std::uint64_t offset) const;
  Reply<std::uint64_t> seek_hole(std::uint64_t offset) const;

 private:
  std::variant<FileContent, Artifact, std::shared_ptr<const Bytes>> content_;
  BadRanges bad_ranges_ = BadRanges::kError;
  mutable ReadSoFar read_so_far_;
};

}  // namespace asl::fusefs
