// What the running session has packed and the merged index does not know yet.
#pragma once

#include <array>
#include <mutex>
#include <unordered_map>

#include <asl/engine/reference.h>

#include "index/artifact_record.h"

namespace asl {

// Thread-safe map from digest to what this session stored under it. A shard's lock is held by who packs an
// extent, so that two lanes meeting the same new bytes store them once. Entries live until the commit that
// holds them is in the merged index: two generations are kept, and the older is dropped as a whole. Size:
// bounded by what one commit may hold.
class SessionIndex {
 public:
  static constexpr std::size_t kShards = 64;

  struct Entry {
    ExtentRecord extent;  // valid if has_extent; artifact_offset is 0, the block is a BlockTable number
    bool has_extent = false;
    bool has_untyped = false;  // an untyped artifact with this digest has a record in the session
    bool has_typed = false;    // likewise a typed one
  };
  struct Shard {
    std::mutex mutex;
    std::array<std::unordered_map<Digest, Entry, DigestHash>, 2> generations;
  };

  Shard& shard(const Digest& digest) { return shards_[std::to_integer<std::size_t>(digest[31]) % kShards]; }

  // The caller holds the shard's mutex.
  const Entry* find(const Shard& shard, const Digest& digest) const {
    for (std::size_t age = 0; age < 2; ++age) {
      const auto& generation = shard.generations[(current_ + age) % 2];
      if (const auto at = generation.find(digest); at != generation.end()) return &at->second;
    }
    return nullptr;
  }
  // The entry in the current generation, made (as a copy of the older one's) if need be.
  Entry& touch(Shard& shard, const Digest& digest) const {
    auto [at, is_new] = shard.generations[current_].try_emplace(digest);
    if (is_new) {
      const auto& older = shard.generations[(current_ + 1) % 2];
      if (const auto old = older.find(digest); old != older.end()) at->second = old->second;
    }
    return at->second;
  }

  // Called with no lane inside (the gate is closed): what was current becomes the older generation.
  void start_generation() {
    current_ = (current_ + 1) % 2;
    for (Shard& shard : shards_) shard.generations[current_].clear();
  }
  // The older generation has reached the merged index. Thread-safe against find and touch.
  void drop_older_generation() {
    for (Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      std::unordered_map<Digest, Entry, DigestHash>().swap(shard.generations[(current_ + 1) % 2]);
    }
  }

 private:
  std::array<Shard, kShards> shards_;
  std::size_t current_ = 0;
};

}  // namespace asl
