// The parts of store_stats.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <asl/engine/store_stats.h>

#include "index/block_table.h"
#include "store/domain_impl.h"
#include "transfer/external_sorter.h"

namespace asl {

// Which snapshots a segment's data came with. Positions count the anchors in the log before a place.
class SealHistory {
 public:
  struct Range {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    bool operator==(const Range&) const = default;
  };

  // Replays the log. A joined segment has the range of what it was joined from. Memory: 16 bytes for every
  // segment there ever was.
  static Result<SealHistory> read(const Domain& domain);

  Range range_of(std::uint64_t segment) const;
  // The snapshot whose anchor closed the position; 0 for the open one after the last.
  std::uint64_t snapshot_at(std::uint32_t position) const {
    return position < anchors_.size() ? anchors_[position] : 0;
  }
  std::uint32_t positions() const { return static_cast<std::uint32_t>(anchors_.size()) + 1; }

 private:
  void take_group(std::span<const LogRecord> records);
  std::map<std::uint64_t, Range> ranges_;  // by segment
  std::vector<std::uint64_t> anchors_;     // snapshot ids in log order
};

// One place of an extent, as it is sorted: by block number and offset, then the oldest range first.
struct ExtentPlace {
  std::uint32_t block = 0;
  std::uint32_t offset_bytes = 0;
  SealHistory::Range range;
  std::uint32_t stored_bytes = 0;
  std::uint32_t raw_bytes = 0;
  bool compressed = false;
};
Result<void> add_place(ExternalSorter& places, const ExtentPlace& place);

// The different ones, in order.
class PlaceReader {
 public:
  explicit PlaceReader(const ExternalSorter& places) : reader_(places.read()) {}
  Result<std::optional<ExtentPlace>> next();

 private:
  ExternalSorter::Reader reader_;
  std::optional<ExtentPlace> last_;
};

// Tries zstd on about `bytes_wanted` of the `uncompressed_bytes` that lie uncompressed in `places`.
Result<CompressionSample> sample_compression(const Domain& domain, const ExternalSorter& places,
                                             const BlockTable& blocks, std::uint64_t uncompressed_bytes,
                                             std::uint64_t bytes_wanted, const StopToken& stop);

// What the files below the domain's directory take.
Result<StoreStats::Disk> disk_usage(io::Io& io, const std::string& domain_directory, const StopToken& stop);

}  // namespace asl
