// Checked pages of segments, shared by all segments of a domain and bounded in size.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include <asl/engine/bytes.h>

namespace asl {

// Enough for the hot pages of a few million look-ups; small beside the 512 MiB a process may use.
inline constexpr std::size_t kPageCacheBytes = 16 << 20;

// Least recently used pages go first. Thread-safe. A page that was handed out stays valid while its pointer
// lives.
class PageCache {
 public:
  using Page = std::array<std::byte, kPageSize>;
  using PagePtr = std::shared_ptr<const Page>;

  explicit PageCache(std::size_t bytes_max = kPageCacheBytes);

  // A key for a newly opened file, never used before.
  std::uint64_t new_file_key() { return next_file_key_.fetch_add(1, std::memory_order_relaxed); }
  // Null if it is not there.
  PagePtr find(std::uint64_t file_key, std::uint64_t page);
  void insert(std::uint64_t file_key, std::uint64_t page, PagePtr content);
  std::size_t page_count() const;

 private:
  static constexpr std::size_t kShards = 16;
  struct Key {
    std::uint64_t file;
    std::uint64_t page;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Slot {
    Key key;
    PagePtr content;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Slot> recent;  // most recent first
    std::unordered_map<Key, std::list<Slot>::iterator, KeyHash> slots;
  };
  Shard& shard_of(const Key& key) { return shards_[KeyHash{}(key) % kShards]; }

  std::size_t pages_per_shard_;
  std::array<Shard, kShards> shards_;
  std::atomic<std::uint64_t> next_file_key_{1};
};

}  // namespace asl
