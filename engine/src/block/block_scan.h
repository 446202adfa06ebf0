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

// Reads the open block file `path` once, from start to end, with direct I/O and read-ahead, and checks it
// against `meta`. A range that cannot be read costs only the extents in it. kIntegrity if the file's length
// is not the metadata's; kInterrupted.
Result<void> scan_block(io::Io& io, const io::File& file, const std::string& path, const BlockMeta& meta,
                        const BlockScanSink& sink, StopToken stop = {});

// True if every extent and all padding are as `meta` says; errors other than kIntegrity and kIo are passed
// on.
Result<bool> block_verifies(io::Io& io, const io::File& file, const std::string& path, const BlockMeta& meta);

}  // namespace asl
