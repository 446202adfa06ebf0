#include "maintain/scrub_plan.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace asl {
namespace {

constexpr std::uint64_t kMillion = 1'000'000;

bool is_due(const ScrubCandidate& block, const ScrubChoice& choice) {
  if (!choice.max_age_s) return true;
  const auto checked = believed_check(block, choice.now_s);
  if (!checked || block.was_damaged) return true;
  return static_cast<std::uint64_t>(choice.now_s - *checked) >= *choice.max_age_s;
}

void keep_sample(std::vector<ScrubCandidate>& blocks, std::uint64_t all_bytes, const ScrubChoice& choice) {
  std::ranges::sort(blocks, {}, [&](const ScrubCandidate& block) {
    const auto checked = believed_check(block, choice.now_s);
    return std::tuple(checked.has_value(), checked.value_or(0), block.id);
  });
  const auto wanted =
      static_cast<std::uint64_t>(static_cast<unsigned __int128>(all_bytes) * *choice.sample_ppm / kMillion);
  std::uint64_t taken = 0;
  std::size_t count = 0;
  // At least one: a small share of a small store is still a check.
  while (count < blocks.size() && (count == 0 || taken < wanted)) taken += blocks[count++].length_bytes;
  blocks.resize(count);
}

}  // namespace

std::optional<std::int64_t> believed_check(const ScrubCandidate& block, std::int64_t now_s) {
  if (!block.checked_at_s || *block.checked_at_s < 0 || *block.checked_at_s > now_s) return std::nullopt;
  return block.checked_at_s;
}

std::vector<ScrubCandidate> choose_blocks(std::vector<ScrubCandidate> blocks, const ScrubChoice& choice) {
  std::uint64_t all_bytes = 0;
  for (const ScrubCandidate& block : blocks) all_bytes += block.length_bytes;
  std::erase_if(blocks, [&](const ScrubCandidate& block) { return !is_due(block, choice); });
  if (choice.sample_ppm) keep_sample(blocks, all_bytes, choice);
  return blocks;
}

void sort_by_device(std::vector<ScrubCandidate>& blocks) {
  std::ranges::sort(blocks, {}, [](const ScrubCandidate& block) {
    return std::tuple(block.device_offset.value_or(std::numeric_limits<std::uint64_t>::max()), block.id);
  });
}

}  // namespace asl
