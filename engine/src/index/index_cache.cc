#include "index/index_cache.h"

#include <array>
#include <cassert>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "index/index_cache_impl.h"

namespace asl {
namespace {

constexpr std::uint32_t kCacheVersion = 1;
// Its presence in the directory means: something unreadable was met, make it anew.
constexpr std::string_view kDamagedMarker = "/DAMAGED";

constexpr std::size_t kWatermarkSize = sizeof(std::uint64_t) + sizeof(Digest);
std::string encode_u64(std::uint64_t value) {
  std::array<std::byte, sizeof value> bytes;
  store_le(bytes.data(), value);
  return std::string(as_text(bytes));
}

}  // namespace

std::string encode_watermark(const Watermark& mark) {
  std::array<std::byte, kWatermarkSize> bytes;
  store_le(bytes.data(), mark.logseq);
  std::ranges::copy(mark.record_hash, bytes.begin() + sizeof(std::uint64_t));
  return std::string(as_text(bytes));
}
std::optional<Watermark> decode_watermark(std::string_view text) {
  if (text.size() != kWatermarkSize) return std::nullopt;
  Watermark mark;
  const ByteSpan bytes = as_bytes(text);
  mark.logseq = load_le<std::uint64_t>(bytes.data());
  std::ranges::copy(bytes.subspan(sizeof(std::uint64_t)), mark.record_hash.begin());
  return mark;
}

std::uint64_t keys_of(std::span<const Index::Segment> segments) {
  std::uint64_t keys = 0;
  for (const auto& segment : segments)
    if (segment.reader) keys += segment.reader->record_count() + segment.reader->extent_count();
  return keys;
}

// Not more than keys_of and not less than half of it: an untyped artifact of one extent has its digest.
std::uint64_t keys_expected(std::span<const Index::Segment> segments) {
  std::uint64_t keys = 0;
  for (const auto& segment : segments)
    if (segment.reader) keys += std::max(segment.reader->record_count(), segment.reader->extent_count());
  return keys;
}

RowBatch::RowBatch() : impl_(std::make_unique<Impl>()) {}
RowBatch::~RowBatch() = default;
RowBatch::RowBatch(RowBatch&&) noexcept = default;
RowBatch& RowBatch::operator=(RowBatch&&) noexcept = default;
// A WriteBatch in memory cannot fail short of 4 GiB.
void RowBatch::put(std::string_view key, std::string_view value) {
  assert(key.size() >= kRowKeySizeMin);
  (void)impl_->batch.Put(slice_of(key), slice_of(value));
}
void RowBatch::remove(std::string_view key) {
  assert(key.size() >= kRowKeySizeMin);
  (void)impl_->batch.Delete(slice_of(key));
}
std::size_t RowBatch::size_bytes() const {
  return impl_->batch.GetDataSize();
}

Result<void> IndexCache::Impl::for_each_key(
    std::string_view prefix, std::string_view from,
    const std::function<bool(std::string_view, std::string_view)>& each) const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(db().NewIterator(options));
  for (at->Seek(slice_of(from)); at->Valid() && at->key().starts_with(slice_of(prefix)); at->Next())
    if (!each(at->key().ToStringView(), at->value().ToStringView())) break;
  return check(at->status(), "cannot read the index cache");
}

Result<std::optional<std::string>> IndexCache::Impl::load(const CacheTarget& target) {
  ASL_ASSIGN(const auto version, get(kKeyVersion));
  if (!version) return "there was none";
  if (*version != encode_u64(kCacheVersion)) return "it is of another version";
  ASL_ASSIGN(const auto mark_row, get(kKeyWatermark));
  ASL_ASSIGN(const auto intent_row, get(kKeyIntent));
  const auto mark = mark_row ? decode_watermark(*mark_row) : Watermark{};
  const auto intent = intent_row ? decode_watermark(*intent_row) : Watermark{};
  if (!mark || !intent) return "its watermark is damaged";
  for (const Watermark& reflected : {*mark, *intent})
    if (reflected.logseq != 0 && !target.log_has(reflected)) return "it reflects a log that is not this one";
  ASL_ASSIGN(const auto epoch_row, get(kKeyEpoch));
  if (epoch_row && epoch_row->size() != sizeof epoch) return "its epoch is damaged";
  watermark = *mark;
  epoch = epoch_row ? load_le<std::uint64_t>(as_bytes(*epoch_row).data()) : 0;
  ASL_ASSIGN(const bool whole, load_blocks());
  if (!whole) return "its block numbers are damaged";
  ASL_TRY(load_skipped());
  return std::nullopt;
}

