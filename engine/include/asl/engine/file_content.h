// The bytes of a regular file in a snapshot, whether it was read whole or in part.
#pragma once

#include <cstdint>
#include <functional>
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
  // The same by the reference of a file's content: untyped, or that of a partial.
  static Result<FileContent> open(const Domain& domain, const Reference& content);

  std::uint64_t length() const { return length_; }
  // Bytes of memory held, roughly.
  std::size_t memory_bytes() const;
  // Ranges that were never read from the source, by offset; empty for a whole file.
  const std::vector<PartialGap>& gaps() const { return gaps_; }
  // Fails with kIntegrity, naming the gaps, if there are any.
  Result<void> require_whole() const;

  // Reads until `into` is full or the file ends; returns the bytes read, each checked. Gaps read as zeros:
  // who must not invent bytes asks for gaps() first.
  Result<std::size_t> read(std::uint64_t offset, MutableByteSpan into) const;

  // As read(), without copies where it can be: see Artifact::read_pieces. Pieces are added in order.
  Result<std::size_t> read_pieces(std::uint64_t offset, MutableByteSpan scratch,
                                  std::vector<Artifact::Piece>& pieces) const;
  // As Artifact::read_ahead, for a file that was read whole; nothing for others.
  void read_ahead(std::uint64_t offset, std::uint64_t length) const;
  // The first byte at or after `offset` (below length()) that lies in a hole, or in data; length() if there
  // is none. Gaps are data: nobody knows what they hold.
  Result<std::uint64_t> next_hole(std::uint64_t offset) const;
  Result<std::uint64_t> next_data(std::uint64_t offset) const;
  // Whether a gap lies in [offset, offset + length).
  bool has_gap(std::uint64_t offset, std::uint64_t length) const;

 private:
  struct Piece {
    std::uint64_t offset = 0;
    Artifact artifact;
  };
  FileContent() = default;
  Result<void> open_partial(const Domain& domain, const Reference& reference);
  using PieceAt = std::vector<Piece>::const_iterator;
  // Calls `take_data` for each stretch of [offset, end) that a piece covers and `take_gap` for the others.
  Result<void> visit(std::uint64_t offset, std::uint64_t end,
                     const std::function<Result<void>(const Piece&, std::uint64_t, std::size_t)>& take_data,
                     const std::function<Result<void>(std::uint64_t, std::size_t)>& take_gap) const;
  Result<std::uint64_t> next_of(std::uint64_t offset, bool hole) const;

  std::uint64_t length_ = 0;
  std::vector<Piece> pieces_;  // by offset
  std::vector<PartialGap> gaps_;
};

// "0-4095, 8192-12287": first and last byte of each gap, a long list cut short.
std::string describe_gaps(const std::vector<PartialGap>& gaps);

}  // namespace asl
