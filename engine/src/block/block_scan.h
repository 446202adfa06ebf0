// Proving a whole block: every stored byte and all padding, at the speed of the disk.
#pragma once

#include <functional>
#include <memory>

#include <asl/engine/block.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>
#include <asl/engine/stop.h>

#include "format/block_meta.h"

namespace asl {

// What a scan tells as it goes; each may be empty. An error returned stops the scan with that error.
struct BlockScanSink {
  // Every extent, by offset: good, or kIntegrity / kIo with file and offset.
  std::function<Result<void>(const StoredExtent& extent, const Result<void>& outcome)> on_extent;
  // Bytes between or after extents that are not zero or cannot be read, at most once for each gap.
  std::function<Result<void>(const Error& error)> on_padding;
  // Bytes done since the last call.
  std::function<void(std::uint64_t bytes)> on_progress;
};

// Reads the open block file `path` once, from start to end, with read-ahead, and checks it against `meta`.
// What is wrong with the block goes to the sink: a range that cannot be read costs only the extents in it, a
// file cut short the extents beyond its end, and one that is too long counts as padding that is not zero.
// Fails only with the sink's error, the queue's, or kInterrupted.
Result<void> scan_block(io::Io& io, const io::File& file, const std::string& path, const BlockMeta& meta,
                        const BlockScanSink& sink, StopToken stop = {});

// True if length, every extent and all padding are as `meta` says. Unreadable is false, not an error.
Result<bool> block_verifies(io::Io& io, const io::File& file, const std::string& path, const BlockMeta& meta);

}  // namespace asl
