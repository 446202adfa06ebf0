// Asking long work to stop.
#pragma once

#include <atomic>

#include <asl/engine/error.h>

namespace asl {

// A view of a flag that somebody else (usually a signal handler) sets once and never clears. Copy it freely;
// the flag must outlive every copy. A default-made token never asks to stop. Any thread may ask at any time.
//
// Long work asks at least once per block or per thousand files. It then finishes or drops what it is doing,
// leaves the store as after its last commit, and returns kInterrupted.
class StopToken {
 public:
  StopToken() = default;
  explicit StopToken(const std::atomic<bool>& flag) : flag_(&flag) {}

  bool requested() const { return flag_ != nullptr && flag_->load(std::memory_order_relaxed); }
  // For ASL_TRY(stop.check()).
  Result<void> check() const {
    if (requested()) [[unlikely]]
      return fail(ErrorCode::kInterrupted, "interrupted");
    return {};
  }

 private:
  const std::atomic<bool>* flag_ = nullptr;
};

}  // namespace asl
