// Reading many extents in the order they lie on disk, with several reads in flight: restore, copy, repair.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>

#include "block/block_store.h"
#include "block/codec.h"

namespace asl {

struct BatchReaderOptions {
  bool verify = true;               // check every extent against its digest
  std::size_t reads_in_flight = 8;  // each holds a buffer of kExtentLengthMax
};

// One per thread. Reads are direct and bypass every cache.
class BatchReader {
 public:
  // Called once for each extent, in the given order, with its raw bytes (valid during the call) or the error
  // it gave (as BlockReader's). An error returned stops the batch.
  using Sink = std::function<Result<void>(std::size_t index, Result<ByteSpan> raw)>;

  // `store` must outlive the reader.
  static Result<std::unique_ptr<BatchReader>> create(BlockStore& store,
                                                     const BatchReaderOptions& options = {});
  ~BatchReader();

  // Extents that lie close together in one block, one after the other in `extents`, are read at once; so sort
  // by block and offset. The only errors are the sink's and the queue's: what is wrong with an extent goes to
  // the sink.
  Result<void> run(std::span<const ExtentLocation> extents, const Sink& sink);
  // For a sink: the extent it was given, as it lies in its block.
  ByteSpan stored() const { return stored_; }

 private:
  struct Slot;
  BatchReader(BlockStore& store, const BatchReaderOptions& options);
  void plan(std::span<const ExtentLocation> extents, std::size_t first, Slot& slot);
  Result<void> deliver(std::span<const ExtentLocation> extents, Slot& slot, const Sink& sink);
  Result<ByteSpan> extract(const ExtentLocation& extent, Slot& slot);

  BlockStore& store_;
  const BatchReaderOptions options_;
  std::vector<Slot> slots_;
  AlignedBuffer decoded_;
  ByteSpan stored_;
  Decompressor decompressor_;
  std::unique_ptr<io::Queue> queue_;
};

}  // namespace asl
