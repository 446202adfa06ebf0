#include "block/cutter.h"

#include <algorithm>
#include <cassert>

#include "block/gear_table.h"

namespace asl {
namespace {

// A byte's influence on the gear hash is shifted out after this many further bytes.
constexpr std::size_t kGearMemory = 64;
// The hash is a chain of dependent additions, so one stream of bytes leaves most of the processor idle. Since
// only the last 64 bytes matter, four stretches are searched at once, each primed with the 64 bytes before
// it.
constexpr std::size_t kLanes = 4;
constexpr std::size_t kLaneBytes =
    4 << 10;  // long against kGearMemory, short enough to search again on a hit
constexpr std::size_t kStride = kLanes * kLaneBytes;

// "The top n bits are zero" is "less than this".
constexpr std::uint64_t hit_below(unsigned mask_bits) {
  return 1ULL << (64 - mask_bits);
}

inline std::uint64_t step(std::uint64_t hash, std::byte byte) {
  return (hash << 1) + kGear[std::to_integer<std::size_t>(byte)];
}

// The hash after data[begin..end), started from zero.
std::uint64_t hash_of(const std::byte* data, std::size_t begin, std::size_t end) {
  std::uint64_t hash = 0;
  for (std::size_t i = begin; i < end; ++i) hash = step(hash, data[i]);
  return hash;
}

// The hash at `at` of a cut that hashes from kCutMin on.
std::uint64_t hash_before(const std::byte* data, std::size_t at) {
  return hash_of(data, std::max(kCutMin, at - std::min(at, kGearMemory)), at);
}

// Whether any byte of the kStride bytes from `at` on is a hit. `hash` is the hash before `at` and is moved
// past the stride if there is none.
bool stride_hits(const std::byte* at, std::uint64_t limit, std::uint64_t& hash) {
  static_assert(kLanes == 4);
  const std::byte* const lane1 = at + kLaneBytes;
  const std::byte* const lane2 = at + 2 * kLaneBytes;
  const std::byte* const lane3 = at + 3 * kLaneBytes;
  std::uint64_t hash0 = hash;
  std::uint64_t hash1 = hash_of(lane1 - kGearMemory, 0, kGearMemory);
  std::uint64_t hash2 = hash_of(lane2 - kGearMemory, 0, kGearMemory);
  std::uint64_t hash3 = hash_of(lane3 - kGearMemory, 0, kGearMemory);
  // Separate branches: merging the tests lengthens the chain and runs at two thirds of the speed with clang.
  for (std::size_t i = 0; i < kLaneBytes; ++i) {
    hash0 = step(hash0, at[i]);
    hash1 = step(hash1, lane1[i]);
    hash2 = step(hash2, lane2[i]);
    hash3 = step(hash3, lane3[i]);
    if (hash0 < limit) [[unlikely]]
      return true;
    if (hash1 < limit) [[unlikely]]
      return true;
    if (hash2 < limit) [[unlikely]]
      return true;
    if (hash3 < limit) [[unlikely]]
      return true;
  }
  hash = hash3;
  return false;
}

// The length of the cut that ends with the first hit in data[begin..end), 0 if there is none.
std::size_t find_hit(const std::byte* data, std::size_t begin, std::size_t end, std::uint64_t limit) {
  std::size_t at = begin;
  std::uint64_t hash = hash_before(data, at);
  while (end - at >= kStride && !stride_hits(data + at, limit, hash)) at += kStride;
  // Either too little is left for four lanes, or some lane hit: the first hit in order is what counts.
  for (; at < end; ++at) {
    hash = step(hash, data[at]);
    if (hash < limit) return at + 1;
  }
  return 0;
}

// The length of the content-defined cut that ends in data[0..size), where the bytes before `searched` hold no
// cut point; 0 if there is none.
std::size_t find_cut(const std::byte* data, std::size_t size, std::size_t searched) {
  std::size_t begin = std::max(kCutMin, searched);
  const std::size_t strict_end = std::min(size, kCutAverage);
  if (begin < strict_end) {
    if (const std::size_t length = find_hit(data, begin, strict_end, hit_below(kCutMaskBitsBelowAverage));
        length != 0)
      return length;
    begin = strict_end;
  }
  const std::size_t end = std::min(size, kCutMax);
  if (begin < end)
    if (const std::size_t length = find_hit(data, begin, end, hit_below(kCutMaskBitsFromAverage));
        length != 0)
      return length;
  return end == kCutMax ? kCutMax : 0;
}

bool is_zero_page(const std::byte* page) {
  // Nearly every page of data is told by its first word.
  return load_le<std::uint64_t>(page) == 0 && all_zero({page, kPageSize});
}

}  // namespace

std::optional<Cut> Cutter::next(ByteSpan available, bool at_end) {
  if (in_hole_) {
    if (auto cut = next_in_hole(available, at_end)) return cut;
    if (in_hole_) return std::nullopt;
  }
  return next_in_run(available, at_end);
}

void Cutter::skip_hole(std::uint64_t length_bytes) {
  assert(in_hole_ && length_bytes % kPageSize == 0);
  position_ += length_bytes;
}

std::optional<Cut> Cutter::next_in_hole(ByteSpan available, bool at_end) {
  std::size_t length = 0;
  while (available.size() - length >= kPageSize && is_zero_page(available.data() + length))
    length += kPageSize;
  if (length != 0) return take(length, true);
  if (available.size() < kPageSize && !at_end) return std::nullopt;
  in_hole_ = false;
  pages_seen_end_ = zero_start_ = position_;
  return std::nullopt;
}

std::optional<Cut> Cutter::next_in_run(ByteSpan available, bool at_end) {
  look_for_hole(available);
  const bool hole_seen = pages_seen_end_ - zero_start_ >= kHoleMin;
  if (hole_seen && zero_start_ == position_) return take(pages_seen_end_ - zero_start_, true);

  // Bytes that belong to this data run for certain. Trailing zero pages may yet become a hole, and so may
  // what lies beyond the part that was looked at.
  const bool end_seen = !hole_seen && at_end && available.size() <= kCutWindowMax;
  const std::uint64_t run_end = end_seen ? position_ + available.size() : zero_start_;
  const auto length = static_cast<std::size_t>(run_end - position_);

  if (const std::size_t cut = find_cut(available.data(), length, searched_); cut != 0)
    return take(cut, false);
  searched_ = length;
  if ((hole_seen || end_seen) && length != 0) return take(length, false);
  return std::nullopt;
}

void Cutter::look_for_hole(ByteSpan available) {
  // No further than a decision can need: what lies beyond will have left the processor's caches by the time
  // it is searched.
  const std::uint64_t end = position_ + std::min(available.size(), kCutWindowMax);
  while (pages_seen_end_ + kPageSize <= end && pages_seen_end_ - zero_start_ < kHoleMin) {
    const bool zero = is_zero_page(available.data() + (pages_seen_end_ - position_));
    pages_seen_end_ += kPageSize;
    if (!zero) zero_start_ = pages_seen_end_;
  }
}

Cut Cutter::take(std::uint64_t length_bytes, bool hole) {
  position_ += length_bytes;
  in_hole_ = hole;
  searched_ = 0;
  return {length_bytes, hole};
}

}  // namespace asl
