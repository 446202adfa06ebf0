// Writing files in long, page-aligned, concurrent transfers, from bytes that come in pieces of any size.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>

#include "io/transfer.h"

namespace asl {

// Bytes on their way into one file. Owned by the caller; stays in place until it comes out of
// OutputWriter::next_done(). `file` stays open until then.
struct OutputStream {
  const io::File* file = nullptr;
  void* owner = nullptr;  // for the caller

  // Set by the writer.
  std::uint64_t written_end = 0;  // the file may have been written, with zeros, up to here
  std::optional<Error> error;     // the first write that failed

  // The writer's own.
  std::optional<std::size_t> slot;
  std::uint64_t slot_offset = 0;
  std::size_t slot_fill = 0;
  std::uint32_t in_flight = 0;
  bool ended = false;
};

// One per thread. Bytes are gathered in slots, each of which is one write.
class OutputWriter {
 public:
  static constexpr std::size_t kSlots = 16;               // writes in flight
  static constexpr std::size_t kSlotBytes = 1 << 20;      // long enough for any disk; 16 MiB a thread
  static constexpr std::size_t kSubmitBytes = 128 << 10;  // small writes are handed to the kernel together

  static Result<std::unique_ptr<OutputWriter>> create(io::Io& io);

  // `bytes` go to `offset`, which is not below anything appended before. Whole pages are written: those that
  // are filled only in part have zeros in the rest, so no two streams may touch one page.
  // Errors of this and the following: the queue's own; those of single writes stand in the stream.
  Result<void> append(OutputStream& stream, std::uint64_t offset, ByteSpan bytes);
  // Nothing more will come; the stream will come out of next_done().
  Result<void> end(OutputStream& stream);
  // A stream that was ended and whose writes are all done; null if there is none. With `wait`, null means
  // that nothing is in flight.
  Result<OutputStream*> next_done(bool wait);

 private:
  struct Slot {
    AlignedBuffer buffer;
    OutputStream* stream = nullptr;
  };
  explicit OutputWriter(std::unique_ptr<io::Queue> queue);
  Result<void> begin_slot(OutputStream& stream, std::uint64_t offset);
  Result<void> flush(OutputStream& stream);
  Result<bool> complete_one();

  std::vector<Slot> slots_;
  std::vector<std::size_t> free_slots_;
  std::deque<OutputStream*> done_;
  std::size_t unsubmitted_bytes_ = 0;
  std::unique_ptr<io::Queue> queue_;
  io::Transfers transfers_;  // last: its destructor waits for writes out of the slots
};

}  // namespace asl
