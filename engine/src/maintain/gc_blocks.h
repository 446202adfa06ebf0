// How much of each block is needed, and what is to become of it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <unordered_set>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/gc.h>
#include <asl/engine/stop.h>

#include "block/block_store.h"
#include "maintain/gc_marks.h"
#include "store/view.h"

namespace asl {

struct BlockUsage {
  std::uint64_t length_bytes = 0;  // 0: it is not there
  std::uint64_t live_pages = 0;
  std::uint64_t live_extents = 0;  // an extent that several artifacts share counts for each
  bool fixed = false;              // of a program run: it stays as it is
  bool erased = false;             // it holds what a tombstone takes away
  std::vector<bool> pages;         // of 4 KiB, touched by an extent that is needed
  std::uint64_t live_bytes() const { return live_pages * kPageSize; }
};

struct SegmentUsage {
  std::uint64_t records_dead = 0;
  bool rewrite = false;
};

using BlockSet = std::unordered_set<BlockId, DigestHash>;

// Memory: a bit for each 4 KiB of the store, 32 KiB a GiB.
class GcBlocks {
 public:
  GcBlocks(BlockStore& blocks, std::shared_ptr<const View> view, const GcMarks& marks)
      : blocks_(blocks), view_(std::move(view)), marks_(marks) {}

  // Walks every record of every live segment.
  Result<void> count(const StopToken& stop);
  // Which blocks go, which are repacked, and which segments have to be written anew for it. `worn` blocks
  // hold damage that nothing needs: what is live in them moves out too. At most `extents_max` extents are to
  // be moved (or one block's); more_to_repack() says that this left blocks out.
  Result<void> decide(const GcOptions& options, const BlockSet& worn, std::uint64_t extents_max);
  bool more_to_repack() const { return more_to_repack_; }

  const std::map<BlockId, BlockUsage>& blocks() const { return usage_; }
  const BlockSet& removed() const { return removed_; }    // nothing in them is live
  const BlockSet& repacked() const { return repacked_; }  // what is live is to be moved
  std::vector<Index::Segment> segments_to_rewrite() const;
  std::uint64_t records_live() const { return records_live_; }
  std::uint64_t records_dead() const { return records_dead_; }
  std::uint64_t total_bytes() const;

 private:
  Result<void> count_segment(const Index::Segment& segment, const StopToken& stop);
  Result<void> count_extents(SegmentCursor& cursor, const RecordHandle& handle, bool live, bool erased,
                             std::vector<BlockUsage*>& usage_of);
  void choose_small_blocks();
  void limit_repacking(std::uint64_t extents_max);
  Result<bool> names_any(const SegmentReader& segment) const;

  BlockStore& blocks_;
  std::shared_ptr<const View> view_;
  const GcMarks& marks_;
  std::map<BlockId, BlockUsage> usage_;
  std::map<SegmentNumber, SegmentUsage> segments_;
  BlockSet removed_;
  BlockSet repacked_;
  bool more_to_repack_ = false;
  std::uint64_t records_live_ = 0;
  std::uint64_t records_dead_ = 0;
};

}  // namespace asl
