// The digest of a whole stream, computed beside the thread that cuts and packs it: a file's hash and its
// extents' hashes run on two cores.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include <asl/engine/hash.h>

#include "base/ring_buffer.h"

namespace asl {

// Streams shorter than this are hashed by their own thread: starting another would cost more than it saves.
inline constexpr std::uint64_t kHashBesideMin = 4 << 20;

// Used by one thread, which gives pieces in order; the hashing thread is inside. The ring must outlive it.
class StreamHasher {
 public:
  explicit StreamHasher(const RingBuffer& ring) : ring_(ring) {}
  ~StreamHasher();

  // The next `length` bytes of the stream are in the ring, and stay there until hashed_to() has passed them.
  void add(std::uint64_t length);
  // The next `length` bytes are zeros.
  void add_zeros(std::uint64_t length);
  // Everything below this offset has been hashed. With `wait_for`, blocks until that offset is.
  std::uint64_t hashed_to();
  void wait_for(std::uint64_t offset);
  // The digest of everything given.
  Digest finish();

 private:
  struct Piece {
    std::uint64_t length;
    bool zeros;
  };
  void give(Piece piece);
  void hash(std::uint64_t offset, const Piece& piece);
  void run();

  const RingBuffer& ring_;
  Sha256 hash_;  // touched by the hashing thread only, once it runs
  std::uint64_t given_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> pieces_;  // to be hashed
  std::uint64_t done_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace asl
