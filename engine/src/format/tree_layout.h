// The parts of tree nodes that the whole-node codec and the builder share.
#pragma once

#include <cstdint>
#include <string_view>

#include <asl/engine/cm.h>
#include <asl/engine/tree.h>

namespace asl {

inline constexpr std::string_view kTreeMagic = "asl-tree";
inline constexpr std::uint64_t kTreeVersion = 1;
inline constexpr std::uint64_t kTreeLeafKind = 0;
inline constexpr std::uint64_t kTreeFanOutKind = 1;
inline constexpr std::uint32_t kTreeFields = 4;
inline constexpr std::uint32_t kFanOutItemFields = 4;

// Everything up to the items, their count included.
void write_tree_header(CmWriter& writer, std::uint64_t kind, std::uint32_t count);
// Everything up to the items, without their count.
Result<void> read_tree_header(CmReader& reader, std::uint64_t kind);
void write_fan_out_item(CmWriter& writer, const FanOutItem& item);

}  // namespace asl
