#include "index/segment_reader.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include <asl/engine/hash.h>

namespace asl {
namespace {

template <typename T>
MutableByteSpan bytes_of(T& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

constexpr std::uint64_t kSumsPerPage = kPageSize / kPageSumSize;

}  // namespace

std::unexpected<Error> SegmentReader::broken(const FormatBreach& breach, std::uint64_t base) const {
  Error error = integrity_error(std::string(breach.rule), path_, base + breach.offset);
  if (breach.unsupported) error.code = ErrorCode::kUnsupported;
  return fail(std::move(error));
}

Result<std::shared_ptr<const SegmentReader>> SegmentReader::open(io::Io& io, std::string path,
                                                                 SegmentNumber number,
                                                                 std::shared_ptr<PageCache> cache) {
  std::shared_ptr<SegmentReader> reader(new SegmentReader());
  reader->io_ = &io;
  reader->path_ = std::move(path);
  reader->number_ = number;
  reader->cache_key_ = cache->new_file_key();
  reader->cache_ = std::move(cache);
  ASL_TRY(reader->load());
  return reader;
}

Result<void> SegmentReader::load() {
  ASL_ASSIGN(file_, io_->open(path_, {}));
  ASL_ASSIGN(const struct stat status, io_->status(file_));
  file_size_ = static_cast<std::uint64_t>(status.st_size);
  if (file_size_ < sizeof header_ + sizeof footer_)
    return broken({.rule = "a segment is too short to be one"}, 0);

  // The smallest segment has one page of header before its sums, so the first page can always be read whole.
  std::array<std::byte, kPageSize> first{};
  ASL_ASSIGN(const std::size_t got, io_->read(file_, first, 0));
  if (got < sizeof header_) return broken({.rule = "a segment ended while it was read"}, 0);
  std::memcpy(&header_, first.data(), sizeof header_);
  if (const auto bad = check_header(header_)) {
    ASL_ASSIGN(const bool newer, bad.unsupported ? is_whole() : Result<bool>(false));
    if (bad.unsupported && !newer)
      return broken({.rule = "a segment's header is damaged", .offset = bad.offset}, 0);
    return broken(bad, 0);
  }

  const std::uint64_t footer_offset = file_size_ - sizeof footer_;
  ASL_ASSIGN(const std::size_t tail, io_->read(file_, bytes_of(footer_), footer_offset));
  if (tail != sizeof footer_) return broken({.rule = "a segment ended while it was read"}, footer_offset);
  if (const auto bad = check_footer(footer_, header_, file_size_)) return broken(bad, footer_offset);
  return check_page(0, first);
}

// A version that is not known may also be a flipped bit. Every version ends in the hash of what comes before.
Result<bool> SegmentReader::is_whole() {
  ASL_ASSIGN(const std::size_t tail, io_->read(file_, bytes_of(footer_), file_size_ - sizeof footer_));
  if (tail != sizeof footer_) return false;
  ASL_ASSIGN(const Hashes hashes, hash_whole());
  return hashes.body == footer_.sha256;
}

Result<std::uint64_t> SegmentReader::page_sum(std::uint64_t number) const {
  // Pages of sums go through the same cache; no sum covers them.
  const std::uint64_t sums_page = header_.page_sums_offset / kPageSize + number / kSumsPerPage;
  auto content = cache_->find(cache_key_, sums_page);
  if (!content) {
    auto fresh = std::make_shared<PageCache::Page>();
    ASL_ASSIGN(const std::size_t got, io_->read(file_, *fresh, sums_page * kPageSize));
    if (got < (number % kSumsPerPage + 1) * kPageSumSize)
      return broken({.rule = "a segment ended while it was read"}, sums_page * kPageSize);
    content = std::move(fresh);
    cache_->insert(cache_key_, sums_page, content);
  }
  return load_le<std::uint64_t>(content->data() + number % kSumsPerPage * kPageSumSize);
}

Result<void> SegmentReader::check_page(std::uint64_t number, ByteSpan content) const {
  ASL_ASSIGN(const std::uint64_t want, page_sum(number));
  if (xxh3(content) != want)
    return broken({.rule = "a segment's page fails its checksum"}, number * kPageSize);
  return {};
}

Result<PageCache::PagePtr> SegmentReader::page(std::uint64_t number) const {
  if (auto content = cache_->find(cache_key_, number)) return content;
  auto fresh = std::make_shared<PageCache::Page>();
  ASL_ASSIGN(const std::size_t got, io_->read(file_, *fresh, number * kPageSize));
  if (got != kPageSize) return broken({.rule = "a segment ended while it was read"}, number * kPageSize);
  ASL_TRY(check_page(number, *fresh));
  PageCache::PagePtr content = std::move(fresh);
  cache_->insert(cache_key_, number, content);
  return content;
}

Result<void> SegmentReader::read_at(std::uint64_t offset, MutableByteSpan into) const {
  assert(offset + into.size() <= header_.page_sums_offset);
  while (!into.empty()) {
    ASL_ASSIGN(const auto content, page(offset / kPageSize));
    const std::size_t from = offset % kPageSize;
    const std::size_t take = std::min(into.size(), kPageSize - from);
    std::memcpy(into.data(), content->data() + from, take);
    into = into.subspan(take);
    offset += take;
  }
  return {};
}

Result<RecordHandle> SegmentReader::load_record(std::uint64_t number, const Digest& digest) const {
  SegmentRecord disk;
  ASL_TRY(read_at(record_offset(number), bytes_of(disk)));
  RecordHandle handle;
  if (const auto bad = decode_record(disk, header_, number, handle.record))
    return broken(bad, record_offset(number));
  handle.record.ref.digest = digest;
  handle.number = number;
  handle.extent_first = disk.extent_first;
  handle.extent_count = disk.extent_count;
  return handle;
}

Result<RecordHandle> SegmentReader::record(std::uint64_t number) const {
  if (number >= header_.record_count) return fail(ErrorCode::kUsage, "no such record in a segment");
  Digest digest;
  ASL_TRY(read_at(header_.digests_offset + number * sizeof(Digest), digest));
  return load_record(number, digest);
}

Result<BlockId> SegmentReader::block_id(std::uint32_t index) const {
  if (index >= header_.block_count) return fail(ErrorCode::kUsage, "no such block in a segment");
  BlockId id;
  ASL_TRY(read_at(header_.blocks_offset + index * kSegmentBlockIdSize, bytes_of(id)));
  return id;
}

Result<ExtentRecord> SegmentReader::extent_record(const RecordHandle& handle, std::uint32_t k) const {
  if (k >= handle.extent_count) return fail(ErrorCode::kUsage, "no such extent in an artifact");
  SegmentExtent disk;
  const std::uint64_t offset = extent_offset(handle.extent_first + k);
  ASL_TRY(read_at(offset, bytes_of(disk)));
  ExtentRecord extent;
  if (const auto bad = decode_extent(disk, header_.block_count, extent)) return broken(bad, offset);
  const std::uint64_t length = handle.record.length;
  const bool first = k == 0;
  const bool last = k + 1 == handle.extent_count;
  if (first != (extent.artifact_offset == 0))
    return broken({.rule = "an artifact's extents do not begin at its start"}, offset);
  if (extent.artifact_offset >= length || extent.raw_length > length - extent.artifact_offset ||
      last != (extent.artifact_offset + extent.raw_length == length))
    return broken({.rule = "an artifact's extents do not end where it does"}, offset);
  return extent;
}

Result<ArtifactExtent> SegmentReader::extent(const RecordHandle& handle, std::uint32_t k) const {
  ASL_ASSIGN(const ExtentRecord extent, extent_record(handle, k));
  BlockId block{};
  if (!extent.is_hole()) {
    ASL_ASSIGN(block, block_id(extent.block_index));
  }
  return locate(extent, block);
}

Result<std::uint32_t> SegmentReader::find_extent_at(const RecordHandle& handle, std::uint64_t offset) const {
  if (offset >= handle.record.length) return fail(ErrorCode::kUsage, "an offset past the end of an artifact");
  std::uint32_t first = 0;
  std::uint32_t last = handle.extent_count;
  while (last - first > 1) {
    const std::uint32_t middle = first + (last - first) / 2;
    ASL_ASSIGN(const ExtentRecord extent, extent_record(handle, middle));
    (extent.artifact_offset <= offset ? first : last) = middle;
  }
  ASL_ASSIGN(const ExtentRecord extent, extent_record(handle, first));
  if (offset < extent.artifact_offset || offset - extent.artifact_offset >= extent.raw_length)
    return broken({.rule = "an artifact's extents have a gap"}, extent_offset(handle.extent_first + first));
  return first;
}

}  // namespace asl
