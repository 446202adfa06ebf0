// Which snapshots of a domain shall be pinned: those that were sealed while the setting was on. Kept in
// store/pins as ranges of snapshot numbers, so that only a change of the setting is written down, and before
// the seal that it is for: a crash between the two leaves nothing to mend.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>
#include <asl/engine/log_state.h>

namespace asl {

class PinRanges {
 public:
  // A missing file is no ranges. kIntegrity, with what to do, for one that is not as written.
  static Result<PinRanges> load(io::Io& io, const std::string& path);
  static Result<PinRanges> parse(std::string_view text, const std::string& path);
  // Durable on return.
  Result<void> save(io::Io& io, const std::string& path) const;
  std::string to_text() const;

  bool empty() const { return ranges_.empty(); }
  bool on() const { return !ranges_.empty() && ranges_.back().last == kOpen; }
  bool contains(std::uint64_t snapshot_id) const;
  // From snapshot `next_id` on the setting is `on`. False if that changes nothing.
  bool set(bool on, std::uint64_t next_id);
  // Takes out the ranges of which every snapshot was forgotten, so that the list stays short.
  void drop_forgotten(const LogState& state);

  bool operator==(const PinRanges&) const = default;

 private:
  static constexpr std::uint64_t kOpen = ~std::uint64_t{0};
  struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = kOpen;  // kOpen: it goes on
    bool operator==(const Range&) const = default;
  };
  std::vector<Range> ranges_;  // ascending, apart
};

inline constexpr std::size_t kPinRangesFileMax = 1 << 20;  // tens of thousands of changes of the setting

}  // namespace asl
