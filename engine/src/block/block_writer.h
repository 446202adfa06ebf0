// Filling blocks: extents in, a sealed file and its metadata out.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>

#include "block/block_store.h"
#include "io/transfer.h"

namespace asl {

class BlockWriter;

// Large enough that a virtual disk reaches full speed with a few in flight.
inline constexpr std::size_t kWriteBufferBytes = 1 << 20;
// One being filled for each of the three packing streams, and eight in flight.
inline constexpr std::size_t kLaneBuffersDefault = 11;

// The write queue and the buffers that the open blocks of one thread share. For one thread at a time.
class WriteLane {
 public:
  // `io` must outlive the lane, the lane its writers.
  static Result<std::unique_ptr<WriteLane>> create(io::Io& io,
                                                   std::size_t buffer_count = kLaneBuffersDefault);
  ~WriteLane();

 private:
  friend class BlockWriter;
  struct Slot {
    AlignedBuffer buffer;
    BlockWriter* owner = nullptr;
    std::uint64_t offset = 0;  // of the buffer in the block
    std::size_t length = 0;    // bytes filled
  };
  WriteLane() = default;

  // A free buffer, waiting for a write to finish if there is none. kUsage if every buffer is being filled.
  Result<std::size_t> take(BlockWriter& owner, std::uint64_t offset);
  Result<void> write(std::size_t slot);
  // Waits for one write and tells its owner.
  Result<void> reap();
  void release(std::size_t slot);
  // Keeps what the kernel may still use of an owner that goes away, until the lane does.
  void disown(BlockWriter& owner, std::unique_ptr<TempBlock> file);

  std::vector<Slot> slots_;
  std::vector<std::size_t> free_;
  std::vector<std::unique_ptr<TempBlock>> orphans_;
  // Last, and in this order: destroying them waits for the writes from the buffers above.
  std::unique_ptr<io::Queue> queue_;
  std::optional<io::Transfers> transfers_;
};

struct BlockWriterOptions {
  std::uint64_t capacity_bytes = kBlockCapacityDefault;  // at most kBlockLengthMax
  // What must fit at least. On a full disk the preallocation shrinks down to this before kNoSpace is given.
  std::uint64_t needed_bytes = kExtentLengthMax;
};

// One open block, filled by the lane's thread. Destroying it unsealed abandons the block: its file is
// removed.
//
// Once a write or sync has failed, every later call fails with that error: the block cannot be trusted and
// its extents have to be stored again elsewhere.
class BlockWriter {
 public:
  // Makes and preallocates a file in store/tmp. `store` and `lane` must outlive the writer.
  static Result<std::unique_ptr<BlockWriter>> create(BlockStore& store, WriteLane& lane,
                                                     const BlockWriterOptions& options);
  BlockWriter(const BlockWriter&) = delete;
  BlockWriter& operator=(const BlockWriter&) = delete;
  ~BlockWriter();

  // Whether an extent of this stored length has room. If not: seal, and open another.
  bool fits(std::size_t stored_length_bytes) const;
  // Copies `stored` (1 byte to kExtentLengthMax) and returns its offset in the block. `stored_digest` is its
  // SHA-256, known to the caller. kUsage if it does not fit. Nothing is durable before seal.
  Result<std::uint32_t> append(ByteSpan stored, const Digest& stored_digest);

  std::size_t extent_count() const { return meta_.extents.size(); }
  std::uint64_t end_bytes() const { return end_; }
  std::uint64_t capacity_bytes() const { return capacity_; }

  // Writes what is left, cuts the file to its length and syncs it. The block is then durable in store/tmp,
  // and BlockStore brings it into place. The writer is spent, whatever the outcome. kUsage if nothing was
  // appended.
  Result<SealedBlock> seal();

 private:
  friend class WriteLane;
  BlockWriter(BlockStore& store, WriteLane& lane, TempBlock file);

  Result<void> preallocate(const BlockWriterOptions& options);
  Result<void> fill(ByteSpan bytes);
  Result<void> fill_zeros(std::uint64_t count);
  // The unfilled rest of the current buffer, never empty.
  Result<MutableByteSpan> room();
  Result<void> filled(std::size_t count);
  Result<void> flush();
  Result<void> drain();
  Result<SealedBlock> finish();
  // Passes `outcome` on, and remembers the first failure for good.
  Result<void> remember(Result<void> outcome);
  void write_failed(int sys_errno, std::uint64_t offset);
  Result<void> check() const;

  BlockStore& store_;
  WriteLane& lane_;
  std::unique_ptr<TempBlock> file_;  // at one place: writes in flight refer to it
  BlockMeta meta_;
  std::uint64_t capacity_ = 0;
  std::uint64_t end_ = 0;               // of the last extent
  std::uint64_t filled_ = 0;            // bytes of the file put into buffers so far, padding included
  std::optional<std::size_t> current_;  // the lane's buffer being filled
  std::size_t writes_in_flight_ = 0;
  std::optional<Error> failure_;
  bool sealed_ = false;
};

}  // namespace asl
