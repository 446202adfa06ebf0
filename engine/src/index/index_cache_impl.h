// The inside of IndexCache, shared by its source files.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <mutex>
#include <rocksdb/write_batch.h>
#include <string>
#include <string_view>
#include <vector>

#include "index/block_table.h"
#include "index/cache_database.h"
#include "index/index_cache.h"

namespace asl {

// The cache's own keys. None has 32 bytes (a digest) or kRowKeySizeMin and more (rows of others).
inline constexpr std::string_view kKeyVersion = "v";
inline constexpr std::string_view kKeyWatermark = "w";
// Written before the first entry of what lies beyond the watermark: until the watermark follows, the cache
// may hold entries of segments up to here.
inline constexpr std::string_view kKeyIntent = "i";
inline constexpr std::string_view kKeyEpoch = "e";
inline constexpr char kPrefixBlock = 'b';    // then a block number, u32 big-endian -> block id
inline constexpr char kPrefixSkipped = 'x';  // then a segment number, u64 big-endian: could not be read whole
inline constexpr std::size_t kBlockKeySize = 1 + sizeof(std::uint32_t);
inline constexpr std::size_t kSkippedKeySize = 1 + sizeof(std::uint64_t);

inline rocksdb::Slice slice_of(std::string_view text) {
  // RocksDB compares without looking at the size first: no bytes need an address too.
  return {text.data() == nullptr ? "" : text.data(), text.size()};
}
inline rocksdb::Slice slice_of(ByteSpan bytes) {
  return slice_of(as_text(bytes));
}

template <typename T>
std::string numbered_key(char prefix, T number) {
  std::array<std::byte, 1 + sizeof(T)> key;
  key[0] = static_cast<std::byte>(prefix);
  store_be(key.data() + 1, number);
  return std::string(as_text(key));
}

std::string encode_watermark(const Watermark& mark);
std::optional<Watermark> decode_watermark(std::string_view text);
// At most how many digests the segments hold.
std::uint64_t keys_of(std::span<const Index::Segment> segments);

struct RowBatch::Impl {
  rocksdb::WriteBatch batch;
};

struct IndexCache::Impl {
  std::string directory;
  CacheDatabase database;
  BlockTable blocks;
  std::uint32_t blocks_written = 0;  // block rows exist for the numbers below
  mutable std::mutex mutex;          // guards what follows
  Watermark watermark;
  std::vector<SegmentNumber> skipped;
  std::uint64_t epoch = 0;
  StopToken stop;  // while it is opened
  // Set when an addition failed: another would leave a gap under its watermark.
  bool stalled = false;

  Origin origin = Origin::kFound;
  std::string rebuild_reason;

  rocksdb::DB& db() const { return *database.db; }

  Error error_of(const rocksdb::Status& status, std::string message) const {
    return database_error(status, std::move(message), directory);
  }
  Result<void> check(const rocksdb::Status& status, const char* message) const {
    if (status.ok()) return {};
    return fail(error_of(status, message));
  }
  Result<std::optional<std::string>> get(std::string_view key) const {
    std::string value;
    const auto status = db().Get(rocksdb::ReadOptions(), slice_of(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return fail(error_of(status, "cannot read the index cache"));
    return value;
  }
  // Empties the batch.
  Result<void> write(rocksdb::WriteBatch& batch) const;
  Result<void> write_if_full(rocksdb::WriteBatch& batch) const;

  // In key order; `each` returns false to stop.
  Result<void> for_each_key(std::string_view prefix, std::string_view from,
                            const std::function<bool(std::string_view, std::string_view)>& each) const;

  // nullopt: usable as it is. Otherwise why it must be made anew.
  Result<std::optional<std::string>> load(const CacheTarget& target);
  Result<bool> load_blocks();
  Result<void> load_skipped();
  Result<void> catch_up(const CacheTarget& target, ProgressCounters* progress);
  Result<void> add(std::span<const Index::Segment> sealed, const Watermark& head, rocksdb::WriteBatch& rows,
                   ProgressCounters* progress);
  Result<void> add_segment(const SegmentReader& reader, rocksdb::WriteBatch& batch,
                           ProgressCounters* progress);
  Result<void> add_record(SegmentCursor& cursor, const RecordHandle& handle,
                          std::span<const std::uint32_t> numbers, rocksdb::WriteBatch& batch) const;
  void add_block_rows(rocksdb::WriteBatch& batch);
  Result<bool> sweep_key(const Index& index, std::string_view key, std::string_view value,
                         rocksdb::WriteBatch& batch);
  Result<std::optional<CacheEntry>> entry_of_copy(const Index& index, const Reference& ref,
                                                  rocksdb::WriteBatch& batch);
};

}  // namespace asl
