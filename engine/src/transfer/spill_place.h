// Where temporary files of work that only reads a store may go.
#pragma once

#include <string>

namespace asl {

// $TMPDIR, else /var/tmp: a store that is only read is not written to.
std::string spill_place_for_reading();

}  // namespace asl
