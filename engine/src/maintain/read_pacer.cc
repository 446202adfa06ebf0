#include "maintain/read_pacer.h"

#include <algorithm>
#include <thread>

namespace asl {
namespace {

// How long a wish to stop may go unheard.
constexpr std::chrono::milliseconds kSlice{50};

}  // namespace

ReadPacer::Clock::duration ReadPacer::delay_after(std::uint64_t bytes, Clock::time_point now) {
  if (!bytes_per_second_) return Clock::duration::zero();
  const double seconds = static_cast<double>(bytes) / static_cast<double>(*bytes_per_second_);
  due_ = std::max(due_, now - kBurst) +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  return std::max(due_ - now, Clock::duration::zero());
}

void ReadPacer::pace(std::uint64_t bytes, const StopToken& stop) {
  const Clock::time_point now = Clock::now();
  const Clock::time_point until = now + delay_after(bytes, now);
  while (!stop.requested()) {
    const auto left = until - Clock::now();
    if (left <= Clock::duration::zero()) return;
    std::this_thread::sleep_for(std::min<Clock::duration>(left, kSlice));
  }
}

}  // namespace asl
