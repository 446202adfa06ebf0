#include "block/extent_check.h"

#include <algorithm>

#include <asl/engine/hash.h>

namespace asl {
namespace {

std::unexpected<Error> damaged(std::string message, const ExtentLocation& extent, const std::string& path) {
  return fail(integrity_error(std::move(message), path, extent.offset_bytes)
                  .with_object("block " + to_hex(extent.block)));
}

// One word that tells extents apart. The mixing keeps the extents of one block from sharing few slots.
std::uint64_t key_of(const ExtentLocation& extent) {
  std::uint64_t key =
      load_le<std::uint64_t>(extent.block.data()) ^ load_le<std::uint64_t>(extent.digest.data());
  key = (key ^ extent.offset_bytes) * 0x9E3779B97F4A7C15ULL;
  return key | 1;  // never 0, which marks an empty slot
}

}  // namespace

Result<void> check_location(const ExtentLocation& extent, const std::string& path) {
  if (extent.codec != Codec::kNone && extent.codec != Codec::kZstd)
    return fail(Error{.code = ErrorCode::kUnsupported,
                      .message = "an extent is stored in a way this version does not know",
                      .object = "block " + to_hex(extent.block),
                      .path = path,
                      .offset = extent.offset_bytes,
                      .sys_errno = 0,
                      .hint = "a newer version of this program may read it"});
  if (extent.raw_length_bytes == 0 || extent.raw_length_bytes > kExtentLengthMax ||
      extent.stored_length_bytes == 0 || extent.stored_length_bytes > kExtentLengthMax)
    return damaged("an extent's length is not possible", extent, path);
  const bool lengths_agree = extent.codec == Codec::kNone
                                 ? extent.stored_length_bytes == extent.raw_length_bytes
                                 : extent.stored_length_bytes < extent.raw_length_bytes;
  if (!lengths_agree) return damaged("an extent's stored length does not suit its codec", extent, path);
  if (extent.stored_length_bytes >= kSmallExtentMax && extent.offset_bytes % kPageSize != 0)
    return damaged("a large extent does not start on a page", extent, path);
  if (std::uint64_t{extent.offset_bytes} + extent.stored_length_bytes > kBlockLengthMax)
    return damaged("an extent reaches past the longest block", extent, path);
  return {};
}

Result<void> check_digest(const ExtentLocation& extent, ByteSpan raw, const std::string& path) {
  if (sha256(raw) != extent.digest) return damaged("an extent's bytes do not match its digest", extent, path);
  return {};
}

Result<void> decode_extent(const ExtentLocation& extent, ByteSpan stored, MutableByteSpan into,
                           Decompressor& decompressor, const std::string& path) {
  if (extent.codec == Codec::kNone) {
    if (stored.data() != into.data()) std::ranges::copy(stored, into.begin());
    return {};
  }
  if (auto decoded = decompressor.decompress(stored, into); !decoded)
    return damaged("an extent cannot be decoded: " + decoded.error().message, extent, path);
  return {};
}

// Lossy by design: each key has one slot, and a newer key takes it over.
VerifiedExtents::VerifiedExtents()
    : slots_(std::make_unique<std::array<std::atomic<std::uint64_t>, kSlots>>()) {}

bool VerifiedExtents::contains(const ExtentLocation& extent) const {
  const std::uint64_t key = key_of(extent);
  return (*slots_)[key >> (64 - kSlotBits)].load(std::memory_order_relaxed) == key;
}

void VerifiedExtents::insert(const ExtentLocation& extent) {
  const std::uint64_t key = key_of(extent);
  (*slots_)[key >> (64 - kSlotBits)].store(key, std::memory_order_relaxed);
}

}  // namespace asl
