#include "index/index.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "index/index_cache.h"

namespace asl {
namespace {

constexpr std::size_t kScanBatch = 256;  // extents read at a time when looking through whole segments

EntryKind kind_of(const Reference& ref) {
  return ref.is_typed() ? EntryKind::kTyped : EntryKind::kUntyped;
}

// A segment that is open, with its filter, which is opened when first asked for. Shared by successive Index
// objects.
class OpenSegment {
 public:
  OpenSegment(const SegmentStore& store, const LiveSegment& live, const std::shared_ptr<PageCache>& pages,
              bool distrusted)
      : store_(store) {
    segment_.live = live;
    if (distrusted) {
      segment_.error =
          Error{.code = ErrorCode::kIntegrity, .message = "an index segment is damaged", .path = path()};
      return;
    }
    auto reader = SegmentReader::open(store.io(), store.segment_path(live.number), live.number, pages);
    if (reader) {
      segment_.reader = std::move(*reader);
      return;
    }
    Error error = std::move(reader).error();
    if (error.code == ErrorCode::kNotFound) {
      missing_ = true;
      // The log says that it is live. "Not found" would mean that the store never held what is asked for.
      error.code = ErrorCode::kIntegrity;
      error.message = "an index segment is missing";
    }
    segment_.error = std::move(error);
  }

  const Index::Segment& segment() const { return segment_; }
  const LiveSegment& live() const { return segment_.live; }
  std::string path() const { return store_.segment_path(segment_.live.number); }
  bool missing() const { return missing_; }

  // nullopt: not there. A digest that the filter excludes costs no read of the segment.
  Result<std::optional<RecordHandle>> find(const Reference& ref) {
    if (segment_.error) return fail(*segment_.error);
    const BloomFilter* filter = bloom();
    if (filter != nullptr && !filter->may_contain(ref.digest)) return std::nullopt;
    return segment_.reader->find(ref);
  }

  // Null if there is none that fits.
  const BloomFilter* bloom() {
    if (!bloom_tried_.load(std::memory_order_acquire)) {
      const std::lock_guard lock(mutex_);
      if (!bloom_tried_.load(std::memory_order_relaxed)) load_bloom();
    }
    return bloom_now_.load(std::memory_order_acquire);
  }

  // True if one had to be written.
  Result<bool> ensure_bloom() {
    if (!segment_.reader || bloom() != nullptr) return false;
    const std::lock_guard lock(mutex_);
    ASL_TRY(write_bloom(store_, segment_.reader, segment_.live.hash));
    if (bloom_ == nullptr) load_bloom();
    return true;
  }

 private:
  void load_bloom() {
    bloom_ = BloomFilter::open(store_.io(), store_.bloom_path(segment_.live.number), segment_.live.hash,
                               segment_.reader->record_count());
    bloom_now_.store(bloom_.get(), std::memory_order_release);
    bloom_tried_.store(true, std::memory_order_release);
  }

  SegmentStore store_;
  Index::Segment segment_;
  bool missing_ = false;
  std::mutex mutex_;
  std::unique_ptr<const BloomFilter> bloom_;
  std::atomic<const BloomFilter*> bloom_now_{nullptr};
  std::atomic<bool> bloom_tried_{false};
};

}  // namespace

struct Index::Impl {
  std::vector<std::shared_ptr<OpenSegment>> open;  // newest seal first
  std::vector<Segment> segments;                   // the same
  std::vector<bool> covered;                       // by the cache when this Index was made
  std::unordered_map<SegmentNumber, std::size_t> by_number;
  IndexCache* cache = nullptr;

  bool use_cache() const { return cache != nullptr && cache->usable(); }

