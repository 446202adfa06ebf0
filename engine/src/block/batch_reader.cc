#include "block/batch_reader.h"

#include <algorithm>
#include <optional>

#include "block/extent_check.h"
#include "io/transfer.h"

namespace asl {
namespace {

// Reading over a gap this long costs less than starting another read.
constexpr std::uint64_t kGapMax = 64 << 10;

std::uint64_t first_page_of(const ExtentLocation& extent) {
  return extent.offset_bytes / kPageSize * kPageSize;
}
std::uint64_t last_page_end_of(const ExtentLocation& extent) {
  return round_up(std::uint64_t{extent.offset_bytes} + extent.stored_length_bytes, kPageSize);
}

}  // namespace

// One read: a stretch of one block with some of the batch's extents in it.
struct BatchReader::Slot {
  AlignedBuffer buffer{kExtentLengthMax};
  std::shared_ptr<const io::File> file;
  std::string path;
  std::uint64_t begin = 0;  // of the stretch, in the block
  std::uint64_t end = 0;
  std::size_t first = 0;  // extents [first, first + count) of the batch
  std::size_t count = 0;
  bool reading = false;
  std::int64_t result = 0;     // bytes read, or -errno
  std::optional<Error> error;  // instead of a read
};

BatchReader::BatchReader(BlockStore& store, const BatchReaderOptions& options)
    : store_(store), options_(options), slots_(options.reads_in_flight), decoded_(kExtentLengthMax) {}

BatchReader::~BatchReader() = default;

Result<std::unique_ptr<BatchReader>> BatchReader::create(BlockStore& store,
                                                         const BatchReaderOptions& options) {
  std::unique_ptr<BatchReader> reader(new BatchReader(store, options));
  ASL_ASSIGN(reader->queue_, store.io().make_queue(options.reads_in_flight));
  return reader;
}

Result<void> BatchReader::run(std::span<const ExtentLocation> extents, const Sink& sink) {
  io::Transfers transfers(*queue_);
  std::size_t planned = 0;  // extents that have a slot, or had one
  std::size_t started = 0;  // slots, counted without end
  for (std::size_t taken = 0; taken < started || planned < extents.size(); ++taken) {
    for (; planned < extents.size() && started < taken + slots_.size(); ++started) {
      Slot& slot = slots_[started % slots_.size()];
      plan(extents, planned, slot);
      planned += slot.count;
      if (slot.error) continue;
      const auto length = static_cast<std::size_t>(slot.end - slot.begin);
      slot.reading = true;
      ASL_TRY(
          transfers.read(*slot.file, slot.buffer.span().first(length), slot.begin, started % slots_.size()));
    }
    ASL_TRY(transfers.submit());
    Slot& slot = slots_[taken % slots_.size()];
    while (slot.reading) {
      ASL_ASSIGN(const auto completion, transfers.next(true));
      if (!completion) return fail(ErrorCode::kIo, "a read was lost");
      slots_[completion->token].reading = false;
      slots_[completion->token].result = completion->result;
    }
    ASL_TRY(deliver(extents, slot, sink));
  }
  return {};
}

void BatchReader::plan(std::span<const ExtentLocation> extents, std::size_t first, Slot& slot) {
  const ExtentLocation& leader = extents[first];
  slot.first = first;
  slot.count = 1;
  slot.reading = false;
  slot.error.reset();
  slot.path = store_.path_of(leader.block);
  if (auto allowed = check_location(leader, slot.path); !allowed) {
    slot.error = std::move(allowed).error();
    return;
  }
  slot.begin = first_page_of(leader);
  slot.end = last_page_end_of(leader);
  for (std::size_t i = first + 1; i < extents.size(); ++i, ++slot.count) {
    const ExtentLocation& extent = extents[i];
    if (extent.block != leader.block || !check_location(extent, slot.path)) break;
    if (first_page_of(extent) < slot.begin || extent.offset_bytes > slot.end + kGapMax) break;
    const std::uint64_t end = std::max(slot.end, last_page_end_of(extent));
    if (end - slot.begin > kExtentLengthMax) break;
    slot.end = end;
  }
  auto file = store_.open(leader.block);
  if (file)
    slot.file = std::move(*file);
  else
    slot.error = std::move(file).error();
}

Result<void> BatchReader::deliver(std::span<const ExtentLocation> extents, Slot& slot, const Sink& sink) {
  for (std::size_t i = slot.first; i < slot.first + slot.count; ++i) {
    if (slot.error) {
      ASL_TRY(sink(i, fail(*slot.error)));
      continue;
    }
    ASL_TRY(sink(i, extract(extents[i], slot)));
  }
  return {};
}

Result<ByteSpan> BatchReader::extract(const ExtentLocation& extent, Slot& slot) {
  std::uint64_t begin = slot.begin;
  std::uint64_t got = static_cast<std::uint64_t>(std::max<std::int64_t>(slot.result, 0));
  if (slot.result < 0) {
    // A bad sector somewhere in the stretch: read each extent by itself, so that only those on it are lost.
    begin = first_page_of(extent);
    const auto length = static_cast<std::size_t>(last_page_end_of(extent) - begin);
    auto again = store_.io().read(*slot.file, slot.buffer.span().first(length), begin);
    if (!again)
      return fail(std::move(again)
                      .error()
                      .with_object("block " + to_hex(extent.block))
                      .with_path(slot.path)
                      .with_offset(extent.offset_bytes));
    got = *again;
  }
  const std::uint64_t skip = extent.offset_bytes - begin;
  if (skip + extent.stored_length_bytes > got)
    return fail(integrity_error("a block file is cut short", slot.path, begin + got)
                    .with_object("block " + to_hex(extent.block)));
  ByteSpan raw = slot.buffer.span().subspan(skip, extent.stored_length_bytes);
  stored_ = raw;
  if (extent.codec != Codec::kNone) {
    const MutableByteSpan into = decoded_.span().first(extent.raw_length_bytes);
    ASL_TRY(decode_extent(extent, raw, into, decompressor_, slot.path));
    raw = into;
  }
  if (options_.verify) ASL_TRY(check_digest(extent, raw, slot.path));
  return raw;
}

}  // namespace asl
