// What is to be done about pins: a pure function of the log, the note of what shall be pinned, and what is
// there.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <asl/engine/log_state.h>

#include "pin/pin_file_system.h"
#include "pin/pin_name.h"
#include "pin/pin_ranges.h"

namespace asl {

struct PinPlan {
  struct Item {
    PinName pin;
    HeldPin held;  // its whole name, and whether it is held
  };
  // All by snapshot number.
  std::vector<Item> missing;    // to be made
  std::vector<Item> good;       // of a snapshot that is not forgotten; those not held are to be held
  std::vector<Item> forgotten;  // to be removed
  // Of a snapshot that this log does not have: the log lost it, or the store was put back to an older state.
  // Such a pin may be the last copy, so it stays.
  std::vector<Item> strangers;
};

// `found` are all file-system snapshots there; names that are not this domain's are passed over.
PinPlan plan_pins(const LogState& state, const DomainId& domain, const PinRanges& ranges,
                  std::span<const HeldPin> found);

}  // namespace asl
