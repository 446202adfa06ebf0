#include "restore/output_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace asl {

Result<std::unique_ptr<OutputWriter>> OutputWriter::create(io::Io& io) {
  ASL_ASSIGN(auto queue, io.make_queue(kSlots));
  return std::unique_ptr<OutputWriter>(new OutputWriter(std::move(queue)));
}

OutputWriter::OutputWriter(std::unique_ptr<io::Queue> queue)
    : slots_(kSlots), queue_(std::move(queue)), transfers_(*queue_) {
  for (std::size_t i = 0; i < kSlots; ++i) {
    slots_[i].buffer = AlignedBuffer(kSlotBytes);
    free_slots_.push_back(i);
  }
}

Result<void> OutputWriter::append(OutputStream& stream, std::uint64_t offset, ByteSpan bytes) {
  while (!bytes.empty()) {
    if (stream.slot) {
      const std::uint64_t position = stream.slot_offset + stream.slot_fill;
      if (offset >= round_up(position, kPageSize) && offset != position) {
        ASL_TRY(flush(stream));
        continue;
      }
      // A gap inside one page, which can only be written whole.
      std::byte* const end = slots_[*stream.slot].buffer.data() + stream.slot_fill;
      std::memset(end, 0, offset - position);
      stream.slot_fill += offset - position;
    } else {
      ASL_TRY(begin_slot(stream, offset));
    }
    const std::size_t count = std::min(bytes.size(), kSlotBytes - stream.slot_fill);
    std::memcpy(slots_[*stream.slot].buffer.data() + stream.slot_fill, bytes.data(), count);
    stream.slot_fill += count;
    offset += count;
    bytes = bytes.subspan(count);
    if (stream.slot_fill == kSlotBytes) ASL_TRY(flush(stream));
  }
  return {};
}

Result<void> OutputWriter::begin_slot(OutputStream& stream, std::uint64_t offset) {
  while (free_slots_.empty()) {
    ASL_ASSIGN(const bool any, complete_one());
    if (!any) return fail(ErrorCode::kIo, "more files are written at once than there are buffers");
  }
  stream.slot = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[*stream.slot];
  slot.stream = &stream;
  stream.slot_offset = offset / kPageSize * kPageSize;
  stream.slot_fill = offset - stream.slot_offset;
  std::memset(slot.buffer.data(), 0, stream.slot_fill);
  return {};
}

Result<void> OutputWriter::flush(OutputStream& stream) {
  const std::size_t number = *stream.slot;
  const std::size_t length = round_up(stream.slot_fill, kPageSize);
  std::byte* const memory = slots_[number].buffer.data();
  std::memset(memory + stream.slot_fill, 0, length - stream.slot_fill);
  ASL_TRY(transfers_.write(*stream.file, {memory, length}, stream.slot_offset, number));
  stream.written_end = std::max(stream.written_end, stream.slot_offset + length);
  stream.slot.reset();
  stream.slot_fill = 0;
  ++stream.in_flight;
  unsubmitted_bytes_ += length;
  if (unsubmitted_bytes_ >= kSubmitBytes) {
    ASL_TRY(transfers_.submit());
    unsubmitted_bytes_ = 0;
  }
  return {};
}

Result<void> OutputWriter::end(OutputStream& stream) {
  if (stream.slot) ASL_TRY(flush(stream));
  stream.ended = true;
  if (stream.in_flight == 0) done_.push_back(&stream);
  return {};
}

Result<bool> OutputWriter::complete_one() {
  ASL_ASSIGN(const auto completion, transfers_.next(true));
  unsubmitted_bytes_ = 0;
  if (!completion) return false;
  OutputStream& stream = *slots_[completion->token].stream;
  free_slots_.push_back(completion->token);
  if (completion->result < 0 && !stream.error)
    stream.error = system_error(static_cast<int>(-completion->result), "cannot write");
  if (--stream.in_flight == 0 && stream.ended) done_.push_back(&stream);
  return true;
}

Result<OutputStream*> OutputWriter::next_done(bool wait) {
  while (done_.empty() && wait) {
    ASL_ASSIGN(const bool any, complete_one());
    if (!any) return nullptr;
  }
  if (done_.empty()) return nullptr;
  OutputStream* const stream = done_.front();
  done_.pop_front();
  return stream;
}

}  // namespace asl
