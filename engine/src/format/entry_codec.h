// One directory entry, as trees and snapshots hold it.
#pragma once

#include <string_view>

#include <asl/engine/cm.h>
#include <asl/engine/tree.h>

namespace asl {

enum class NameRule : std::uint8_t {
  kName,         // is_valid_name
  kNameOrEmpty,  // the root of a snapshot that is one directory may have no name
};

// The first rule that an entry violates, in words; empty if none.
std::string_view violated_rule(const Entry& entry, NameRule name_rule);

// The entry must violate no rule.
void write_entry(CmWriter& writer, const Entry& entry);
// Overwrites `entry`, whose memory is reused, and checks every rule.
Result<void> read_entry(CmReader& reader, Entry& entry, NameRule name_rule);

}  // namespace asl
