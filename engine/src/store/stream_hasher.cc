#include "store/stream_hasher.h"

#include <algorithm>

namespace asl {
namespace {

// Zeros to hash where nothing was read.
constexpr std::size_t kZeroBytes = 64 << 10;
alignas(64) constexpr std::byte kZeros[kZeroBytes]{};

}  // namespace

StreamHasher::~StreamHasher() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    pieces_.clear();
  }
  changed_.notify_all();
  thread_.join();
}

void StreamHasher::add(std::uint64_t length) {
  give({length, false});
}
void StreamHasher::add_zeros(std::uint64_t length) {
  give({length, true});
}

void StreamHasher::give(Piece piece) {
  if (piece.length == 0) return;
  const std::uint64_t offset = given_;
  given_ += piece.length;
  if (!thread_.joinable()) {
    if (given_ < kHashBesideMin) {
      hash(offset, piece);
      done_ = given_;
      return;
    }
    thread_ = std::thread([this] { run(); });
  }
  {
    const std::lock_guard lock(mutex_);
    pieces_.push_back(piece);
  }
  changed_.notify_all();
}

void StreamHasher::hash(std::uint64_t offset, const Piece& piece) {
  if (!piece.zeros) {
    hash_.update({ring_.at(offset), piece.length});
    return;
  }
  for (std::uint64_t left = piece.length; left > 0;) {
    const std::size_t step = std::min<std::uint64_t>(left, kZeroBytes);
    hash_.update({kZeros, step});
    left -= step;
  }
}

void StreamHasher::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !pieces_.empty(); });
    if (pieces_.empty()) return;
    const Piece piece = pieces_.front();
    const std::uint64_t offset = done_;
    lock.unlock();
    hash(offset, piece);
    lock.lock();
    if (pieces_.empty()) return;  // dropped meanwhile
    pieces_.pop_front();
    done_ += piece.length;
    changed_.notify_all();
  }
}

std::uint64_t StreamHasher::hashed_to() {
  const std::lock_guard lock(mutex_);
  return done_;
}

void StreamHasher::wait_for(std::uint64_t offset) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done_ >= offset; });
}

Digest StreamHasher::finish() {
  wait_for(given_);
  return hash_.finish();
}

}  // namespace asl
