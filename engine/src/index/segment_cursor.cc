// Walking whole segments: SegmentCursor and verify_whole.
#include <algorithm>
#include <cstring>

#include <asl/engine/hash.h>

#include "index/segment_reader.h"

namespace asl {
namespace {

// One sequential read. Three windows a cursor, and a merge holds a cursor for each of its inputs.
constexpr std::size_t kWindowBytes = 256 << 10;
constexpr std::size_t kHashBufferBytes = 1 << 20;
constexpr std::size_t kVerifyExtentBatch = 256;

template <typename T>
MutableByteSpan bytes_of(T& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

}  // namespace

// A window that slides over one section, its pages checked as they are read.
class SectionReader {
 public:
  explicit SectionReader(const SegmentReader& reader) : reader_(&reader) {}

  Result<void> read(std::uint64_t offset, MutableByteSpan into) {
    while (!into.empty()) {
      if (offset < start_ || offset >= start_ + filled_) ASL_TRY(load(offset));
      const std::size_t from = static_cast<std::size_t>(offset - start_);
      const std::size_t take = std::min(into.size(), filled_ - from);
      std::memcpy(into.data(), buffer_.data() + from, take);
      into = into.subspan(take);
      offset += take;
    }
    return {};
  }

 private:
  Result<void> load(std::uint64_t offset) {
    if (buffer_.size() == 0) buffer_ = AlignedBuffer(kWindowBytes);
    start_ = offset / kPageSize * kPageSize;
    const auto size = static_cast<std::size_t>(
        std::min<std::uint64_t>(kWindowBytes, reader_->header_.page_sums_offset - start_));
    filled_ = 0;
    const MutableByteSpan into = buffer_.span().first(size);
    ASL_ASSIGN(const std::size_t got, reader_->io_->read(reader_->file_, into, start_));
    if (got != size) return reader_->broken({.rule = "a segment ended while it was read"}, start_ + got);
    for (std::size_t at = 0; at < size; at += kPageSize)
      ASL_TRY(reader_->check_page((start_ + at) / kPageSize, into.subspan(at, kPageSize)));
    filled_ = size;
    return {};
  }

  const SegmentReader* reader_;
  AlignedBuffer buffer_;
  std::uint64_t start_ = 0;
  std::size_t filled_ = 0;
};

struct SegmentCursor::Impl {
  explicit Impl(const SegmentReader& reader) : records(reader), digests(reader), extents(reader) {}

  SectionReader records;
  SectionReader digests;
  SectionReader extents;
  std::uint64_t next_record = 0;
  RecordHandle current;
  std::uint32_t extents_given = 0;
  bool chain_checked = true;
  ExtentChain chain{0};
  std::vector<BlockId> blocks;
};

SegmentCursor::SegmentCursor(std::shared_ptr<const SegmentReader> reader)
    : reader_(std::move(reader)), impl_(std::make_unique<Impl>(*reader_)) {}
SegmentCursor::~SegmentCursor() = default;
SegmentCursor::SegmentCursor(SegmentCursor&&) noexcept = default;
SegmentCursor& SegmentCursor::operator=(SegmentCursor&&) noexcept = default;

void SegmentCursor::rewind() {
  impl_->next_record = 0;
  impl_->current = {};
}

Result<bool> SegmentCursor::next(RecordHandle& out) {
  Impl& state = *impl_;
  const SegmentHeader& header = reader_->header();
  if (state.next_record == header.record_count) return false;
  const std::uint64_t number = state.next_record;
  const std::uint64_t offset = reader_->record_offset(number);
  SegmentRecord disk;
  ASL_TRY(state.records.read(offset, bytes_of(disk)));
  RecordHandle handle;
  if (const auto bad = decode_record(disk, header, number, handle.record))
    return reader_->broken(bad, offset);
  ASL_TRY(state.digests.read(disk.digest_offset, handle.record.ref.digest));
  if (number > 0 && !(state.current.record.ref < handle.record.ref))
    return reader_->broken({.rule = "a segment's records are out of order"}, offset);
  handle.number = number;
  handle.extent_first = disk.extent_first;
  handle.extent_count = disk.extent_count;
  state.current = handle;
  state.extents_given = 0;
  state.chain = ExtentChain(handle.record.length);
  state.chain_checked = false;
  ++state.next_record;
  out = handle;
  return true;
}

Result<std::size_t> SegmentCursor::next_extents(std::span<ExtentRecord> out) {
  Impl& state = *impl_;
  std::size_t filled = 0;
  while (filled < out.size() && state.extents_given < state.current.extent_count) {
    const std::uint64_t offset = reader_->extent_offset(state.current.extent_first + state.extents_given);
    SegmentExtent disk;
    ASL_TRY(state.extents.read(offset, bytes_of(disk)));
    if (const auto bad = decode_extent(disk, reader_->block_count(), out[filled]))
      return reader_->broken(bad, offset);
    if (const auto bad = state.chain.add(out[filled])) return reader_->broken(bad, offset);
    ++state.extents_given;
    ++filled;
  }
  if (state.extents_given == state.current.extent_count && !state.chain_checked) {
    if (const auto bad = state.chain.finish())
      return reader_->broken(bad, reader_->record_offset(state.current.number));
    state.chain_checked = true;
  }
  return filled;
}

Result<std::span<const BlockId>> SegmentCursor::blocks() {
  Impl& state = *impl_;
  if (state.blocks.empty() && reader_->block_count() > 0) {
    SectionReader section(*reader_);
    std::vector<BlockId> ids(reader_->block_count());
    ASL_TRY(section.read(reader_->header().blocks_offset, std::as_writable_bytes(std::span(ids))));
    state.blocks = std::move(ids);
  }
  return std::span<const BlockId>(state.blocks);
}

Result<SegmentReader::Hashes> SegmentReader::hash_whole() const {
  AlignedBuffer buffer(kHashBufferBytes);
  const std::uint64_t body_size = file_size_ - sizeof footer_;
  Sha256 hash;
  for (std::uint64_t at = 0; at < body_size;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), body_size - at));
    ASL_ASSIGN(const std::size_t got, io_->read(file_, buffer.span().first(size), at));
    if (got != size) return broken({.rule = "a segment ended while it was read"}, at + got);
    hash.update(buffer.span().first(size));
    at += size;
  }
  Sha256 body = hash;
  hash.update(std::as_bytes(std::span(&footer_, 1)));
  return Hashes{.body = body.finish(), .whole = hash.finish()};
}

