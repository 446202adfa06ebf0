// The inside of a StoreWriter: what its lanes, its streams and its commits share.
#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <asl/engine/hash.h>
#include <asl/engine/stop.h>
#include <asl/engine/store_writer.h>

#include "base/ring_buffer.h"
#include "block/block_store.h"
#include "block/block_writer.h"
#include "block/codec.h"
#include "block/cutter.h"
#include "index/block_table.h"
#include "index/extent_list.h"
#include "index/index.h"
#include "index/index_cache.h"
#include "index/merge.h"
#include "index/segment_store.h"
#include "index/segment_writer.h"
#include "log/log_writer.h"
#include "store/block_presence.h"
#include "store/damage_list.h"
#include "store/domain_layout.h"
#include "store/gate.h"
#include "store/session_index.h"
#include "store/stream_hasher.h"
#include "store/view.h"

namespace asl {

// One of a lane's open blocks and its number in the session's block table.
struct OpenBlock {
  std::unique_ptr<BlockWriter> writer;  // null: none open
  std::uint32_t number = 0;
};

struct SealedInSession {
  SealedBlock block;
  std::uint32_t number = 0;
};

// Live segments to be written anew.
struct SegmentRewrite {
  // Each group becomes one segment, or none if nothing of it is kept.
  std::vector<std::vector<Index::Segment>> groups;
  // survivor_verifies and unpinned_at are filled in.
  MergeRules rules;
  // Blocks that the new segments name, sealed in store/tmp.
  std::vector<SealedBlock> blocks;
};

struct SegmentRewriteReport {
  std::vector<SegmentSealRecord> sealed;
  std::vector<SegmentNumber> retired;
  std::uint64_t artifacts_dropped = 0;
  std::vector<SegmentNumber> sealed_numbers() const {
    std::vector<SegmentNumber> numbers;
    for (const SegmentSealRecord& seal : sealed) numbers.push_back(seal.segment_id);
    return numbers;
  }
};

// Where an extent ended up.
struct PlacedExtent {
  ExtentRecord extent;
  bool is_new = false;  // packed now, not known before
};

struct StoreWriter::Impl {
  Impl(Domain& target, const WriterOptions& writer_options);

  Domain& domain;
  const WriterOptions options;
  io::Io& io;
  const DomainLayout layout;
  BlockStore& blocks;
  SegmentStore segments;
  std::unique_ptr<io::Lock> lock;
  std::unique_ptr<IndexCache> cache;
  std::optional<LogWriter> log;
  std::optional<DamageList> damage;
  BlockPresence presence;
  BlockTable block_table;
  ExtentListBudget extent_budget;
  SessionIndex session;
  std::vector<std::string> notices;
  std::uint64_t next_segment = 1;
  // Set before opening: the index cache is dropped and made anew, and not being able to is an error.
  bool rebuild_cache = false;
  StopToken stop;  // of such a rebuild

  // Lanes pass in, a commit closes.
  Gate gate;
  std::mutex lanes_mutex;
  std::set<Lane::Impl*> lanes;
  std::unique_ptr<Lane> own_lane;  // of put_typed and put_untyped
  std::mutex own_lane_mutex;

  // The batch: what the next commit makes visible.
  std::mutex batch_mutex;
  SegmentBuilder records;
  std::vector<SealedInSession> sealed;
  std::vector<Digest> healed;
  RowBatch rows;
  RowBatch committed_rows;  // of the last commit, on their way to the cache
  std::atomic<std::uint64_t> batch_bytes{0};
  std::atomic<std::uint64_t> batch_artifacts{0};
  std::atomic<std::uint64_t> batch_rows{0};
  std::chrono::steady_clock::time_point batch_start = std::chrono::steady_clock::now();

  std::atomic<bool> ended{false};  // after a failed commit
  mutable std::mutex failure_mutex;
  std::optional<Error> failure;       // what ended it: the answer to every later call
  std::future<Result<void>> derived;  // the cache catching up with the last commit

  std::atomic<std::uint64_t> bytes_new{0}, bytes_stored{0}, artifacts_new{0}, extents_new{0},
      extents_healed{0}, commits{0};

  // What cannot be looked up, since the segment that may hold it is missing or damaged, counts as unknown: it
  // is stored anew. The segment is noted in store/damaged and passed over from then on. Other errors stay.
  template <typename T>
  Result<std::optional<T>> or_unknown(Result<std::optional<T>> found) {
    if (found) return found;
    ASL_ASSIGN(const bool damaged, pass_over_damaged(found.error()));
    if (damaged) return std::nullopt;
    return found;
  }
  // True if the error was one of a live segment.
  Result<bool> pass_over_damaged(const Error& error);
  // A copy of the extent in the merged index whose block is there and not known to be damaged.
  Result<std::optional<ExtentRecord>> find_committed(const Digest& digest);
  // Whether the artifact has a record, in the merged index or in this session.
  Result<bool> is_recorded(const Reference& ref);
  // Its block is there in full length, and it is not known to be damaged.
  bool is_there(const ExtentLocation& extent);
  // Whether it has one and its bytes are where the record says, as far as can be seen without reading them.
  // Artifacts of more than `extents_max` extents are not looked at: false.
  Result<bool> is_intact(const Reference& ref, std::uint32_t extents_max);
  // kRefused if a tombstone is in force.
  Result<void> check_allowed(const Reference& ref) const;
  // Adds the artifact's record to the batch unless it is known and nothing of it was stored anew.
  Result<void> record(const ArtifactRecord& artifact, std::span<const ExtentRecord> extents,
                      bool stored_anew);
  Result<void> record(const ArtifactRecord& artifact, std::unique_ptr<ExtentList> extents, bool stored_anew);
  ArtifactRecord keeping_pin(const ArtifactRecord& artifact, bool stored_anew);
  Result<bool> claim_record(const ArtifactRecord& artifact, bool stored_anew);

