// Bloom files: whether a segment can hold a digest at all (doc/format-bloom.md). Derived from their segment;
// a missing, stale or damaged one costs speed, never an answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <asl/engine/error.h>
#include <asl/engine/io.h>

#include "index/segment_reader.h"
#include "index/segment_store.h"

namespace asl {

// A filter up to this size is kept in memory; a larger one is probed in its file (64 bytes a look-up), so
// that memory does not grow with the number of artifacts.
inline constexpr std::uint64_t kBloomResidentBytesMax = 2 << 20;

// Thread-safe, immutable.
class BloomFilter {
 public:
  // Null if the file is missing, damaged or made for another segment than the one with this hash. Reads the
  // whole file once, to check it.
  static std::unique_ptr<const BloomFilter> open(io::Io& io, const std::string& path,
                                                 const Digest& segment_hash, std::uint64_t record_count,
                                                 std::uint64_t resident_bytes_max = kBloomResidentBytesMax);
  // False: no record of the segment has this digest. True where the file cannot be read any more.
  bool may_contain(const Digest& digest) const;
  bool resident() const { return !blocks_.empty(); }

 private:
  BloomFilter() = default;
  io::Io* io_ = nullptr;
  io::File file_;
  std::uint32_t block_count_ = 0;
  Bytes blocks_;  // empty if probed in the file
};

// Writes the bloom file of a segment through store/tmp, unsynced, replacing what is there.
Result<void> write_bloom(const SegmentStore& store, const std::shared_ptr<const SegmentReader>& segment,
                         const Digest& segment_hash);

}  // namespace asl
