#include "block/block_writer.h"

#include <algorithm>
#include <utility>

namespace asl {
namespace {

// Of the space that a nearly full disk has in one piece, a block takes this part: a writer has up to seven
// open (three of its own, two for each of two lanes).
constexpr std::uint64_t kShareOfNearlyFull = 8;

// Where an extent of this stored length starts in a block filled up to `end`.
std::uint64_t place_after(std::uint64_t end, std::size_t stored_length) {
  return stored_length >= kSmallExtentMax ? round_up(end, kPageSize) : end;
}

}  // namespace

BlockWriter::BlockWriter(BlockStore& store, WriteLane& lane, TempBlock file)
    : store_(store), lane_(lane), file_(std::make_unique<TempBlock>(std::move(file))) {}

Result<std::unique_ptr<BlockWriter>> BlockWriter::create(BlockStore& store, WriteLane& lane,
                                                         const BlockWriterOptions& options) {
  if (options.needed_bytes > options.capacity_bytes || options.capacity_bytes > kBlockLengthMax ||
      options.capacity_bytes < kPageSize)
    return fail(ErrorCode::kUsage, "a block's capacity is not possible");
  ASL_ASSIGN(TempBlock file, store.create_temp());
  std::unique_ptr<BlockWriter> writer(new BlockWriter(store, lane, std::move(file)));
  ASL_TRY(writer->preallocate(options));
  return writer;
}

BlockWriter::~BlockWriter() {
  if (current_) lane_.release(*current_);
  // Every error was reported by an earlier call or concerns a block that nobody wants any more.
  const bool drained = drain().has_value();
  if (!sealed_) (void)store_.io().remove(file_->path);
  if (!drained) lane_.disown(*this, std::move(file_));
}

Result<void> BlockWriter::preallocate(const BlockWriterOptions& options) {
  io::Io& io = store_.io();
  const std::uint64_t most = options.capacity_bytes / kPageSize * kPageSize;
  const std::uint64_t least =
      std::min(most, round_up(std::max<std::uint64_t>(options.needed_bytes, 1), kPageSize));
  const std::lock_guard reserving(store_.reserving());
  bool shared = false;
  for (std::uint64_t size = most;; size = std::max(least, round_up(size / 2, kPageSize))) {
    auto allocated = io.allocate(file_->file, size);
    if (allocated && size < most && size > least && !shared) {
      // The disk is nearly full, and other blocks are open or will be: what fits just so is left to all of
      // them.
      shared = true;
      size = round_up(2 * size / kShareOfNearlyFull, kPageSize);
      ASL_TRY(io.truncate(file_->file, 0));
      continue;
    }
    if (allocated || allocated.error().code == ErrorCode::kUnsupported) {
      capacity_ = size;
      return {};
    }
    if (allocated.error().code != ErrorCode::kNoSpace || size == least)
      return fail(std::move(allocated).error().with_path(file_->path));
    // A failed allocation may hold on to what it got.
    ASL_TRY(io.truncate(file_->file, 0));
  }
}

bool BlockWriter::fits(std::size_t stored_length_bytes) const {
  return meta_.extents.size() < kExtentsPerBlockMax &&
         place_after(end_, stored_length_bytes) + stored_length_bytes <= capacity_;
}

Result<std::uint32_t> BlockWriter::append(ByteSpan stored, const Digest& stored_digest) {
  ASL_TRY(check());
  if (stored.empty() || stored.size() > kExtentLengthMax)
    return fail(ErrorCode::kUsage, "an extent of this length cannot be stored");
  if (!fits(stored.size())) return fail(ErrorCode::kUsage, "an extent does not fit into its block");
  const std::uint64_t offset = place_after(end_, stored.size());
  ASL_TRY(remember(fill_zeros(offset - end_)));
  ASL_TRY(remember(fill(stored)));
  end_ = offset + stored.size();
  meta_.extents.push_back(
      {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(stored.size()), stored_digest});
  return static_cast<std::uint32_t>(offset);
}

Result<SealedBlock> BlockWriter::seal() {
  ASL_TRY(check());
  if (meta_.extents.empty()) return fail(ErrorCode::kUsage, "an empty block cannot be sealed");
  auto block = finish();
  if (!block) {
    ASL_TRY(remember(fail(block.error())));
  }
  sealed_ = block.has_value();
  if (sealed_) file_->file.close();
  return block;
}

Result<SealedBlock> BlockWriter::finish() {
  ASL_TRY(fill_zeros(round_up(end_, kPageSize) - end_));
  ASL_TRY(flush());
  ASL_TRY(drain());
  if (failure_) return fail(*failure_);

  io::Io& io = store_.io();
  meta_.length_bytes = filled_;
  ASL_TRY(io.truncate(file_->file, filled_));
  ASL_TRY(io.sync_data(file_->file));

  SealedBlock block;
  ASL_ASSIGN(block.meta_bytes, encode_block_meta(meta_));
  block.id = block_id_of(block.meta_bytes);
  block.meta = std::move(meta_);
  block.temp_path = file_->path;
  return block;
}

Result<void> BlockWriter::fill(ByteSpan bytes) {
  while (!bytes.empty()) {
    ASL_ASSIGN(const MutableByteSpan into, room());
    const std::size_t count = std::min(into.size(), bytes.size());
    std::ranges::copy(bytes.first(count), into.begin());
    ASL_TRY(filled(count));
    bytes = bytes.subspan(count);
  }
  return {};
}

Result<void> BlockWriter::fill_zeros(std::uint64_t count) {
  while (count > 0) {
    ASL_ASSIGN(const MutableByteSpan into, room());
    const std::size_t step = std::min<std::uint64_t>(into.size(), count);
    std::ranges::fill(into.first(step), std::byte{0});
    ASL_TRY(filled(step));
    count -= step;
  }
  return {};
}

Result<MutableByteSpan> BlockWriter::room() {
  if (!current_) {
    ASL_ASSIGN(current_, lane_.take(*this, filled_));
  }
  const WriteLane::Slot& slot = lane_.slots_[*current_];
  return slot.buffer.span().subspan(slot.length);
}

Result<void> BlockWriter::filled(std::size_t count) {
  WriteLane::Slot& slot = lane_.slots_[*current_];
  slot.length += count;
  filled_ += count;
  if (slot.length == slot.buffer.size()) return flush();
  return {};
}

Result<void> BlockWriter::flush() {
  if (!current_) return {};
  return lane_.write(*std::exchange(current_, std::nullopt));
}

Result<void> BlockWriter::drain() {
  while (writes_in_flight_ > 0) ASL_TRY(lane_.reap());
  return {};
}

Result<void> BlockWriter::remember(Result<void> outcome) {
  if (!outcome && !failure_) failure_ = outcome.error();
  // Waiting for a buffer may have brought the news of an earlier write's failure.
  if (failure_) return fail(*failure_);
  return outcome;
}

void BlockWriter::write_failed(int sys_errno, std::uint64_t offset) {
  if (!failure_) failure_ = system_error(sys_errno, "cannot write block", file_->path).with_offset(offset);
}

Result<void> BlockWriter::check() const {
  if (failure_) return fail(*failure_);
  if (sealed_) return fail(ErrorCode::kUsage, "a sealed block takes no more extents");
  return {};
}

}  // namespace asl
