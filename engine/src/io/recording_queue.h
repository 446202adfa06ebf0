// The queue of a RecordingIo.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include <asl/engine/io.h>

#include "io/recording_io.h"

namespace asl::io {

class RecordingQueue : public Queue {
 public:
  RecordingQueue(RecordingIo& recorder, std::unique_ptr<Queue> inner)
      : recorder_(recorder), inner_(std::move(inner)) {}
  std::size_t capacity() const override { return inner_->capacity(); }
  std::size_t in_flight() const override { return inner_->in_flight(); }
  Result<void> read(const File& file, MutableByteSpan into, std::uint64_t offset,
                    std::uint64_t token) override;
  Result<void> write(const File& file, ByteSpan from, std::uint64_t offset, std::uint64_t token) override;
  Result<void> submit() override { return inner_->submit(); }
  Result<std::size_t> reap(std::span<Completion> out, bool wait) override;

 private:
  struct InFlight {
    std::uint64_t token;                   // the caller's
    std::optional<std::size_t> operation;  // a logged write
  };

  RecordingIo& recorder_;
  std::unique_ptr<Queue> inner_;
  std::unordered_map<std::uint64_t, InFlight> pending_;  // by the token given to the inner queue
  std::uint64_t next_token_ = 0;
};

}  // namespace asl::io
