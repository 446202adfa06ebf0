// Partials: typed artifacts that stand for a file whose bytes could not all be read (doc/format-partial.md).
// What was not read has no hash and is never taken for zeros.
#pragma once

#include <cstdint>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/reference.h>

namespace asl {

inline constexpr std::size_t kPartialSizeMax = 64 << 20;  // about a million ranges; bounds what is decoded

// The states of a range that was not read, as in a ddrescue mapfile.
enum class GapStatus : char {
  kNotTried = '?',
  kNotTrimmed = '*',
  kNotScraped = '/',
  kBad = '-',
};

struct PartialPiece {
  std::uint64_t offset_bytes = 0;
  std::uint64_t length_bytes = 0;
  Reference ref;  // an untyped artifact of that length
  bool operator==(const PartialPiece&) const = default;
};

struct PartialGap {
  std::uint64_t offset_bytes = 0;
  std::uint64_t length_bytes = 0;
  GapStatus status = GapStatus::kNotTried;
  bool operator==(const PartialGap&) const = default;
};

// Pieces and gaps are each sorted by offset; together they cover [0, length_bytes) without overlap. There is
// at least one gap, unless the length is 0 (an empty file that could not be opened).
struct Partial {
  std::uint64_t length_bytes = 0;
  std::vector<PartialPiece> pieces;
  std::vector<PartialGap> gaps;
  bool operator==(const Partial&) const = default;
};

// Errors: kMalformed for what breaks a rule, kUnsupported beyond kPartialSizeMax.
Result<Bytes> encode_partial(const Partial& partial);
// Errors: kIntegrity with the offset inside `bytes`; kUnsupported for another version.
Result<Partial> decode_partial(ByteSpan bytes);

}  // namespace asl
