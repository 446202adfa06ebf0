// Numbers for block ids while segments are being made. An extent knows the number of its block long before
// the block is sealed and has an id.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include <asl/engine/error.h>

#include "index/artifact_record.h"

namespace asl {

// Grows with the number of blocks a run touches (about 100 bytes each), not with its artifacts. Thread-safe.
class BlockTable {
 public:
  // The number of a sealed block, new or known.
  std::uint32_t number_of(const BlockId& id);
  // A number for a block that is still open.
  std::uint32_t reserve();
  // The block of a reserved number is sealed. Resolving a number twice is a programming error.
  void resolve(std::uint32_t number, const BlockId& id);
  // Nothing while the block is open, or if there is no such number.
  std::optional<BlockId> find(std::uint32_t number) const;
  std::uint32_t size() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::optional<BlockId>> ids_;
  std::unordered_map<BlockId, std::uint32_t, DigestHash> numbers_;
};

}  // namespace asl