  // For repair. The extent is stored in a new block, whatever the index says of it.
  Result<ExtentRecord> store_again(const ExtentLocation& damaged, ByteSpan raw, bool as_tree);
  // A new record of the artifact, with extents elsewhere: block and offset -> where it lies now. False if its
  // newest record has none of them.
  using MovedExtents = std::map<std::pair<BlockId, std::uint32_t>, ExtentRecord>;
  Result<bool> record_again(const Reference& ref, const MovedExtents& moved);

  bool commit_due() const;
  Result<void> commit_if_due();
  Result<void> commit(std::span<const NewRecord> log_records);
  // The failure that ended the session, if one did.
  Result<void> check_alive() const;
  // Ends it for good. The first failure counts.
  void end_with(const Error& error);
  // Joins small segments while there are too many of a size; each join is a commit of its own.
  Result<void> merge_segments_if_due();
  // Replaces segments in one commit of its own. The gate is closed and nothing is in the batch. Nothing is
  // retired if the segments cannot be joined.
  Result<SegmentRewriteReport> rewrite_segments(SegmentRewrite rewrite);

 private:
  Result<SegmentRewriteReport> write_replacements(const SegmentRewrite& rewrite);
  Result<void> commit_replacements(const SegmentRewriteReport& report);
  Result<void> seal_lanes();
  Result<void> commit_batch(std::span<const NewRecord> log_records);
  Result<void> write_batch(std::span<const NewRecord> log_records);
  Result<void> install_blocks();
  void start_derived(std::vector<SegmentNumber> sealed_now);
  Result<void> update_cache(const std::vector<SegmentNumber>& sealed_now);
};

struct Lane::Impl {
  Impl(StoreWriter::Impl& owner, std::unique_ptr<WriteLane> write_lane);
  ~Impl();

  StoreWriter::Impl& session;
  std::unique_ptr<WriteLane> writes;
  OpenBlock small;  // extents below kSmallExtentMax
  OpenBlock large;
  OpenBlock trees;  // used by the session's own lane
  std::optional<Compressor> compressor;
  ArtifactStream::Impl* stream = nullptr;  // under way on this lane
  std::optional<RingBuffer> ring;          // lent to streams, one after the other

  // Stores the extent unless it is known. The caller holds a Pass.
  Result<PlacedExtent> place(ByteSpan raw, const Digest& digest, bool as_tree);
  // An artifact too short to be cut, whose identity is known.
  Result<WrittenArtifact> put_single(ByteSpan bytes, const Reference& ref,
                                     std::optional<std::uint32_t> type_tag, bool pinned);
  // A whole artifact in memory: cut, hashed, placed, recorded.
  Result<WrittenArtifact> put_whole(ByteSpan bytes, std::optional<std::uint32_t> type_tag, bool pinned);

  // Seals the open blocks into the batch. Called with the gate closed.
  Result<void> seal_all();

 private:
  Result<WrittenArtifact> put_uncut(ByteSpan bytes, std::optional<std::uint32_t> type_tag, bool pinned);
  Result<ExtentRecord> pack(ByteSpan raw, const Digest& digest, bool as_tree);
  Result<void> seal(OpenBlock& open);
  Result<void> start(OpenBlock& open);
};

struct ArtifactStream::Impl {
  // Extents finished since the last commit, which records them as artifacts of their own: what was read of a
  // long artifact is found again after an interruption. Called with the gate closed.
  Result<void> record_finished_extents();

  Lane::Impl* lane = nullptr;
  RingBuffer* ring = nullptr;  // the lane's
  Cutter cutter;
  std::unique_ptr<StreamHasher> whole;
  std::optional<Digest> whole_digest;  // once it is known
  std::uint64_t given = 0;             // end of what was given
  std::unique_ptr<ExtentList> extents;
  std::vector<ExtentRecord> unrecorded;
  std::uint64_t hole_bytes = 0;
  std::uint64_t bytes_new = 0;
  bool stored_anew = false;
  std::optional<ExtentRecord> open_hole;  // hole cuts that may go on
  // Data cuts, one after the other, that wait to be hashed together and placed; their bytes are in the ring.
  std::vector<std::uint64_t> cut_lengths;
  std::uint64_t cuts_start = 0;  // of the first of them

  // Everything below is placed, or a hole: the ring may be written over up to there.
  std::uint64_t placed_to() const { return cut_lengths.empty() ? cutter.position() : cuts_start; }

  Result<void> consume(bool at_end);
  Result<void> place_cuts(bool at_end);
  Result<void> close_hole();
};

}  // namespace asl
