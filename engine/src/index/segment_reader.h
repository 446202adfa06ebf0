// Reads segments: every page is checked before its bytes are used (doc/format-segment.md).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/error.h>
#include <asl/engine/io.h>
#include <asl/engine/reference.h>

#include "index/artifact_record.h"
#include "index/page_cache.h"
#include "index/segment_format.h"
#include "index/segment_store.h"

namespace asl {

// A record that was found, and where its extents are in the segment it came from.
struct RecordHandle {
  std::uint64_t number = 0;  // position in the segment
  ArtifactRecord record;
  std::uint64_t extent_first = 0;
  std::uint32_t extent_count = 0;
};

// One open segment; immutable and thread-safe. Whatever breaks the format, and every page that fails its sum,
// is an integrity error with the file and the offset. Holds one open file, and pages in the cache it was
// given.
class SegmentReader : public std::enable_shared_from_this<SegmentReader> {
 public:
  // Checks header and footer and that they agree with the file's size; not the hash of the whole file.
  // kUnsupported for a version this program does not know. `io` must outlive the reader.
  static Result<std::shared_ptr<const SegmentReader>> open(io::Io& io, std::string path, SegmentNumber number,
                                                           std::shared_ptr<PageCache> cache);

  SegmentNumber number() const { return number_; }
  const std::string& path() const { return path_; }
  const SegmentHeader& header() const { return header_; }
  std::uint64_t record_count() const { return header_.record_count; }
  std::uint64_t extent_count() const { return header_.extent_count; }
  std::uint32_t block_count() const { return header_.block_count; }
  std::uint64_t file_size() const { return file_size_; }

  Result<std::optional<RecordHandle>> find(const Reference& ref) const;
  // Adds the references that begin with `prefix`, in order, until `out` holds `limit`.
  Result<void> find_prefix(const ReferencePrefix& prefix, std::size_t limit,
                           std::vector<Reference>& out) const;

  // The programming error of a number out of range is kUsage.
  Result<RecordHandle> record(std::uint64_t number) const;
  Result<BlockId> block_id(std::uint32_t index) const;

  // Extent `k` of an artifact, its place within the artifact checked too.
  Result<ExtentRecord> extent_record(const RecordHandle& handle, std::uint32_t k) const;
  Result<ArtifactExtent> extent(const RecordHandle& handle, std::uint32_t k) const;
  // Which extent holds byte `offset` (below the artifact's length).
  Result<std::uint32_t> find_extent_at(const RecordHandle& handle, std::uint64_t offset) const;

  // Reads the whole file: its hash against the footer's and, where given, against `expected` (the log's),
  // then every rule of the format.
  Result<void> verify_whole(const Digest* expected) const;

 private:
  friend class SegmentCursor;
  friend class SectionReader;
  friend class DigestProbe;
  SegmentReader() = default;
  Result<void> load();
  Result<bool> is_whole();
  Result<PageCache::PagePtr> page(std::uint64_t number) const;
  Result<std::uint64_t> page_sum(std::uint64_t number) const;
  Result<void> check_page(std::uint64_t number, ByteSpan content) const;
  Result<void> read_at(std::uint64_t offset, MutableByteSpan into) const;
  Result<RecordHandle> load_record(std::uint64_t number, const Digest& digest) const;
  Result<std::uint64_t> typed_count() const;
  struct Range {
    std::uint64_t first;
    std::uint64_t last;  // one past
  };
  Result<Range> range_of(std::uint16_t hash_id) const;
  Result<std::uint64_t> lower_bound(const Range& range, const Digest& digest) const;
  struct Hashes {
    Digest body;  // without the footer
    Digest whole;
  };
  Result<Hashes> hash_whole() const;
  Result<void> verify_sections() const;
  std::uint64_t record_offset(std::uint64_t number) const {
    return header_.records_offset + number * sizeof(SegmentRecord);
  }
  std::uint64_t extent_offset(std::uint64_t number) const {
    return header_.extents_offset + number * sizeof(SegmentExtent);
  }
  // The error of a rule broken by the structure at `base`.
  std::unexpected<Error> broken(const FormatBreach& breach, std::uint64_t base) const;

  io::Io* io_ = nullptr;
  io::File file_;
  std::string path_;
  SegmentNumber number_ = 0;
  SegmentHeader header_{};
  SegmentFooter footer_{};
  std::uint64_t file_size_ = 0;
  std::shared_ptr<PageCache> cache_;
  std::uint64_t cache_key_ = 0;
  // Records are sorted by hash id first: how many have the id of typed artifacts. Found at the first look-up.
  static constexpr std::uint64_t kNotCounted = ~std::uint64_t{0};
  mutable std::atomic<std::uint64_t> typed_count_{kNotCounted};
};

// Walks a whole segment in order with large reads that stay out of the page cache, checking every page and
// every record. Not thread-safe; keeps its reader alive.
class SegmentCursor {
 public:
  explicit SegmentCursor(std::shared_ptr<const SegmentReader> reader);
  ~SegmentCursor();
  SegmentCursor(SegmentCursor&&) noexcept;
  SegmentCursor& operator=(SegmentCursor&&) noexcept;

  const SegmentReader& reader() const { return *reader_; }
  void rewind();
  // The next record; false after the last.
  Result<bool> next(RecordHandle& out);
  // More extents of that record, in order, checked against each other; 0 when there are no more.
  Result<std::size_t> next_extents(std::span<ExtentRecord> out);
  // The blocks of the segment, by block_index: 32 bytes each, read once and kept.
  Result<std::span<const BlockId>> blocks();

 private:
  struct Impl;
  std::shared_ptr<const SegmentReader> reader_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace asl
