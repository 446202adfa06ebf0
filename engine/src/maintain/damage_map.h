// What verification found wrong, by the things it is wrong with: what repair works from.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <asl/engine/block.h>
#include <asl/engine/reference.h>

#include "index/segment_store.h"

namespace asl {

struct DamageMap {
  // Block and offset -> the number of the finding.
  std::map<std::pair<BlockId, std::uint32_t>, std::size_t> extents;
  std::unordered_map<BlockId, std::size_t, DigestHash> lost_blocks;  // missing or cut short
  std::unordered_set<BlockId, DigestHash> bad_metas;
  std::unordered_set<BlockId, DigestHash> bad_padding;
  std::set<SegmentNumber> bad_segments;
  // Artifacts that are named and have no record, or are not what their reference says.
  std::unordered_set<Reference, ReferenceHash> missing;

  bool contains(const BlockId& block, std::uint32_t offset_bytes) const {
    return lost_blocks.contains(block) || extents.contains({block, offset_bytes});
  }
};

}  // namespace asl
