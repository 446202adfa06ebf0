#include "query/ahead_of_reader.h"

#include <algorithm>

namespace asl {
namespace {

// One piece is read from the disk while another is hashed. Together with the one that is being used they must
// fit into the half of DomainOptions::read_cache_bytes that long extents have.
constexpr std::size_t kPiecesAhead = 2;
// A thread costs more than such a read.
constexpr std::uint64_t kShortBytes = 1 << 20;

}  // namespace

void AheadOfReader::will_read(std::uint64_t offset, std::uint64_t size) {
  if (length_ < kShortBytes) return;
  const std::uint64_t end = offset + size;
  ahead_to_ = std::max(ahead_to_, offset);
  while (ahead_to_ < length_ && ahead_to_ < end + kPiecesAhead * kPieceBytes) {
    // Where no thread can be had, std::async waits until it is asked and does the work then.
    const std::uint64_t begin = ahead_to_;
    pieces_.push_back({begin, std::async([this, begin] { read_ahead_(begin, kPieceBytes); })});
    ahead_to_ += kPieceBytes;
  }
  while (!pieces_.empty() && pieces_.front().begin < end) {
    pieces_.front().done.wait();
    pieces_.pop_front();
  }
}

}  // namespace asl
