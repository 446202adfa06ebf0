// What the index knows of an artifact and of each of its extents (doc/format-segment.md).
#pragma once

#include <cstdint>
#include <optional>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>
#include <asl/engine/reference.h>

namespace asl {

// Flags of a record. Pinned: a gc root, set by `put`. Fixed: the record of a program run, whose blocks stay
// as they are and which a merge never drops.
inline constexpr std::uint32_t kRecordPinned = 1U << 0;
inline constexpr std::uint32_t kRecordFixed = 1U << 1;
inline constexpr std::uint32_t kRecordFlagsKnown = kRecordPinned | kRecordFixed;

// Record and segment visibility: 0 in a domain's own store, where the log decides; 1 in copies made by
// export.
inline constexpr std::uint8_t kVisibilityByLog = 0;
inline constexpr std::uint8_t kVisibilityPublished = 1;

// In place of a block number: the extent is a hole, all zeros, stored nowhere.
inline constexpr std::uint32_t kHoleBlock = 0xFFFFFFFF;

// The longest artifact, counted in extents: their number is a u32 on disk.
inline constexpr std::uint64_t kArtifactExtentsMax = 0xFFFFFFFF;

struct ArtifactRecord {
  Reference ref{};
  std::uint64_t length = 0;  // bytes
  std::uint32_t flags = 0;
  std::optional<std::uint32_t> type_tag{};  // exactly for typed references
  std::uint8_t visibility = kVisibilityByLog;
};

// One extent of an artifact, its block named by a number: a position in a segment's block table when read
// from a segment, a BlockTable number (block_table.h) when handed to a SegmentBuilder. For a hole everything
// but artifact_offset and raw_length is zero.
struct ExtentRecord {
  std::uint64_t artifact_offset = 0;  // bytes into the artifact
  std::uint64_t raw_length = 0;       // bytes of the artifact
  std::uint32_t block_index = kHoleBlock;
  std::uint32_t block_offset = 0;   // bytes into the block
  std::uint32_t stored_length = 0;  // bytes in the block
  Codec codec = Codec::kNone;
  Digest digest{};  // SHA-256 of the raw bytes

  bool is_hole() const { return block_index == kHoleBlock; }
};

inline ExtentRecord hole_record(std::uint64_t artifact_offset, std::uint64_t raw_length) {
  ExtentRecord hole;
  hole.artifact_offset = artifact_offset;
  hole.raw_length = raw_length;
  return hole;
}

// One extent of an artifact, complete in itself: what it covers, where its bytes lie and what they must hash
// to.
struct ArtifactExtent {
  std::uint64_t artifact_offset = 0;  // bytes into the artifact
  std::uint64_t raw_length = 0;       // bytes of the artifact
  bool hole = false;
  ExtentLocation location;  // of data; empty for a hole, which may be longer than any stored extent
};

inline ArtifactExtent locate(const ExtentRecord& extent, const BlockId& block) {
  ArtifactExtent located{.artifact_offset = extent.artifact_offset,
                         .raw_length = extent.raw_length,
                         .hole = extent.is_hole(),
                         .location = {}};
  if (!located.hole)
    located.location = {.block = block,
                        .offset_bytes = extent.block_offset,
                        .stored_length_bytes = extent.stored_length,
                        .raw_length_bytes = static_cast<std::uint32_t>(extent.raw_length),
                        .codec = extent.codec,
                        .digest = extent.digest};
  return located;
}

}  // namespace asl
