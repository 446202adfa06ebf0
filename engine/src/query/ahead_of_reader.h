// Read-ahead for who reads one long thing from front to back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>

namespace asl {

// The disk and the hash work on what comes next while the caller is busy with what it has. Used by one
// thread; destroying it waits for what it has begun.
class AheadOfReader {
 public:
  // Enough extents for all lanes of sha256_many.
  static constexpr std::uint64_t kPieceBytes = 8 << 20;

  // `read_ahead(offset, length)` is called from other threads until the object is gone, and may fail
  // silently.
  using ReadAhead = std::function<void(std::uint64_t offset, std::uint64_t length)>;
  AheadOfReader(std::uint64_t length, ReadAhead read_ahead)
      : length_(length), read_ahead_(std::move(read_ahead)) {}
  AheadOfReader(const AheadOfReader&) = delete;
  AheadOfReader& operator=(const AheadOfReader&) = delete;

  // The caller reads this range next. Returns when it has been read ahead, and has more under way.
  void will_read(std::uint64_t offset, std::uint64_t size);

 private:
  struct Piece {
    std::uint64_t begin = 0;
    std::future<void> done;
  };
  const std::uint64_t length_;
  const ReadAhead read_ahead_;
  std::uint64_t ahead_to_ = 0;
  std::deque<Piece> pieces_;  // by begin
};

}  // namespace asl
