// Small extents lie packed together and are read together: windows of blocks, kept in bounded memory.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

#include "block/block_store.h"

namespace asl {

// Windows are multiples of this: a miss reads one, and the run after one that is already there reads four.
inline constexpr std::size_t kWindowGrain = 256 << 10;
inline constexpr std::size_t kWindowGrainsMax = 4;

// Raw, unverified bytes of block files. Thread-safe; concurrent misses of one window read it once.
class WindowCache {
 public:
  // Holds at most `bytes_max` of windows, and never less than one.
  WindowCache(BlockStore& store, std::size_t bytes_max);

  // Copies bytes [offset, offset + into.size()) of the block. kNotFound if the block is missing, kIntegrity
  // (block file and offset) if it ends before, kIo if it cannot be read: no failure is remembered.
  Result<void> read(const BlockId& block, std::uint64_t offset, MutableByteSpan into);
  // Forgets the window at this offset, so that the next read asks the disk again.
  void drop(const BlockId& block, std::uint64_t offset);

 private:
  struct Key {
    BlockId block;
    std::uint64_t grain;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return DigestHash()(key.block) ^ key.grain * 0x9E3779B97F4A7C15ULL;
    }
  };
  struct Window {
    BlockId block;
    std::uint64_t first_grain = 0;
    std::size_t grains = 0;
    AlignedBuffer buffer;
    std::size_t length = 0;  // bytes read; fewer than grains * kWindowGrain at the end of the file
    bool loading = true;     // guarded by mutex_, like error
    std::optional<Error> error;
    bool cached = false;                                 // in recent_ and windows_
    std::list<std::shared_ptr<Window>>::iterator place;  // in recent_
  };

  // These five: with mutex_ held, except window_of and load.
  Result<std::shared_ptr<const Window>> window_of(const BlockId& block, std::uint64_t grain);
  Result<void> load(Window& window);
  std::shared_ptr<Window> begin_load(const BlockId& block, std::uint64_t grain);
  void erase(const std::shared_ptr<Window>& window);
  void evict();

  BlockStore& store_;
  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::condition_variable loaded_;
  std::size_t bytes_ = 0;
  std::list<std::shared_ptr<Window>> recent_;  // most recently used first
  std::unordered_map<Key, std::shared_ptr<Window>, KeyHash> windows_;
};

}  // namespace asl
