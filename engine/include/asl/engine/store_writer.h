// Writing to a domain: one session at a time, several lanes (threads) in it, commits that make groups of
// artifacts visible whole or not at all (doc/commit.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/domain.h>
#include <asl/engine/log_record.h>
#include <asl/engine/progress.h>

namespace asl {

enum class CompressionMode : std::uint8_t { kOff, kZstd, kAuto };
struct Compression {
  CompressionMode mode = CompressionMode::kOff;
  int level = 3;  // zstd's own scale
};

struct WriterOptions {
  std::uint64_t block_capacity = kBlockCapacityDefault;
  Compression compression;
  // A commit falls due at whichever comes first; rows of the cache count as artifacts do.
  std::uint64_t commit_bytes = 1ULL << 30;
  std::uint64_t commit_artifacts = 100'000;
  std::chrono::seconds commit_interval{120};
  // Writes in flight per lane, each of up to 1 MiB.
  std::size_t queue_depth = 8;
  // Counts what would be written and writes nothing.
  bool dry_run = false;
  // How long to wait for another writer before kLocked.
  std::uint32_t lock_wait_ms = 2000;
  // Gives back the space that is kept for this, so that forgetting and gc have room on a full disk. It is
  // taken again when the session ends.
  bool release_reserve = false;
  ProgressCounters* progress = nullptr;
};

struct WriterTotals {
  std::uint64_t bytes_new = 0;     // raw bytes of extents that the store did not have
  std::uint64_t bytes_stored = 0;  // the same as they lie in blocks
  std::uint64_t artifacts_new = 0;
  std::uint64_t extents_new = 0;
  std::uint64_t extents_healed = 0;  // written again because the stored copy is known to be damaged
  std::uint64_t commits = 0;
};

struct WrittenArtifact {
  Reference reference;
  std::uint64_t length = 0;
  std::uint64_t hole_bytes = 0;
  std::uint64_t bytes_new = 0;
};

class StoreWriter;
class ArtifactStream;

// What one thread writes through: its own I/O queue and its own open blocks, so that threads share no block.
// Used by one thread at a time; owned by the caller, destroyed before the StoreWriter.
class Lane {
 public:
  // A whole untyped artifact that is in memory. Equal bytes are stored once. Visible after the next commit.
  // `pinned` keeps it from gc (what `asl put` does): a record is written even for a known artifact, unless it
  // is pinned already. kRefused if a tombstone forbids what is to be pinned; nothing is put then.
  Result<WrittenArtifact> put(ByteSpan bytes, bool pinned = false);
  // The same for many at once: short ones are hashed together, which is faster. `written` has as many
  // elements and gets each one's result, kRefused included; every other error is returned and ends the call.
  Result<void> put_many(std::span<const ByteSpan> artifacts, std::span<Result<WrittenArtifact>> written,
                        bool pinned = false);

  ~Lane();

  struct Impl;

 private:
  friend class StoreWriter;
  friend class ArtifactStream;
  explicit Lane(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// An untyped artifact of any length, given in order. The bytes lie in a ring that is addressed by artifact
// offset, so that reads (also asynchronous ones) can go straight to their place.
// At most one per lane at a time; used by the lane's thread. Destroying it unfinished drops the artifact
// (extents already packed stay in the batch as artifacts of their own).
class ArtifactStream {
 public:
  static constexpr std::size_t kRingBytes = 32 << 20;

  static Result<std::unique_ptr<ArtifactStream>> open(Lane& lane);
  ~ArtifactStream();

  // Where byte `offset` goes; contiguous up to limit(). Page-aligned for page-aligned offsets.
  std::byte* space(std::uint64_t offset) const;
  // Bytes at offsets below this may be written to space() now. Grows as filled_to() consumes.
  std::uint64_t limit() const;
  // Waits until limit() reaches `offset`, which is at most kRingBytes - kCutWindowMax beyond position():
  // space is held back while a second thread hashes it.
  void wait_for_space(std::uint64_t offset) const;
  // All bytes below `offset` are in place. Cuts, hashes and packs what it can. kUsage if beyond limit().
  Result<void> filled_to(std::uint64_t offset);
  // The next `length` bytes are zeros; they need not be in place. Same result as if they had been given.
  Result<void> zeros(std::uint64_t length);
  std::uint64_t position() const;  // end of what was given so far

  Result<WrittenArtifact> finish(bool pinned = false);

  struct Impl;

 private:
  explicit ArtifactStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class StoreWriter {
 public:
  // Takes the domain's write lock, replays the log to its end, sweeps what a dead writer left, opens the
  // index cache (rebuilding it if needed). kLocked, kUnsupported (unknown log records or layout), kIntegrity
  // (a corrupt log), kRefused on a read-only store. `domain` must outlive it and is refreshed by every
  // commit.
  static Result<std::unique_ptr<StoreWriter>> open(Domain& domain, const WriterOptions& options);
  // Drops what was not committed.
  ~StoreWriter();

  // Thread-safe.
  Result<std::unique_ptr<Lane>> make_lane();

  // Typed artifacts (trees, snapshots, ...) and the odd untyped one (a long xattr value), through one lane of
  // the session's own, so that a snapshot's trees lie together. Thread-safe, one caller at a time inside.
  Result<Reference> put_typed(std::uint32_t type_tag, ByteSpan bytes, bool pinned = false);
  Result<Reference> put_untyped(ByteSpan bytes);

  // Whether the store, or this session, has the artifact, with every extent where its record says and none of
  // them known to be damaged. Reads no content. Thread-safe.
  Result<bool> holds(const Reference& ref) const;

  // Makes everything that was put since the last commit, and `records`, durable and visible as one group.
  // Waits for lanes in the middle of a call. An empty batch without records does nothing. After a failed
  // commit the session is over: every later call fails, and what the batch held is gone. Thread-safe. Lanes
  // also commit by themselves when the options' thresholds are passed.
  Result<void> commit(std::span<const NewRecord> records = {});

  // Joins small index segments where they have become many. To be called when the work is done; costs nothing
  // otherwise. Errors as commit(); what was committed stays committed.
  Result<void> merge_segments();

  // Rows of the cache that become valid with the current batch (the stat cache). Thread-safe. They are lost,
  // not wrong, if the process dies.
  void put_cache_row(ByteSpan key, ByteSpan value);
  void remove_cache_row(ByteSpan key);
  // Committed rows whose key starts with `prefix`, from key `from` on (which starts with it too), in key
  // order; `each` returns false to stop. Thread-safe.
  Result<void> for_each_cache_row(ByteSpan prefix, ByteSpan from,
                                  const std::function<bool(ByteSpan key, ByteSpan value)>& each) const;
  // Moves whenever something may have gone from the store; rows remember it.
  std::uint64_t cache_epoch() const;
  // Damage is known that is not healed yet: no row is to be believed without still_holds().
  bool knows_damage() const;
  // Whether the committed store has the artifact and every extent of it, in blocks that are there in full
  // length and not known to be damaged. Reads no data. Thread-safe.
  Result<bool> still_holds(const Reference& ref);

  const Domain& domain() const;
  WriterTotals totals() const;
  // What a torn log tail or a dead writer made necessary at open, in words; empty normally.
  const std::vector<std::string>& notices() const;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  friend class ArtifactStream;
  explicit StoreWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace asl
