// Snapshot pins in words and as JSON.
#pragma once

#include <cstdint>
#include <string>

#include <asl/engine/snapshot_pins.h>

#include "json_out.h"
#include "program.h"

namespace asl::cli {

// "pin": its state and name, where a snapshot is to be pinned.
void put_pin(Json& object, const PinReport& report, std::uint64_t snapshot_id);
// "pins": all of them, where they are in use.
void put_pins(Json& object, const PinReport& report);
// "pinned", "pin missing" or nothing: for a snapshot's remarks.
std::string pin_remark(const PinReport& report, std::uint64_t snapshot_id);
// "on, 3 pinned, 1 missing, on ZFS data set tank/asl".
std::string pin_summary(const PinReport& report);
// Says on standard error why pins are not as they shall be, if they are not.
void warn_of_pins(Context& context, const PinReport& report);

}  // namespace asl::cli
