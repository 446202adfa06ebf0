// The index of a domain: every live segment, seen as one. Answers from the RocksDB cache where there is one,
// else from bloom files and segments; the answers are the same.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/error.h>
#include <asl/engine/io.h>
#include <asl/engine/reference.h>

#include "index/artifact_record.h"
#include "index/bloom.h"
#include "index/page_cache.h"
#include "index/segment_reader.h"
#include "index/segment_store.h"

namespace asl {

class IndexCache;   // index_cache.h
struct CacheEntry;  // cache_entry.h

// A segment the log says is live.
struct LiveSegment {
  SegmentNumber number = 0;
  Digest hash{};                  // of the whole file, from its SEGMENT_SEAL
  std::uint64_t seal_logseq = 0;  // of that record: later seals are newer
  bool operator==(const LiveSegment&) const = default;
};

// A copy of an artifact that was found: cheap to copy, keeps its segment open, valid for good.
class ArtifactHandle {
 public:
  const Reference& reference() const { return handle_.record.ref; }
  std::uint64_t length() const { return handle_.record.length; }
  std::optional<std::uint32_t> type_tag() const { return handle_.record.type_tag; }
  std::uint32_t extent_count() const { return handle_.extent_count; }
  SegmentNumber segment() const { return reader_->number(); }
  // Its position in the segment. Only of handles from an Index without a cache: one that the cache answered
  // for may not know it.
  std::uint64_t record_number() const { return handle_.number; }

  // `k` below extent_count().
  Result<ArtifactExtent> extent(std::uint32_t k) const;
  // The extent that holds byte `offset`, which is below length().
  Result<std::uint32_t> find_extent_at(std::uint64_t offset) const;
  // The whole record: flags and visibility too.
  Result<ArtifactRecord> record() const;

 private:
  friend class Index;
  friend class IndexCache;
  ArtifactHandle() = default;
  std::shared_ptr<const SegmentReader> reader_;
  RecordHandle handle_;
  std::optional<ArtifactExtent> single_;  // from the cache: no page of the segment was read
};

// A data extent, whichever artifact it belongs to.
struct FoundExtent {
  SegmentNumber segment = 0;
  ExtentLocation location;
};

// How hard to look for an extent by its digest. Segments are sorted by artifact: what the cache does not
// cover is found only by reading every extent record.
enum class ExtentSearch : std::uint8_t { kIndexed, kScan };

// An immutable state of the index; thread-safe. A newer state shares the open segments of an older one.
class Index {
 public:
  // Opens `live` (in any order). `older` may be null; the segments it has in common are shared with it.
  // `cache` may be null; it must outlive the Index. A segment that is missing or whose header is damaged does
  // not fail the open: it is listed in broken() and a look-up that could have needed it returns its error
  // instead of "not there". The segments in `distrusted` are treated as such ones: they are known to be
  // damaged.
  static std::shared_ptr<const Index> open(const SegmentStore& store, std::span<const LiveSegment> live,
                                           const std::shared_ptr<const Index>& older, IndexCache* cache,
                                           const std::shared_ptr<PageCache>& pages,
                                           const std::set<SegmentNumber>& distrusted = {});

  // The copy sealed last. Nothing: no live segment holds it.
  Result<std::optional<ArtifactHandle>> find(const Reference& ref) const;
  // The copy sealed before that of `handle`, for when one fails its check.
  Result<std::optional<ArtifactHandle>> next_copy(const ArtifactHandle& handle) const;
  // A data extent with this digest, in any live segment.
  Result<std::optional<FoundExtent>> find_extent(const Digest& digest, ExtentSearch search) const;
  // The references that begin with `prefix`, sorted, at most `limit`.
  Result<std::vector<Reference>> resolve_prefix(const ReferencePrefix& prefix, std::size_t limit) const;

  struct Segment {
    LiveSegment live;
    std::shared_ptr<const SegmentReader> reader;  // null if broken
    std::optional<Error> error;
  };
  // Newest seal first.
  std::span<const Segment> segments() const;
  std::shared_ptr<const SegmentReader> segment(SegmentNumber number) const;  // null if not live or broken
  std::vector<Error> broken() const;
  // Some live segment's file was not there when this state was opened.
  bool lacks_files() const;
  // The live segment whose file an error names, if it names one.
  std::optional<SegmentNumber> segment_of(const Error& error) const;

  // Writes the bloom files that are missing, stale or damaged; for the writer. Returns how many. Segments
  // that cannot be read get none, which is no error here.
  Result<std::size_t> write_missing_blooms() const;

  ~Index();

 private:
  struct Impl;
  explicit Index(std::unique_ptr<Impl> impl);
  ArtifactHandle handle_at(std::size_t position, const RecordHandle& record) const;
  std::optional<ArtifactHandle> handle_from_cache(const CacheEntry& entry, const Reference& ref) const;
  std::optional<FoundExtent> find_extent_in_cache(const Digest& digest) const;
  Result<std::optional<FoundExtent>> find_extent_as_artifact(const Digest& digest) const;
  Result<std::optional<FoundExtent>> scan_for_extent(const Digest& digest) const;
  static Result<std::optional<FoundExtent>> scan_segment(const Segment& segment, const Digest& digest);

  std::unique_ptr<Impl> impl_;
};

}  // namespace asl