  // The position of the first segment at or after `from`, among those `wanted`, that holds `ref`. A segment
  // that cannot be read is passed over, but its error is returned if no other holds it.
  struct Hit {
    std::size_t position;
    RecordHandle handle;
  };
  template <typename Wanted>
  Result<std::optional<Hit>> search(const Reference& ref, std::size_t from, Wanted&& wanted) const {
    std::optional<Error> trouble;
    for (std::size_t i = from; i < open.size(); ++i) {
      if (!wanted(i)) continue;
      auto found = open[i]->find(ref);
      if (!found) {
        if (!trouble) trouble = std::move(found).error();
      } else if (*found) {
        return Hit{i, **found};
      }
    }
    if (trouble) return fail(std::move(*trouble));
    return std::nullopt;
  }

  const OpenSegment* find_open(SegmentNumber number) const {
    const auto at = by_number.find(number);
    if (at == by_number.end() || !segments[at->second].reader) return nullptr;
    return open[at->second].get();
  }

  // What an entry says, made complete; nullopt if it names a segment that is not live here, or a block
  // unknown.
  std::optional<ExtentLocation> location_of(const CacheEntry& entry, const Digest& digest) const {
    const auto block = cache->block(entry.block_number);
    if (!block) return std::nullopt;
    return ExtentLocation{.block = *block,
                          .offset_bytes = entry.block_offset,
                          .stored_length_bytes = entry.stored_length,
                          .raw_length_bytes = static_cast<std::uint32_t>(entry.raw_length),
                          .codec = entry.codec,
                          .digest = digest};
  }
};

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::~Index() = default;

std::shared_ptr<const Index> Index::open(const SegmentStore& store, std::span<const LiveSegment> live,
                                         const std::shared_ptr<const Index>& older, IndexCache* cache,
                                         const std::shared_ptr<PageCache>& pages,
                                         const std::set<SegmentNumber>& distrusted) {
  auto impl = std::make_unique<Impl>();
  impl->cache = cache;
  std::vector<LiveSegment> order(live.begin(), live.end());
  // The number decides between segments of one commit.
  std::ranges::sort(order, std::greater(), [](const LiveSegment& segment) {
    return std::pair(segment.seal_logseq, segment.number);
  });
  for (const LiveSegment& segment : order) {
    const auto known =
        older ? older->impl_->by_number.find(segment.number) : decltype(impl->by_number.find(0)){};
    const bool bad = distrusted.contains(segment.number);
    const bool shared = !bad && older && known != older->impl_->by_number.end() &&
                        older->impl_->segments[known->second].live == segment &&
                        older->impl_->segments[known->second].reader;
    impl->by_number.emplace(segment.number, impl->open.size());
    impl->open.push_back(shared ? older->impl_->open[known->second]
                                : std::make_shared<OpenSegment>(store, segment, pages, bad));
    impl->segments.push_back(impl->open.back()->segment());
    impl->covered.push_back(cache != nullptr && cache->covers(segment));
  }
  return std::shared_ptr<const Index>(new Index(std::move(impl)));
}

ArtifactHandle Index::handle_at(std::size_t position, const RecordHandle& record) const {
  ArtifactHandle handle;
  handle.reader_ = impl_->segments[position].reader;
  handle.handle_ = record;
  return handle;
}

std::optional<ArtifactHandle> Index::handle_from_cache(const CacheEntry& entry, const Reference& ref) const {
  const OpenSegment* segment = impl_->find_open(entry.segment);
  if (segment == nullptr) return std::nullopt;
  ArtifactHandle handle;
  handle.reader_ = segment->segment().reader;
  if (entry.record_number) {
    auto record = handle.reader_->record(*entry.record_number);
    if (!record || record->record.ref != ref) return std::nullopt;
    handle.handle_ = *record;
    return handle;
  }
  handle.handle_.record.ref = ref;
  handle.handle_.record.length = entry.raw_length;
  if (ref.is_typed()) handle.handle_.record.type_tag = entry.type_tag;
  handle.handle_.extent_count = 1;
  ArtifactExtent extent{.artifact_offset = 0,
                        .raw_length = entry.raw_length,
                        .hole = entry.block_number == kHoleBlock,
                        .location = {}};
  if (!extent.hole) {
    const auto location = impl_->location_of(entry, ref.is_typed() ? entry.extent_digest : ref.digest);
    if (!location) return std::nullopt;
    extent.location = *location;
  }
  handle.single_ = extent;
  return handle;
}

Result<std::optional<ArtifactHandle>> Index::find(const Reference& ref) const {
  const auto everywhere = [](std::size_t) { return true; };
  if (impl_->use_cache()) {
    // What was sealed after the cache's watermark is newer than anything the cache knows.
    auto newer = impl_->search(ref, 0, [this](std::size_t i) { return !impl_->covered[i]; });
    if (newer && *newer) return handle_at((*newer)->position, (*newer)->handle);
    if (const auto entries = impl_->cache->lookup(ref.digest)) {
      const auto& entry = (*entries)[static_cast<std::size_t>(kind_of(ref))];
      // No entry is an answer. An entry that cannot be followed is none: another segment may hold an older
      // copy.
      if (!entry && newer) return std::nullopt;
      if (!entry) return fail(std::move(newer).error());
      if (auto handle = handle_from_cache(*entry, ref)) return handle;
    }
  }
  ASL_ASSIGN(const auto hit, impl_->search(ref, 0, everywhere));
  if (!hit) return std::nullopt;
  return handle_at(hit->position, hit->handle);
}

Result<std::optional<ArtifactHandle>> Index::next_copy(const ArtifactHandle& handle) const {
  const auto at = impl_->by_number.find(handle.segment());
  const std::size_t from = at == impl_->by_number.end() ? 0 : at->second + 1;
  ASL_ASSIGN(const auto hit, impl_->search(handle.reference(), from, [](std::size_t) { return true; }));
  if (!hit) return std::nullopt;
  return handle_at(hit->position, hit->handle);
}

// An untyped artifact of one extent is that extent.
Result<std::optional<FoundExtent>> Index::find_extent_as_artifact(const Digest& digest) const {
  const Reference ref = untyped_reference(digest);
  const bool cached = impl_->use_cache();
  const auto wanted = [&](std::size_t i) { return !cached || !impl_->covered[i]; };
  for (std::size_t from = 0;;) {
    ASL_ASSIGN(const auto hit, impl_->search(ref, from, wanted));
    if (!hit) return std::nullopt;
    if (hit->handle.extent_count == 1) {
      ASL_ASSIGN(const auto extent, impl_->segments[hit->position].reader->extent(hit->handle, 0));
      if (!extent.hole) return FoundExtent{impl_->segments[hit->position].live.number, extent.location};
    }
    from = hit->position + 1;
  }
}

std::optional<FoundExtent> Index::find_extent_in_cache(const Digest& digest) const {
  if (!impl_->use_cache()) return std::nullopt;
  const auto entries = impl_->cache->lookup(digest);
  if (!entries) return std::nullopt;
  for (const EntryKind kind : {EntryKind::kExtent, EntryKind::kUntyped}) {
    const auto& entry = (*entries)[static_cast<std::size_t>(kind)];
    if (!entry || entry->record_number || entry->block_number == kHoleBlock) continue;
    // A damaged segment will do: what the bytes there must hash to is known, and they are checked when they
    // are read.
    if (!impl_->by_number.contains(entry->segment)) continue;
    if (const auto location = impl_->location_of(*entry, digest))
      return FoundExtent{entry->segment, *location};
  }
  return std::nullopt;
}

Result<std::optional<FoundExtent>> Index::scan_for_extent(const Digest& digest) const {
  std::optional<Error> trouble;
  for (const Segment& segment : impl_->segments) {
    if (!segment.reader) {
      if (!trouble) trouble = segment.error;
      continue;
    }
    auto found = scan_segment(segment, digest);
    if (found && *found) return found;
    if (!found && !trouble) trouble = std::move(found).error();
  }
  if (trouble) return fail(std::move(*trouble));
  return std::nullopt;
}

Result<std::optional<FoundExtent>> Index::scan_segment(const Segment& segment, const Digest& digest) {
  SegmentCursor cursor(segment.reader);
  std::array<ExtentRecord, kScanBatch> batch;
  RecordHandle handle;
  while (true) {
    ASL_ASSIGN(const bool more, cursor.next(handle));
    if (!more) return std::nullopt;
    while (true) {
      ASL_ASSIGN(const std::size_t got, cursor.next_extents(batch));
      if (got == 0) break;
      for (const ExtentRecord& extent : std::span(batch).first(got)) {
        if (extent.is_hole() || extent.digest != digest) continue;
        ASL_ASSIGN(const BlockId block, segment.reader->block_id(extent.block_index));
        return FoundExtent{segment.live.number, locate(extent, block).location};
      }
    }
  }
}

Result<std::optional<FoundExtent>> Index::find_extent(const Digest& digest, ExtentSearch search) const {
  if (auto found = find_extent_in_cache(digest)) return found;
  ASL_ASSIGN(auto found, find_extent_as_artifact(digest));
  if (found || search == ExtentSearch::kIndexed) return found;
  return scan_for_extent(digest);
}

Result<std::vector<Reference>> Index::resolve_prefix(const ReferencePrefix& prefix, std::size_t limit) const {
  std::vector<Reference> all;
  for (const Segment& segment : impl_->segments) {
    if (!segment.reader) return fail(*segment.error);
    std::vector<Reference> found;
    ASL_TRY(segment.reader->find_prefix(prefix, limit, found));
    all.insert(all.end(), found.begin(), found.end());
  }
  std::ranges::sort(all);
  const auto repeats = std::ranges::unique(all);
  all.erase(repeats.begin(), repeats.end());
  if (all.size() > limit) all.resize(limit);
  return all;
}

std::span<const Index::Segment> Index::segments() const {
  return impl_->segments;
}

std::shared_ptr<const SegmentReader> Index::segment(SegmentNumber number) const {
  const OpenSegment* open_segment = impl_->find_open(number);
  return open_segment == nullptr ? nullptr : open_segment->segment().reader;
}

std::vector<Error> Index::broken() const {
  std::vector<Error> errors;
  for (const Segment& segment : impl_->segments)
    if (segment.error) errors.push_back(*segment.error);
  return errors;
}

bool Index::lacks_files() const {
  return std::ranges::any_of(impl_->open, [](const auto& segment) { return segment->missing(); });
}

std::optional<SegmentNumber> Index::segment_of(const Error& error) const {
  const auto named =
      std::ranges::find_if(impl_->open, [&](const auto& segment) { return segment->path() == error.path; });
  if (error.path.empty() || named == impl_->open.end()) return std::nullopt;
  return (*named)->live().number;
}

Result<std::size_t> Index::write_missing_blooms() const {
  std::size_t written = 0;
  for (const auto& open_segment : impl_->open) {
    auto fresh = open_segment->ensure_bloom();
    if (!fresh && fresh.error().code == ErrorCode::kIntegrity) continue;
    ASL_TRY(fresh);
    written += *fresh ? 1 : 0;
  }
  return written;
}

Result<ArtifactExtent> ArtifactHandle::extent(std::uint32_t k) const {
  if (single_ && k == 0) return *single_;
  return reader_->extent(handle_, k);
}

Result<std::uint32_t> ArtifactHandle::find_extent_at(std::uint64_t offset) const {
  if (single_ && offset < length()) return 0;
  return reader_->find_extent_at(handle_, offset);
}

Result<ArtifactRecord> ArtifactHandle::record() const {
  if (!single_) return handle_.record;
  ASL_ASSIGN(const auto found, reader_->find(reference()));
  if (!found) {
    Error error =
        integrity_error("a record that the index cache names is not in its segment", reader_->path(), 0);
    error.object = to_text(reference());
    error.hint = "asl index rebuild";
    return fail(std::move(error));
  }
  return found->record;
}

}  // namespace asl
