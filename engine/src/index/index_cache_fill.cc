// What goes into the index cache, and what is taken out again.
#include <array>
#include <utility>

#include "index/index_cache_impl.h"

namespace asl {
namespace {

constexpr std::size_t kBatchBytes = 1 << 20;
constexpr std::size_t kExtentBatch = 256;
constexpr std::uint64_t kRecordsPerStopCheck = 4096;
// A cache with this many times the keys of its segments, and more than a few, is mostly of entries that gc
// killed.
constexpr std::uint64_t kSweepFactor = 4;
constexpr std::uint64_t kSweepKeysMin = 1 << 20;

rocksdb::WriteOptions unlogged() {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  return options;
}

}  // namespace

Result<void> IndexCache::Impl::write(rocksdb::WriteBatch& batch) const {
  ASL_TRY(check(db().Write(unlogged(), &batch), "cannot write to the index cache"));
  batch.Clear();
  return {};
}

Result<void> IndexCache::Impl::write_if_full(rocksdb::WriteBatch& batch) const {
  if (batch.GetDataSize() < kBatchBytes) return {};
  return write(batch);
}

void IndexCache::Impl::add_block_rows(rocksdb::WriteBatch& batch) {
  for (; blocks_written < blocks.size(); ++blocks_written)
    (void)batch.Put(slice_of(numbered_key(kPrefixBlock, blocks_written)),
                    slice_of(*blocks.find(blocks_written)));
}

Result<void> IndexCache::Impl::add_record(SegmentCursor& cursor, const RecordHandle& handle,
                                          std::span<const std::uint32_t> numbers,
                                          rocksdb::WriteBatch& batch) const {
  const ArtifactRecord& record = handle.record;
  std::string value;
  CacheEntry entry;
  entry.segment = cursor.reader().number();
  const auto place = [&](const ExtentRecord& extent) {
    entry.block_number = extent.is_hole() ? kHoleBlock : numbers[extent.block_index];
    entry.block_offset = extent.block_offset;
    entry.stored_length = extent.stored_length;
    entry.raw_length = extent.raw_length;
    entry.codec = extent.codec;
  };
  const auto merge = [&](const Digest& digest) -> Result<void> {
    value.clear();
    append_entry(value, entry);
    return check(batch.Merge(slice_of(digest), slice_of(value)), "cannot fill the index cache");
  };

  std::array<ExtentRecord, kExtentBatch> extents;
  entry.kind = EntryKind::kExtent;
  while (true) {
    ASL_ASSIGN(const std::size_t got, cursor.next_extents(extents));
    if (got == 0) break;
    for (const ExtentRecord& extent : std::span(extents).first(got)) {
      place(extent);
      if (handle.extent_count == 1) {
        entry.extent_digest = extent.digest;
      } else if (!extent.is_hole()) {
        ASL_TRY(merge(extent.digest));
      }
    }
    ASL_TRY(write_if_full(batch));
  }
  entry.kind = record.ref.is_typed() ? EntryKind::kTyped : EntryKind::kUntyped;
  entry.type_tag = record.type_tag.value_or(0);
  if (handle.extent_count != 1) entry.record_number = handle.number;
  ASL_TRY(merge(record.ref.digest));
  return write_if_full(batch);
}

Result<void> IndexCache::Impl::add_segment(const SegmentReader& reader, rocksdb::WriteBatch& batch,
                                           ProgressCounters* progress) {
  SegmentCursor cursor(reader.shared_from_this());
  ASL_ASSIGN(const auto ids, cursor.blocks());
  std::vector<std::uint32_t> numbers;
  numbers.reserve(ids.size());
  for (const BlockId& id : ids) numbers.push_back(blocks.number_of(id));
  add_block_rows(batch);
  RecordHandle handle;
  while (true) {
    ASL_ASSIGN(const bool more, cursor.next(handle));
    if (!more) return {};
    if (handle.number % kRecordsPerStopCheck == 0) ASL_TRY(stop.check());
    ASL_TRY(add_record(cursor, handle, numbers, batch));
    if (progress != nullptr) progress_add(progress->files_done, 1);
  }
}

// Entries go in before the watermark that vouches for them. Without a WAL, memtables reach the disk in the
// order they were filled, so what is found after a crash is a prefix of what was written.
Result<void> IndexCache::Impl::add(std::span<const Index::Segment> sealed, const Watermark& head,
                                   rocksdb::WriteBatch& rows, ProgressCounters* progress) {
  rocksdb::WriteBatch batch;
  (void)batch.Put(slice_of(kKeyIntent), slice_of(encode_watermark(head)));
  std::vector<SegmentNumber> unread;
  for (const Index::Segment& segment : sealed) {
    auto added = segment.reader ? add_segment(*segment.reader, batch, progress)
                                : Result<void>(std::unexpected(*segment.error));
    if (added) continue;
    if (added.error().path == directory || added.error().code == ErrorCode::kInterrupted) return added;
    // A damaged segment is not the cache's trouble: it stays uncovered, and look-ups meet the damage
    // themselves.
    unread.push_back(segment.live.number);
    (void)batch.Put(slice_of(numbered_key(kPrefixSkipped, segment.live.number)), rocksdb::Slice());
  }
  ASL_TRY(write(batch));
  (void)rows.Put(slice_of(kKeyWatermark), slice_of(encode_watermark(head)));
  ASL_TRY(write(rows));
  const std::lock_guard lock(mutex);
  watermark = head;
  skipped.insert(skipped.end(), unread.begin(), unread.end());
  return {};
}

Result<void> IndexCache::Impl::catch_up(const CacheTarget& target, ProgressCounters* progress) {
  std::vector<Index::Segment> missing;
  for (const Index::Segment& segment : target.segments)
    if (segment.live.seal_logseq > watermark.logseq) missing.push_back(segment);
  std::ranges::sort(missing, {}, [](const Index::Segment& segment) {
    return std::pair(segment.live.seal_logseq, segment.live.number);
  });
  if (watermark == target.head && missing.empty()) return {};
  if (progress != nullptr) progress->set_phase(ProgressPhase::kIndexing);
  rocksdb::WriteBatch rows;
  ASL_TRY(add(missing, target.head, rows, progress));
  if (origin == Origin::kFound && !missing.empty()) origin = Origin::kCaughtUp;
  return {};
}

// Where the newest live copy of an artifact lies.
Result<std::optional<CacheEntry>> IndexCache::Impl::entry_of_copy(const Index& index, const Reference& ref,
                                                                  rocksdb::WriteBatch& batch) {
  ASL_ASSIGN(const auto handle, index.find(ref));
  if (!handle) return std::nullopt;
  CacheEntry entry;
  entry.kind = ref.is_typed() ? EntryKind::kTyped : EntryKind::kUntyped;
  entry.segment = handle->segment();
  if (handle->extent_count() != 1) {
    entry.record_number = handle->record_number();
    return entry;
  }
  ASL_ASSIGN(const ArtifactExtent extent, handle->extent(0));
  entry.raw_length = extent.raw_length;
  entry.type_tag = handle->type_tag().value_or(0);
  entry.extent_digest = extent.location.digest;
  if (extent.hole) return entry;
  entry.block_number = blocks.number_of(extent.location.block);
  add_block_rows(batch);
  entry.block_offset = extent.location.offset_bytes;
  entry.stored_length = extent.location.stored_length_bytes;
  entry.codec = extent.location.codec;
  return entry;
}

// True if the key changed.
Result<bool> IndexCache::Impl::sweep_key(const Index& index, std::string_view key, std::string_view value,
                                         rocksdb::WriteBatch& batch) {
  CacheEntries entries;
  if (!add_missing_entries(value, entries))
    return fail(integrity_error("an entry of the index cache is malformed", directory, 0));
  Digest digest;
  std::ranges::copy(as_bytes(key), digest.begin());
  bool changed = false;
  for (auto& entry : entries) {
    if (!entry || index.segment(entry->segment) != nullptr) continue;
    const EntryKind kind = entry->kind;
    entry.reset();
    changed = true;
    // An extent that lives on elsewhere only costs some space to be found new.
    if (kind == EntryKind::kExtent) continue;
    const Reference ref{kind == EntryKind::kTyped ? kHashIdAsl1 : kHashIdSha256, digest};
    ASL_ASSIGN(entry, entry_of_copy(index, ref, batch));
  }
  if (!changed) return false;
  const std::string kept = encode_entries(entries);
  (void)(kept.empty() ? batch.Delete(slice_of(key)) : batch.Put(slice_of(key), slice_of(kept)));
  ASL_TRY(write_if_full(batch));
  return true;
}

bool IndexCache::wants_sweep(std::span<const Index::Segment> segments) const {
  const std::uint64_t keys = statistics().keys;
  return keys > kSweepKeysMin && keys > kSweepFactor * keys_of(segments);
}

Result<std::uint64_t> IndexCache::sweep(const Index& index) {
  std::uint64_t changed = 0;
  std::optional<Error> trouble;
  rocksdb::WriteBatch batch;
  ASL_TRY(impl_->for_each_key({}, {}, [&](std::string_view key, std::string_view value) {
    if (key.size() != sizeof(Digest)) return true;
    auto step = impl_->sweep_key(index, key, value, batch);
    if (!step) {
      trouble = std::move(step).error();
      return false;
    }
    if (*step) ++changed;
    return true;
  }));
  if (trouble) return fail(std::move(*trouble));
  ASL_TRY(impl_->write(batch));
  ASL_TRY(flush());
  return changed;
}

}  // namespace asl
