// The merged index of a domain in RocksDB: digest -> where it lies. A cache (doc/index-cache.md): it never
// leads the log, and whatever is wrong with it, it is dropped and made again from the segments.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <asl/engine/error.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>

#include "index/cache_entry.h"
#include "index/index.h"

namespace asl {

// A place in the log: the cache reflects everything up to and including this record.
struct Watermark {
  std::uint64_t logseq = 0;  // 0: nothing
  Digest record_hash{};
  bool operator==(const Watermark&) const = default;
};

// Keys of rows are longer than this: shorter ones are the cache's own.
inline constexpr std::size_t kRowKeySizeMin = 34;

// Rows to be written together. Not thread-safe.
class RowBatch {
 public:
  RowBatch();
  ~RowBatch();
  RowBatch(RowBatch&&) noexcept;
  RowBatch& operator=(RowBatch&&) noexcept;
  // `key` has kRowKeySizeMin bytes or more; its first byte says whose row it is ('s': the stat cache).
  void put(std::string_view key, std::string_view value);
  void remove(std::string_view key);
  std::size_t size_bytes() const;

 private:
  friend class IndexCache;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What the log says when a cache is opened.
struct CacheTarget {
  std::span<const Index::Segment> segments;  // all live ones, in any order
  Watermark head;                            // the newest record replayed
  // Whether the log holds exactly this record.
  std::function<bool(const Watermark&)> log_has;
  StopToken stop{};  // asked while it is filled: kInterrupted, and the next opening goes on
};

// Open in one process at a time, by the domain's writer. Look-ups are thread-safe, also beside one thread
// that writes. Nothing here is truth: an error means that the cache is of no use for now, never that the
// store is damaged.
class IndexCache {
 public:
  enum class Origin : std::uint8_t { kFound, kCaughtUp, kRebuilt };

  // Opens the cache in `directory` (store/cache/index; its parent must exist), adds what was sealed since, or
  // makes it again if it is missing, damaged, of another version, or reflects a record that the log does not
  // hold. kLocked if it is open elsewhere. `progress` may be null.
  static Result<std::unique_ptr<IndexCache>> open(const std::string& directory, const CacheTarget& target,
                                                  ProgressCounters* progress);
  // Removes whatever is there. The next open makes it again.
  static Result<void> drop(const std::string& directory);
  ~IndexCache();

  Origin origin() const;
  const std::string& rebuild_reason() const;  // for people; empty unless rebuilt

  // After a commit, its log group synced: adds the segments it sealed, moves the watermark, writes `rows`,
  // and starts to flush. The flush is waited for by the next apply(), or by flush().
  Result<void> apply(std::span<const Index::Segment> sealed, const Watermark& head, RowBatch rows);
  Result<void> write_rows(RowBatch rows);
  // Everything written is durable on return.
  Result<void> flush();

  Watermark watermark() const;
  // Whether every record of this segment was added. What is not covered is looked up in the segment.
  bool covers(const LiveSegment& segment) const;

  // The state of what may have gone from the store behind the back of the stat cache's rows. Moves by one,
  // durably.
  std::uint64_t epoch() const;
  Result<void> bump_epoch();

  Result<std::optional<std::string>> get_row(std::string_view key) const;
  // From key `from` on (which starts with `prefix`), in key order; `each` returns false to stop.
  Result<void> for_each_row(
      std::string_view prefix, std::string_view from,
      const std::function<bool(std::string_view key, std::string_view value)>& each) const;

  // For Index. An error marks the cache as damaged: it is not asked again, and the next open makes it anew.
  Result<CacheEntries> lookup(const Digest& digest) const;
  std::optional<BlockId> block(std::uint32_t number) const;
  bool usable() const { return !damaged_.load(std::memory_order_relaxed); }

  // Whether most of the cache may be entries of segments that are no longer live.
  bool wants_sweep(std::span<const Index::Segment> segments) const;
  // Takes out such entries, putting another copy from `index` (which must not use this cache) in their place.
  // For gc. Returns how many keys changed.
  Result<std::uint64_t> sweep(const Index& index);

  struct Statistics {
    std::uint64_t keys = 0;  // an estimate
    std::uint64_t disk_bytes = 0;
    std::uint64_t memory_bytes = 0;  // filters, index blocks and cached data
  };
  Statistics statistics() const;

 private:
  struct Impl;
  explicit IndexCache(std::unique_ptr<Impl> impl);
  // Null, with the reason, if what is there is of no use.
  static Result<std::unique_ptr<IndexCache>> try_open(const std::string& directory, const CacheTarget& target,
                                                      ProgressCounters* progress, std::string& drop_reason);
  static Result<std::unique_ptr<IndexCache>> rebuild(const std::string& directory, const CacheTarget& target,
                                                     ProgressCounters* progress, std::string reason);
  void mark_damaged() const;

  std::unique_ptr<Impl> impl_;
  mutable std::atomic<bool> damaged_{false};
};

}  // namespace asl
