// Whether the blocks that the index speaks of are really there, looked at once a session.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>

#include "block/block_store.h"

namespace asl {

// Thread-safe. About 60 bytes a block touched.
class BlockPresence {
 public:
  explicit BlockPresence(BlockStore& blocks) : blocks_(blocks) {}

  // The block's file is there and reaches to the extent's end.
  bool holds(const ExtentLocation& extent) {
    const std::uint64_t end = std::uint64_t{extent.offset_bytes} + extent.stored_length_bytes;
    const std::lock_guard lock(mutex_);
    const auto [at, is_new] = length_.try_emplace(extent.block, 0);
    if (is_new) {
      if (const auto length = blocks_.length_of(extent.block)) at->second = *length;
    }
    if (end > at->second) missing_ = true;
    return end <= at->second;
  }
  // Some block was missing or short: what the stat cache remembers is not to be trusted.
  bool found_missing() const {
    const std::lock_guard lock(mutex_);
    return missing_;
  }

 private:
  BlockStore& blocks_;
  mutable std::mutex mutex_;
  std::unordered_map<BlockId, std::uint64_t, DigestHash> length_;  // 0: not there
  bool missing_ = false;
};

}  // namespace asl
