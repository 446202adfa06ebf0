// The parts of a verification, in the order in which they are done.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <asl/engine/tree_walk.h>
#include <asl/engine/verify.h>

#include "format/block_meta.h"
#include "index/index.h"
#include "maintain/damage_map.h"
#include "maintain/read_pacer.h"
#include "maintain/scrub_history.h"
#include "maintain/scrub_plan.h"
#include "store/domain_impl.h"

namespace asl {

// Trees remembered as seen, so that what snapshots share is walked once: 40 bytes each. Beyond this many,
// shared trees are walked again, which costs time and nothing else.
inline constexpr std::size_t kTreesRememberedMax = 4'000'000;

class Verifier {
 public:
  Verifier(const Domain& domain, const VerifyOptions& options, ProgressCounters& progress,
           const StopToken& stop);

  Result<void> check_log();
  Result<void> check_segments();
  Result<void> check_snapshots();
  Result<void> check_blocks();
  Result<void> check_artifacts();
  // Follows damaged extents to artifacts, files and snapshots.
  Result<void> trace_damage();

  // Only these blocks are read by check_blocks, whatever the options say; for repair.
  void read_only(std::unordered_set<BlockId, DigestHash> blocks) { only_ = std::move(blocks); }
  const DamageMap& damage() const { return damage_; }
  // After trace_damage: digests of damaged extents without which something cannot be read.
  const std::unordered_set<Digest, DigestHash>& still_needed() const { return still_needed_; }
  VerifyReport take_report() { return std::move(report_); }

 private:
  using ReferenceSet = std::unordered_set<Reference, ReferenceHash>;

  void add(FindingKind kind, Error error);
  void name_place(std::uint64_t snapshot, const std::string& path);
  Result<void> check_segment(const Index::Segment& segment);
  Result<void> check_record_places(SegmentCursor& cursor, const RecordHandle& handle);
  const BlockMeta* meta_of(const BlockId& id);
  void check_place(const RecordHandle& handle, const ExtentRecord& extent, const BlockId& block);
  Result<void> check_snapshot(std::uint64_t id);
  Result<WalkStep> check_entry(std::uint64_t snapshot, const std::string& path, const Entry& entry);
  void check_content(std::uint64_t snapshot, const std::string& path, const Reference& ref);
  void want_blocks(const Reference& ref);
  bool check_block_file(const BlockId& id);
  Result<void> read_blocks(const std::vector<BlockId>& ids);
  std::vector<ScrubCandidate> candidates(const std::vector<BlockId>& ids, const ScrubHistory& history);
  Result<void> read_block(const ScrubCandidate& block, ScrubHistory& history);
  Result<bool> scan_block_data(const BlockId& id, const BlockMeta& meta);
  void extent_damaged(const BlockId& id, const StoredExtent& extent, const Error& error);
  Result<void> hash_artifact(const SegmentReader& segment, const RecordHandle& handle);
  std::int64_t time_now() const;

  const Domain& domain_;
  Domain::Impl& impl_;
  const VerifyOptions options_;
  ProgressCounters& progress_;
  const StopToken stop_;
  std::shared_ptr<const View> view_;
  VerifyReport report_;
  std::map<BlockId, std::uint64_t> blocks_;  // named by segments -> end of the last extent named
  std::unordered_set<BlockId, DigestHash> wanted_blocks_;  // with options.snapshot_id: those it reaches
  std::unordered_map<BlockId, std::unique_ptr<BlockMeta>, DigestHash>
      metas_;                                          // a bounded cache; null: unreadable
  std::unordered_set<BlockId, DigestHash> bad_metas_;  // reported once
  ReferenceSet trees_seen_;
  DamageMap damage_;
  std::unordered_set<Digest, DigestHash> still_needed_;
  std::optional<std::unordered_set<BlockId, DigestHash>> only_;
  ReadPacer pacer_;
  AlignedBuffer hash_buffer_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace asl
