#include <asl/engine/error.h>

#include "block/block_writer.h"

namespace asl {

Result<std::unique_ptr<WriteLane>> WriteLane::create(io::Io& io, std::size_t buffer_count) {
  std::unique_ptr<WriteLane> lane(new WriteLane);
  ASL_ASSIGN(lane->queue_, io.make_queue(buffer_count));
  lane->transfers_.emplace(*lane->queue_);
  lane->slots_.resize(buffer_count);
  for (std::size_t i = buffer_count; i-- > 0;) {
    lane->slots_[i].buffer = AlignedBuffer(kWriteBufferBytes);
    lane->free_.push_back(i);
  }
  return lane;
}

WriteLane::~WriteLane() = default;

Result<std::size_t> WriteLane::take(BlockWriter& owner, std::uint64_t offset) {
  while (free_.empty()) {
    if (transfers_->in_flight() == 0)
      return fail(ErrorCode::kUsage, "a write lane has fewer buffers than open blocks");
    ASL_TRY(reap());
  }
  const std::size_t number = free_.back();
  free_.pop_back();
  slots_[number].owner = &owner;
  slots_[number].offset = offset;
  slots_[number].length = 0;
  return number;
}

Result<void> WriteLane::write(std::size_t slot) {
  const Slot& full = slots_[slot];
  ASL_TRY(transfers_->write(full.owner->file_->file, ByteSpan(full.buffer.span()).first(full.length),
                            full.offset, slot));
  ++full.owner->writes_in_flight_;
  // At once: the disk should work while the next buffer is filled.
  return transfers_->submit();
}

Result<void> WriteLane::reap() {
  ASL_ASSIGN(const auto completion, transfers_->next(true));
  if (!completion) return {};
  const auto slot = static_cast<std::size_t>(completion->token);
  if (BlockWriter* const owner = slots_[slot].owner) {
    --owner->writes_in_flight_;
    if (completion->result < 0)
      owner->write_failed(static_cast<int>(-completion->result), slots_[slot].offset);
  }
  release(slot);
  return {};
}

void WriteLane::release(std::size_t slot) {
  slots_[slot].owner = nullptr;
  free_.push_back(slot);
}

void WriteLane::disown(BlockWriter& owner, std::unique_ptr<TempBlock> file) {
  for (Slot& slot : slots_)
    if (slot.owner == &owner) slot.owner = nullptr;
  orphans_.push_back(std::move(file));
}

}  // namespace asl
