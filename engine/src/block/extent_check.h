// What every reader of extents checks, in one place.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

#include "block/codec.h"

namespace asl {

// The rules a location must keep before anything is read for it: lengths within their limits, alignment,
// inside a block. `path` is the block's file. kUnsupported for an unknown codec, else kIntegrity.
Result<void> check_location(const ExtentLocation& extent, const std::string& path);
// `raw` hashes to the extent's digest; kIntegrity otherwise.
Result<void> check_digest(const ExtentLocation& extent, ByteSpan raw, const std::string& path);
// Decodes `stored` into `into` (exactly the raw length); with Codec::kNone they may be the same memory.
// kIntegrity if it does not decode.
Result<void> decode_extent(const ExtentLocation& extent, ByteSpan stored, MutableByteSpan into,
                           Decompressor& decompressor, const std::string& path);

// Remembers, in bounded memory and imperfectly, which extents were verified already: forgetting one costs a
// second check. Thread-safe and lock-free.
class VerifiedExtents {
 public:
  VerifiedExtents();
  bool contains(const ExtentLocation& extent) const;
  void insert(const ExtentLocation& extent);

 private:
  // Two MiB: the extents of about 100 GB of large files, or 250,000 small files.
  static constexpr unsigned kSlotBits = 18;
  static constexpr std::size_t kSlots = 1 << kSlotBits;
  std::unique_ptr<std::array<std::atomic<std::uint64_t>, kSlots>> slots_;
};

}  // namespace asl
