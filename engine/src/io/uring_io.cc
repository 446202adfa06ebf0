#include "io/uring_io.h"

#include "io/uring_queue.h"

namespace asl::io {

Result<std::unique_ptr<Queue>> UringIo::make_queue(std::size_t capacity) {
  if (capacity > 0 && capacity <= kQueueCapacityMax) {
    if (auto queue = UringQueue::create(capacity); queue != nullptr) return queue;
  }
  return PlainIo::make_queue(capacity);
}

std::unique_ptr<Io> make_uring_io() {
  return std::make_unique<UringIo>();
}

}  // namespace asl::io
