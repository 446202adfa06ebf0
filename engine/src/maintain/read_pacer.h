// Keeping reads below a rate, so that a scrub does not take the disk from everybody else.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <asl/engine/stop.h>

namespace asl {

// One thread.
class ReadPacer {
 public:
  using Clock = std::chrono::steady_clock;

  // `bytes_per_second` above 0; nothing: as fast as it goes.
  explicit ReadPacer(std::optional<std::uint64_t> bytes_per_second, Clock::time_point start = Clock::now())
      : bytes_per_second_(bytes_per_second), due_(start) {}

  // How long to wait after these bytes, seen at `now`. Time in which nothing was read (a slow disk, a
  // sleeping laptop) is not made up for, beyond kBurst.
  Clock::duration delay_after(std::uint64_t bytes, Clock::time_point now);

  // Waits that long, or until `stop` asks.
  void pace(std::uint64_t bytes, const StopToken& stop);

  static constexpr std::chrono::milliseconds kBurst{250};

 private:
  const std::optional<std::uint64_t> bytes_per_second_;
  Clock::time_point due_;  // when what was read so far may have been read
};

}  // namespace asl
