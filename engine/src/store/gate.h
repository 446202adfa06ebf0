// Lets many threads work and one, from time to time, work alone.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace asl {

// A reader-writer lock in which a waiting closer goes first: a stream of workers cannot starve a commit,
// which std::shared_mutex would allow.
class Gate {
 public:
  // Held by a lane while it touches the batch.
  class Pass {
   public:
    explicit Pass(Gate& gate) : gate_(gate) { gate_.enter(); }
    ~Pass() { gate_.leave(); }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    Gate& gate_;
  };
  // Held by a commit: nobody is inside.
  class Closed {
   public:
    explicit Closed(Gate& gate) : gate_(gate) { gate_.close(); }
    ~Closed() { gate_.open(); }
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;

   private:
    Gate& gate_;
  };

 private:
  void enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closers_ == 0; });
    ++inside_;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    if (--inside_ == 0 && closers_ > 0) changed_.notify_all();
  }
  void close() {
    std::unique_lock lock(mutex_);
    ++closers_;
    changed_.wait(lock, [this] { return inside_ == 0 && !closed_; });
    closed_ = true;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    --closers_;
    closed_ = false;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t inside_ = 0;
  std::size_t closers_ = 0;  // waiting or closed
  bool closed_ = false;
};

}  // namespace asl
