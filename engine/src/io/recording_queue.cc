#include "io/recording_queue.h"

#include <utility>

namespace asl::io {

Result<void> RecordingQueue::read(const File& file, MutableByteSpan into, std::uint64_t offset,
                                  std::uint64_t token) {
  ASL_TRY(inner_->read(file, into, offset, next_token_));
  pending_[next_token_++] = {.token = token, .operation = std::nullopt};
  return {};
}

Result<void> RecordingQueue::write(const File& file, ByteSpan from, std::uint64_t offset,
                                   std::uint64_t token) {
  const std::scoped_lock hold(recorder_.mutex_);
  // Logged first: a power cut may come when the medium has the bytes and the queue has not yet said so.
  const auto operation = recorder_.log_write(file, from, offset);
  ASL_TRY(inner_->write(file, from, offset, next_token_));
  pending_[next_token_++] = {.token = token, .operation = operation};
  return {};
}

Result<std::size_t> RecordingQueue::reap(std::span<Completion> out, bool wait) {
  ASL_ASSIGN(const std::size_t count, inner_->reap(out, wait));
  const std::scoped_lock hold(recorder_.mutex_);
  for (Completion& completion : out.first(count)) {
    const auto found = pending_.find(completion.token);
    completion.token = found->second.token;
    if (found->second.operation && completion.result >= 0) {
      Operation& operation = recorder_.operations_[*found->second.operation];
      operation.length = static_cast<std::uint64_t>(completion.result);
      operation.data.resize(operation.length);
      operation.completed_at = recorder_.operations_.size();
    }
    pending_.erase(found);
  }
  return count;
}

}  // namespace asl::io
