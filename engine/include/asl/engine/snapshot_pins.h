// Snapshot pins: a snapshot of the file system that a domain lies on, for each of the domain's own snapshots
// that was sealed while DomainOptions::pin_snapshots was set (doc/pins.md). This is the looking; pins are
// made and removed by what seals, forgets and collects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>

namespace asl {

enum class PinState : std::uint8_t {
  kPinned,
  kMissing,    // it shall be there and is not; the next ingest or gc makes it
  kForgotten,  // its snapshot was forgotten: the next of forget, ingest or gc removes it
  kStranger,   // it names a snapshot that this log does not have; never removed
};
std::string_view pin_state_name(PinState state);

struct SnapshotPin {
  std::uint64_t snapshot_id = 0;
  PinState state = PinState::kPinned;
  std::string name;  // of the file-system snapshot; for kMissing what it will be called
  // What would be free if this one alone went; where the file system tells.
  std::optional<std::uint64_t> alone_bytes{};
};

struct PinReport {
  // Some snapshot was to be pinned, or there is a pin. False: everything below is empty.
  bool in_use = false;
  bool on = false;                // the last snapshot that was sealed was to be pinned
  std::string place;              // "ZFS data set tank/asl"; empty if it could not be found
  std::vector<SnapshotPin> pins;  // by snapshot
  // What all file-system snapshots of the place hold back, those of others included; where it is told.
  std::optional<std::uint64_t> held_back_bytes;
  std::optional<Error> error;  // why not everything is told; pins are then those that shall be, all kMissing

  const SnapshotPin* find(std::uint64_t snapshot_id) const;  // pinned or missing; null if not to be pinned
};

// With `sizes` the file system is asked for sizes too, which takes longer. Costs next to nothing where pins
// were never on. Does not fail: what cannot be told is PinReport::error.
PinReport look_at_pins(const Domain& domain, bool sizes);

}  // namespace asl
