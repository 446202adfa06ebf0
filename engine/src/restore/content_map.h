// What a file of a snapshot consists of: extents of one artifact, or of the pieces of a partial.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/domain.h>
#include <asl/engine/partial.h>
#include <asl/engine/tree.h>

namespace asl {

// A part of a file that lies in one extent, or is a hole.
struct ContentPart {
  std::uint64_t offset = 0;  // in the file
  std::uint64_t length = 0;
  std::uint64_t skip = 0;  // bytes of the extent before it
  bool hole = false;
  ExtentLocation location;  // of data
};

// A part of a file that the store cannot give.
struct LostPart {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  Error error;
};

// Immutable; thread-safe.
class ContentMap {
 public:
  // Reads no content. Fails if the artifact (or the partial's list) is not to be had, or its length is not
  // the entry's size.
  static Result<ContentMap> open(const Domain& domain, const Entry& entry);

  std::uint64_t length() const { return length_; }
  // Appends what [begin, end) consists of, in order. Gaps of a partial are neither parts nor lost.
  void parts(std::uint64_t begin, std::uint64_t end, std::vector<ContentPart>& out,
             std::vector<LostPart>& lost) const;
  // The part's bytes from wherever the store has another good copy of the extent.
  Result<Bytes> read_elsewhere(const ContentPart& part) const;
  // Never read from the source.
  const std::vector<PartialGap>& gaps() const { return gaps_; }
  const std::vector<PartialPiece>& pieces() const { return pieces_; }

 private:
  Result<Artifact> artifact_of(const PartialPiece& piece) const;

  const Domain* domain_ = nullptr;
  std::uint64_t length_ = 0;
  std::vector<PartialPiece> pieces_;
  std::vector<PartialGap> gaps_;
  std::optional<Artifact> only_;  // the artifact of the only piece
};

}  // namespace asl
