// Cuts an artifact's bytes into data extents and holes (doc/format-block.md, "Cutting").
#pragma once

#include <cstdint>
#include <optional>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>

namespace asl {

// The content-defined cutting of data runs. Changing any of these changes every extent of every store.
inline constexpr std::size_t kCutMin = 128 << 10;
inline constexpr std::size_t kCutAverage = 512 << 10;
inline constexpr std::size_t kCutMax = kExtentLengthMax;
inline constexpr unsigned kCutMaskBitsBelowAverage = 21;
inline constexpr unsigned kCutMaskBitsFromAverage = 17;
// Shorter zero runs stay data: a hole record costs as much as an extent's.
inline constexpr std::size_t kHoleMin = 16 * kPageSize;
// next() always decides when it is given this many bytes: the longest extent, and enough beyond it to see
// that no hole starts inside it.
inline constexpr std::size_t kCutWindowMax = kCutMax + kHoleMin;

struct Cut {
  std::uint64_t length_bytes = 0;  // from the cutter's position
  bool hole = false;
};

// The cutter of one artifact, fed from its first byte to its last. Owns no bytes. Not thread-safe.
//
// The caller holds the bytes from position() on in one contiguous window and slides it by each cut's length.
// The cuts depend on the artifact's bytes alone, never on how much was shown when, with one exception: a hole
// comes in as many adjacent hole cuts as the feeding made of it, and the caller joins them.
class Cutter {
 public:
  // `available` starts at position() and holds at least what the previous call held, less the cut it
  // returned. nullopt: more bytes are needed; with `at_end` (nothing follows `available`): all is cut.
  std::optional<Cut> next(ByteSpan available, bool at_end);

  // True after a hole cut, until data follows.
  bool in_hole() const { return in_hole_; }
  // For a caller who knows that a range is zeros (SEEK_HOLE) and would rather not make them: lengthens the
  // hole that the last cut belonged to, as if `length_bytes` zeros (a multiple of kPageSize) had been shown.
  // Only while in_hole(), and only if the range starts at position(). Show the range's first kHoleMin +
  // kPageSize bytes as zeros to get there, and its last, broken page too.
  void skip_hole(std::uint64_t length_bytes);

  // Bytes of the artifact that were cut or skipped so far.
  std::uint64_t position() const { return position_; }

 private:
  std::optional<Cut> next_in_hole(ByteSpan available, bool at_end);
  std::optional<Cut> next_in_run(ByteSpan available, bool at_end);
  void look_for_hole(ByteSpan available);
  Cut take(std::uint64_t length_bytes, bool hole);

  std::uint64_t position_ = 0;
  bool in_hole_ = false;
  // Pages of the present data run before this were looked at; always a page boundary, may lie past position_.
  std::uint64_t pages_seen_end_ = 0;
  // The zero pages that end at pages_seen_end_ start here (equal to it if there are none). Once the run is
  // kHoleMin long, it is the hole that ends the data run.
  std::uint64_t zero_start_ = 0;
  // Bytes from position_ on that were searched for a cut point without finding one.
  std::size_t searched_ = 0;
};

}  // namespace asl
