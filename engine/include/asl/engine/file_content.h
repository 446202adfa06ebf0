// The bytes of a regular file in a snapshot, whether it was read whole or in part.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/partial.h>
#include <asl/engine/tree.h>

namespace asl {

// Thread-safe. The domain must outlive it.
class FileContent {
 public:
  // kUsage if the entry is not a regular file; else the errors of Domain::find and read_typed.
  static Result<FileContent> open(const Domain& domain, const Entry& entry);

  std::uint64_t length() const { return length_; }
  // Ranges that were never read from the source, by offset; empty for a whole file.
  const std::vector<PartialGap>& gaps() const { return gaps_; }
  // Fails with kIntegrity, naming the gaps, if there are any.
  Result<void> require_whole() const;

  // Reads until `into` is full or the file ends; returns the bytes read, each checked. Gaps read as zeros:
  // who must not invent bytes asks for gaps() first.
  Result<std::size_t> read(std::uint64_t offset, MutableByteSpan into) const;

 private:
  struct Piece {
    std::uint64_t offset = 0;
    Artifact artifact;
  };
  FileContent() = default;
  Result<void> open_partial(const Domain& domain, const Reference& reference);

  std::uint64_t length_ = 0;
  std::vector<Piece> pieces_;  // by offset
  std::vector<PartialGap> gaps_;
};

// "0-4095, 8192-12287": first and last byte of each gap, a long list cut short.
std::string describe_gaps(const std::vector<PartialGap>& gaps);

}  // namespace asl
