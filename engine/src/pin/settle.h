// Making the pins that shall be there and removing those that shall not.
//
// Both calls belong into a writing session: one process at a time then settles. Neither ever fails what it is
// part of. What went wrong is a notice for the user, and is done by the next call: nothing is remembered
// beside the log, store/pins and the file system's own snapshots.
#pragma once

#include <string>
#include <vector>

#include <asl/engine/domain.h>

#include "io/program.h"
#include "pin/pin_file_system.h"

namespace asl {

// Before a seal: whether the snapshots from the next one on shall be pinned (DomainOptions::pin_snapshots).
// Written only when that changes; durable on return. Snapshots that are to be pinned stay so when the setting
// goes off.
void note_pin_setting(const Domain& domain, std::vector<std::string>& notices);

struct PinsSettled {
  std::vector<std::string> made;
  std::vector<std::string> removed;
};

// After a seal, a forget, or in gc, when the log's commit is durable. Pins of forgotten snapshots are
// removed; missing ones are made if the setting is on. Does nothing where pins were never on, unless
// `thorough`: then it looks for pins that were left behind, too.
PinsSettled settle_pins(const Domain& domain, bool thorough, std::vector<std::string>& notices);
// The same in a place that is known.
PinsSettled settle_pins_in(PinFileSystem& place, const Domain& domain, std::vector<std::string>& notices);

}  // namespace asl
