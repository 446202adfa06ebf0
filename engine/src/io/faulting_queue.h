// The queue of a FaultingIo.
#pragma once

#include <deque>
#include <memory>
#include <utility>

#include <asl/engine/io.h>

#include "io/faulting_io.h"

namespace asl::io {

class FaultingQueue : public Queue {
 public:
  FaultingQueue(FaultingIo& faults, std::unique_ptr<Queue> inner)
      : faults_(faults), inner_(std::move(inner)) {}
  std::size_t capacity() const override { return inner_->capacity(); }
  std::size_t in_flight() const override { return inner_->in_flight() + failed_.size(); }
  Result<void> read(const File& file, MutableByteSpan into, std::uint64_t offset,
                    std::uint64_t token) override;
  Result<void> write(const File& file, ByteSpan from, std::uint64_t offset, std::uint64_t token) override;
  Result<void> submit() override { return inner_->submit(); }
  Result<std::size_t> reap(std::span<Completion> out, bool wait) override;

 private:
  FaultingIo& faults_;
  std::unique_ptr<Queue> inner_;
  std::deque<Completion> failed_;  // completions that the inner queue knows nothing of
};

}  // namespace asl::io