Result<void> SegmentReader::verify_sections() const {
  SegmentCursor cursor(shared_from_this());
  ASL_ASSIGN(const auto blocks, cursor.blocks());
  for (std::size_t i = 1; i < blocks.size(); ++i)
    if (!(blocks[i - 1] < blocks[i]))
      return broken({.rule = "a segment's block ids are out of order"},
                    header_.blocks_offset + i * sizeof(BlockId));

  std::vector<bool> used(blocks.size());
  std::vector<ExtentRecord> batch(kVerifyExtentBatch);
  RecordHandle handle;
  std::uint64_t extents = 0;
  while (true) {
    ASL_ASSIGN(const bool more, cursor.next(handle));
    if (!more) break;
    if (handle.extent_count > 0 && handle.extent_first != extents)
      return broken({.rule = "a segment's extents are not in the order of its records"},
                    record_offset(handle.number));
    extents += handle.extent_count;
    while (true) {
      ASL_ASSIGN(const std::size_t got, cursor.next_extents(batch));
      if (got == 0) break;
      for (const ExtentRecord& extent : std::span(batch).first(got))
        if (!extent.is_hole()) used[extent.block_index] = true;
    }
  }
  if (extents != header_.extent_count)
    return broken({.rule = "a segment holds extents that no record has"}, extent_offset(extents));
  const auto unused = std::ranges::find(used, false);
  if (unused != used.end())
    return broken(
        {.rule = "a segment lists a block that none of its extents is in"},
        header_.blocks_offset + static_cast<std::uint64_t>(unused - used.begin()) * sizeof(BlockId));

  const std::uint64_t end = extent_offset(header_.extent_count);
  Bytes padding(static_cast<std::size_t>(header_.page_sums_offset - end));
  ASL_TRY(read_at(end, padding));
  if (!all_zero(padding)) return broken({.rule = "a segment's padding is not zero"}, end);
  return {};
}

Result<void> SegmentReader::verify_whole(const Digest* expected) const {
  ASL_ASSIGN(const Hashes hashes, hash_whole());
  const std::uint64_t footer_offset = file_size_ - sizeof footer_;
  if (hashes.body != footer_.sha256)
    return broken({.rule = "a segment's bytes fail the hash in its footer"}, footer_offset);
  if (expected != nullptr && hashes.whole != *expected)
    return broken({.rule = "a segment is not the one the log names"}, 0);
  return verify_sections();
}

}  // namespace asl
