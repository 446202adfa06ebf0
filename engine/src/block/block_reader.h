// Reading single extents out of blocks, checked.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

#include "block/block_store.h"
#include "block/codec.h"
#include "block/extent_check.h"
#include "block/window_cache.h"

namespace asl {

struct BlockReaderOptions {
  std::size_t cache_bytes = 64 << 20;  // half of it for windows of small extents, half for whole large ones
  VerifyReads verify = VerifyReads::kAlways;
};

// The raw bytes of one extent.
class ExtentBytes {
 public:
  ExtentBytes(AlignedBuffer buffer, std::size_t length) : buffer_(std::move(buffer)), length_(length) {}
  ByteSpan bytes() const { return {buffer_.data(), length_}; }

 private:
  AlignedBuffer buffer_;
  std::size_t length_;
};

// Thread-safe. Small extents come out of windows, large ones are read singly with direct I/O.
//
// Errors of both reads: kNotFound if the block is missing; kIntegrity, naming block file and offset, if the
// extent fails its digest, cannot be decoded or breaks a rule; kIo if the disk cannot read it. The object of
// the error is the block's id. No failure is remembered: the next read asks the disk again.
class BlockReader {
 public:
  // `store` must outlive the reader.
  explicit BlockReader(BlockStore& store, const BlockReaderOptions& options = {});
  ~BlockReader();

  // Fills `into`, which holds exactly the extent's raw length. Page-aligned memory saves a copy.
  Result<void> read(const ExtentLocation& extent, MutableByteSpan into);
  // The whole extent, kept for a while: for those who read it a piece at a time. Concurrent misses of one
  // large extent read it once.
  Result<std::shared_ptr<const ExtentBytes>> read_shared(const ExtentLocation& extent);
  // Has large, uncompressed extents of these ready for read_shared(), as far as a quarter of the cache goes:
  // read and checked together. Says nothing of what fails.
  void read_ahead(std::span<const ExtentLocation> extents);

 private:
  struct Entry {
    ExtentLocation extent;
    std::shared_ptr<const ExtentBytes> bytes;  // null while it is being read
  };
  using Entries = std::list<Entry>;
  struct Key {
    BlockId block;
    std::uint32_t offset_bytes;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return DigestHash()(key.block) ^ (key.offset_bytes * 0x9E3779B97F4A7C15ULL);
    }
  };
  class Scratch;
  struct Ahead;
  class QueueLoan;

  Result<void> read_small(const ExtentLocation& extent, MutableByteSpan into);
  Result<void> read_large(const ExtentLocation& extent, MutableByteSpan into);
  Result<void> read_stored(const ExtentLocation& extent, MutableByteSpan aligned);
  Result<std::shared_ptr<const ExtentBytes>> read_owned(const ExtentLocation& extent);
  // Checks the digest as the options say.
  Result<void> check(const ExtentLocation& extent, ByteSpan raw);
  void trim();
  std::vector<Ahead> claim(std::span<const ExtentLocation> extents);
  Result<void> read_claimed(std::vector<Ahead>& claimed);
  void publish(std::vector<Ahead>& claimed);

  BlockStore& store_;
  const BlockReaderOptions options_;
  WindowCache windows_;
  VerifiedExtents verified_;

  std::mutex scratch_mutex_;
  std::vector<std::unique_ptr<Scratch>> scratch_;   // idle working memory; as many as ever read at once
  std::vector<std::unique_ptr<io::Queue>> queues_;  // idle too, as many as ever read ahead at once

  std::mutex extents_mutex_;
  std::condition_variable extent_read_;
  std::size_t extents_bytes_ = 0;
  Entries extents_;  // most recently used first
  std::unordered_map<Key, Entries::iterator, KeyHash> extent_of_;
};

}  // namespace asl
