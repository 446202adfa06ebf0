// What must hold of a snapshot beyond the shape of its encoding.
#pragma once

#include <string_view>

#include <asl/engine/snapshot.h>

namespace asl {

// The first rule that a snapshot violates, in words; empty if none.
std::string_view violated_rule(const Snapshot& snapshot);

}  // namespace asl
