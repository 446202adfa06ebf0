// What everyone needs to know of blocks: their identity, their limits, their codecs (doc/format-block.md).
#pragma once

#include <cstdint>

#include <asl/engine/bytes.h>

namespace asl {

// SHA-256 of the block's metadata, which holds the digest of every stored extent.
using BlockId = Digest;

// Offsets inside a block are held in 32 bits; a block is rewritten whole by gc, so it must stay handy.
inline constexpr std::uint64_t kBlockLengthMax = 1ULL << 30;
// Large enough that a block's file costs nothing, small enough to finish within one commit interval.
inline constexpr std::uint64_t kBlockCapacityDefault = 256ULL << 20;
// Bounds block metadata to 3 MiB and the state of an open block.
inline constexpr std::uint32_t kExtentsPerBlockMax = 65536;
// Extents stored in this many bytes or more start on a page, so that they can be read directly; padding then
// costs at most one part in sixteen. Smaller ones are packed without padding.
inline constexpr std::uint32_t kSmallExtentMax = 64 << 10;

// The longest extent the cutter makes. Readers refuse longer ones, so that a buffer of this size always does.
inline constexpr std::uint32_t kExtentLengthMax = 2 << 20;

enum class Codec : std::uint8_t {
  kNone = 0,
  kZstd = 1,
  // 2 is reserved for encrypted domains and refused.
};

// Where one data extent lies and what its bytes must be.
struct ExtentLocation {
  BlockId block{};
  std::uint32_t offset_bytes = 0;         // in the block's file
  std::uint32_t stored_length_bytes = 0;  // as it lies there
  std::uint32_t raw_length_bytes = 0;     // decoded; equal to the stored length for Codec::kNone
  Codec codec = Codec::kNone;
  Digest digest{};  // SHA-256 of the raw bytes
  bool operator==(const ExtentLocation&) const = default;
};

// When extents are checked against their SHA-256 on reading.
enum class VerifyReads : std::uint8_t { kAlways, kOnce, kNever };

}  // namespace asl
