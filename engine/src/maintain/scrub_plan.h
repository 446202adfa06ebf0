// Which blocks a scrub reads, and in which order.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <asl/engine/block.h>

namespace asl {

// A block that could be read.
struct ScrubCandidate {
  BlockId id{};
  std::uint64_t length_bytes = 0;
  // When it was last read whole, in seconds since 1970; nothing: never.
  std::optional<std::int64_t> checked_at_s;
  bool was_damaged = false;  // then
  std::uint64_t change_ns = 0;
  // Where its file begins on the device; nothing where that is not known.
  std::optional<std::uint64_t> device_offset;
};

struct ScrubChoice {
  std::int64_t now_s = 0;
  // Blocks checked less than this ago, and found good, are left out.
  std::optional<std::uint64_t> max_age_s;
  // A share of the bytes of all candidates: the blocks unchecked for the longest time, until their lengths
  // come to this much.
  std::optional<std::uint32_t> sample_ppm;
};

// A time beyond `now_s` says that a clock was wrong, then or now: it counts as never.
std::optional<std::int64_t> believed_check(const ScrubCandidate& block, std::int64_t now_s);

// The chosen ones, in no order that matters.
//
// With a sample, never-checked blocks come first, then the oldest check; equal ones by id, which is a hash
// and so as good as a random order. Compared with a random draw: N runs of 1/N read everything, where random
// draws leave out (1 - 1/N)^N, more than a third; and of damage that is spread evenly both find the same
// share.
std::vector<ScrubCandidate> choose_blocks(std::vector<ScrubCandidate> blocks, const ScrubChoice& choice);

// Into the order in which they lie on the device; those of which that is not known come last, by id.
void sort_by_device(std::vector<ScrubCandidate>& blocks);

}  // namespace asl
