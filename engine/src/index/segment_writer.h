// Writes segments: sorted, page-summed, hashed in one pass (doc/format-segment.md).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/domain_id.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>

#include "index/artifact_record.h"
#include "index/block_table.h"
#include "index/extent_list.h"

namespace asl {

struct SegmentProperties {
  DomainId domain_id{};
  std::uint64_t snapshot_min = 0;  // the anchors it serves, 0 if none
  std::uint64_t snapshot_max = 0;
  std::uint8_t visibility = kVisibilityByLog;
};

struct WrittenSegment {
  Digest hash{};  // SHA-256 of the whole file: what the log's SEGMENT_SEAL names
  std::uint64_t file_size = 0;
  std::uint64_t record_count = 0;
  std::uint64_t extent_count = 0;
  std::uint32_t block_count = 0;
};

// A rewindable stream of records in (hash_id, digest) order without repeats, each followed by its extents.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  virtual Result<void> rewind() = 0;
  // The next record and how many extents it has; false after the last.
  virtual Result<bool> next(ArtifactRecord& record, std::uint64_t& extent_count) = 0;
  // More extents of the current record, in order; 0 when there are no more. A caller may leave them unread.
  virtual Result<std::size_t> next_extents(std::span<ExtentRecord> out) = 0;
};

// Writes a new file at `path` from `source`, whose block numbers are those of `blocks` (all resolved), and
// syncs its data. Passes over the source several times; memory does not grow with records or extents, except
// for page sums (2 bytes a KiB) and block ids. A source that breaks the rules of the format (order, an extent
// that does not follow the one before, an unresolved block) is a programming error reported as kUsage;
// nothing is left behind.
Result<WrittenSegment> write_segment(io::Io& io, const std::string& path, const SegmentProperties& properties,
                                     RecordSource& source, const BlockTable& blocks);

// Collects the records of one commit, in any order, in memory: about 160 bytes for an artifact of one extent.
// Longer lists may stay where they are (an ExtentList that spilled). Not thread-safe.
class SegmentBuilder {
 public:
  // `blocks` must outlive the builder.
  explicit SegmentBuilder(const BlockTable& blocks) : blocks_(&blocks) {}

  // The extents must cover the record's length, in order, without gaps. A reference that was added before
  // keeps its later extents and the flags of both.
  void add(const ArtifactRecord& record, std::span<const ExtentRecord> extents);
  void add(const ArtifactRecord& record, std::unique_ptr<ExtentSource> extents);

  std::size_t record_count() const { return entries_.size(); }  // repeats included
  std::size_t memory_bytes() const;

  // As write_segment. The builder is then empty.
  Result<WrittenSegment> write(io::Io& io, const std::string& path, const SegmentProperties& properties);

 private:
  friend class BuilderSource;
  struct Entry {
    ArtifactRecord record;
    std::uint64_t first_extent = 0;  // in extents_, or in sources_ if from_source
    std::uint64_t extent_count = 0;
    bool from_source = false;
  };
  std::vector<std::uint32_t> sort_and_join();

  const BlockTable* blocks_;
  std::vector<Entry> entries_;
  std::vector<ExtentRecord> extents_;
  std::vector<std::unique_ptr<ExtentSource>> sources_;
};

}  // namespace asl
