// Moves what is live out of blocks that are mostly dead.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/error.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>

#include "block/batch_reader.h"
#include "block/block_store.h"
#include "block/block_writer.h"
#include "maintain/gc_blocks.h"
#include "maintain/gc_marks.h"
#include "store/view.h"

namespace asl {

// Extents moved in one commit: bounds the memory (about 100 bytes each). The rest waits for the next round.
inline constexpr std::size_t kGcExtentsPerRound = 1'000'000;

// One round: collect, then run, then relocate as often as asked. Stored bytes are moved as they are, checked
// on the way. Used by one thread.
class GcRepacker {
 public:
  GcRepacker(BlockStore& blocks, ProgressCounters& progress) : blocks_(blocks), progress_(progress) {}
  ~GcRepacker();

  // Notes the live extents of `wanted` blocks.
  Result<void> collect(const View& view, const GcMarks& marks, const BlockSet& wanted, const StopToken& stop);
  // Reads them in disk order and fills new blocks, which are sealed and lie in store/tmp. A block with an
  // extent that cannot be read stays where it is; the errors are in damage().
  Result<void> run(const StopToken& stop);

  // Where an extent lies from now on. What was not moved stays as it is.
  Result<void> relocate(ExtentLocation& location) const;
  // The caller's from here on.
  std::vector<SealedBlock> take_blocks() { return std::move(sealed_); }
  const std::vector<Error>& damage() const { return damage_; }
  std::uint64_t bytes_moved() const { return bytes_moved_; }

 private:
  enum class Stream : std::uint8_t { kTrees, kSmall, kLarge };
  static constexpr std::size_t kStreams = 3;

  struct Moved {
    ExtentLocation from;
    std::uint32_t source = 0;  // number of its block, in the order of the segments
    Stream stream = Stream::kLarge;
    std::uint32_t target = 0;  // position in sealed_ids_
    std::uint32_t target_offset = 0;
  };
  struct Open {
    std::unique_ptr<BlockWriter> writer;
    std::uint32_t target = 0;
  };

  Result<void> collect_segment(const Index::Segment& segment, const GcMarks& marks, const BlockSet& wanted,
                               const StopToken& stop);
  void sort_and_join();
  Result<void> take(Moved& extent, ByteSpan stored);
  Result<void> seal(Open& open);

  BlockStore& blocks_;
  ProgressCounters& progress_;
  std::vector<Moved> extents_;  // by source block and offset
  std::unordered_map<BlockId, std::uint32_t, DigestHash> sources_;
  BlockSet left_alone_;
  std::unique_ptr<WriteLane> lane_;
  std::array<Open, kStreams> open_;
  std::vector<SealedBlock> sealed_;
  std::vector<BlockId> sealed_ids_;  // by target; complete after run()
  std::vector<Error> damage_;
  std::uint64_t bytes_moved_ = 0;
};

}  // namespace asl