Result<bool> IndexCache::Impl::load_blocks() {
  bool whole = true;
  ASL_TRY(for_each_key(std::string_view(&kPrefixBlock, 1), std::string_view(&kPrefixBlock, 1),
                       [&](std::string_view key, std::string_view value) {
                         if (key.size() != kBlockKeySize) return true;  // a digest that begins alike
                         BlockId id;
                         whole = value.size() == id.size();
                         if (!whole) return false;
                         std::ranges::copy(as_bytes(value), id.begin());
                         const auto number = load_be<std::uint32_t>(as_bytes(key).data() + 1);
                         whole = blocks.number_of(id) == number;
                         return whole;
                       }));
  blocks_written = blocks.size();
  return whole;
}

Result<void> IndexCache::Impl::load_skipped() {
  return for_each_key(std::string_view(&kPrefixSkipped, 1), std::string_view(&kPrefixSkipped, 1),
                      [&](std::string_view key, std::string_view) {
                        if (key.size() == kSkippedKeySize)
                          skipped.push_back(load_be<std::uint64_t>(as_bytes(key).data() + 1));
                        return true;
                      });
}

IndexCache::IndexCache(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
IndexCache::~IndexCache() {
  // Closing a database that was written to without a WAL would lose what was not flushed. Losing it is
  // allowed.
  if (impl_ && usable()) (void)flush();
}

Result<void> IndexCache::drop(const std::string& directory) {
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  if (error) return fail(system_error(error.value(), "cannot remove the index cache", directory));
  return {};
}

Result<std::unique_ptr<IndexCache>> IndexCache::try_open(const std::string& directory,
                                                         const CacheTarget& target,
                                                         ProgressCounters* progress,
                                                         std::string& drop_reason) {
  std::error_code ignored;
  if (std::filesystem::exists(directory + std::string(kDamagedMarker), ignored)) {
    drop_reason = "it was damaged";
    return nullptr;
  }
  auto impl = std::make_unique<Impl>();
  impl->directory = directory;
  impl->stop = target.stop;
  auto database = open_cache_database(directory, keys_expected(target.segments));
  if (!database && database.error().code != ErrorCode::kIntegrity) return fail(std::move(database).error());
  if (!database) {
    drop_reason = database.error().message;
    return nullptr;
  }
  impl->database = std::move(*database);
  auto loaded = impl->load(target);
  if (!loaded || *loaded) {
    drop_reason = loaded ? **loaded : loaded.error().message;
    return nullptr;
  }
  ASL_TRY(impl->catch_up(target, progress));
  return std::unique_ptr<IndexCache>(new IndexCache(std::move(impl)));
}

Result<std::unique_ptr<IndexCache>> IndexCache::open(const std::string& directory, const CacheTarget& target,
                                                     ProgressCounters* progress) {
  std::string reason;
  auto opened = try_open(directory, target, progress, reason);
  if (opened && *opened) return opened;
  // A cache that breaks while it catches up is dropped too; one that is locked, or a full disk, is not its
  // fault.
  if (!opened && opened.error().code != ErrorCode::kIntegrity) return opened;
  if (!opened) reason = opened.error().message;
  return rebuild(directory, target, progress, std::move(reason));
}

Result<std::unique_ptr<IndexCache>> IndexCache::rebuild(const std::string& directory,
                                                        const CacheTarget& target, ProgressCounters* progress,
                                                        std::string reason) {
  ASL_TRY(drop(directory));
  auto impl = std::make_unique<Impl>();
  impl->directory = directory;
  impl->stop = target.stop;
  impl->origin = Origin::kRebuilt;
  impl->rebuild_reason = std::move(reason);
  ASL_ASSIGN(impl->database, open_cache_database(directory, keys_expected(target.segments)));
  rocksdb::WriteBatch first;
  (void)first.Put(slice_of(kKeyVersion), slice_of(encode_u64(kCacheVersion)));
  ASL_TRY(impl->write(first));
  ASL_TRY(impl->catch_up(target, progress));
  return std::unique_ptr<IndexCache>(new IndexCache(std::move(impl)));
}

IndexCache::Origin IndexCache::origin() const {
  return impl_->origin;
}
const std::string& IndexCache::rebuild_reason() const {
  return impl_->rebuild_reason;
}

Result<void> IndexCache::apply(std::span<const Index::Segment> sealed, const Watermark& head, RowBatch rows) {
  if (!usable() || impl_->stalled)
    return fail(ErrorCode::kIntegrity, "the index cache is out of use until reopened");
  if (auto flushed = flush(); !flushed) {
    impl_->stalled = true;
    return flushed;
  }
  std::vector<Index::Segment> in_order(sealed.begin(), sealed.end());
  std::ranges::sort(in_order, {}, [](const Index::Segment& segment) { return segment.live.number; });
  auto added = impl_->add(in_order, head, rows.impl_->batch, nullptr);
  if (!added) {
    impl_->stalled = true;
    return added;
  }
  rocksdb::FlushOptions later;
  later.wait = false;
  return impl_->check(impl_->db().Flush(later), "cannot flush the index cache");
}

Result<void> IndexCache::write_rows(RowBatch rows) {
  return impl_->write(rows.impl_->batch);
}

Result<void> IndexCache::flush() {
  return impl_->check(impl_->db().Flush(rocksdb::FlushOptions()), "cannot flush the index cache");
}

Watermark IndexCache::watermark() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->watermark;
}

bool IndexCache::covers(const LiveSegment& segment) const {
  const std::lock_guard lock(impl_->mutex);
  return segment.seal_logseq <= impl_->watermark.logseq &&
         std::ranges::find(impl_->skipped, segment.number) == impl_->skipped.end();
}

std::uint64_t IndexCache::epoch() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->epoch;
}

Result<void> IndexCache::bump_epoch() {
  {
    const std::lock_guard lock(impl_->mutex);
    rocksdb::WriteBatch batch;
    (void)batch.Put(slice_of(kKeyEpoch), slice_of(encode_u64(impl_->epoch + 1)));
    ASL_TRY(impl_->write(batch));
    ++impl_->epoch;
  }
  return flush();
}

Result<std::optional<std::string>> IndexCache::get_row(std::string_view key) const {
  return impl_->get(key);
}

Result<void> IndexCache::for_each_row(
    std::string_view prefix, std::string_view from,
    const std::function<bool(std::string_view key, std::string_view value)>& each) const {
  return impl_->for_each_key(prefix, from, [&](std::string_view key, std::string_view value) {
    // Digests and the cache's own keys lie between the rows.
    return key.size() < kRowKeySizeMin || each(key, value);
  });
}

Result<CacheEntries> IndexCache::lookup(const Digest& digest) const {
  rocksdb::PinnableSlice value;
  CacheEntries entries;
  const auto status =
      impl_->db().Get(rocksdb::ReadOptions(), impl_->db().DefaultColumnFamily(), slice_of(digest), &value);
  if (status.IsNotFound()) return entries;
  if (!status.ok()) {
    mark_damaged();
    return fail(impl_->error_of(status, "cannot read the index cache"));
  }
  if (!add_missing_entries(value.ToStringView(), entries)) {
    mark_damaged();
    return fail(integrity_error("an entry of the index cache is malformed", impl_->directory, 0));
  }
  return entries;
}

std::optional<BlockId> IndexCache::block(std::uint32_t number) const {
  return impl_->blocks.find(number);
}

void IndexCache::mark_damaged() const {
  if (damaged_.exchange(true)) return;
  // If even this cannot be written, the next session meets the same damage and marks it again.
  std::ofstream(impl_->directory + std::string(kDamagedMarker)) << "rebuild at the next opening\n";
}

IndexCache::Statistics IndexCache::statistics() const {
  Statistics statistics;
  impl_->db().GetIntProperty("rocksdb.estimate-num-keys", &statistics.keys);
  impl_->db().GetIntProperty("rocksdb.total-sst-files-size", &statistics.disk_bytes);
  statistics.memory_bytes = impl_->database.block_cache->GetUsage();
  return statistics;
}

}  // namespace asl
