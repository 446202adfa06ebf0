// Large extents before they are asked for: several are read and then hashed together, which sixteen lanes
// make more than twice as fast as one after the other.
#include <algorithm>
#include <memory>
#include <vector>

#include <asl/engine/hash.h>

#include "block/block_reader.h"
#include "io/transfer.h"

namespace asl {

namespace {

// The extents of some MiB, all with the disk at once.
constexpr std::size_t kQueueCapacity = 32;

}  // namespace

struct BlockReader::Ahead {
  Entries::iterator entry;
  AlignedBuffer buffer;
  bool read = false;
  bool good = false;
  ByteSpan raw() const { return ByteSpan(buffer.span()).first(entry->extent.raw_length_bytes); }
};

// A queue is used by one thread at a time, and making one costs as much as a read.
class BlockReader::QueueLoan {
 public:
  static Result<QueueLoan> take(BlockReader& reader) {
    {
      const std::lock_guard lock(reader.scratch_mutex_);
      if (!reader.queues_.empty()) {
        QueueLoan loan(reader, std::move(reader.queues_.back()));
        reader.queues_.pop_back();
        return loan;
      }
    }
    ASL_ASSIGN(auto made, reader.store_.io().make_queue(kQueueCapacity));
    return QueueLoan(reader, std::move(made));
  }
  QueueLoan(QueueLoan&&) = default;
  QueueLoan& operator=(QueueLoan&&) = delete;
  ~QueueLoan() {
    if (!queue_) return;
    const std::lock_guard lock(reader_->scratch_mutex_);
    reader_->queues_.push_back(std::move(queue_));
  }
  io::Queue& queue() { return *queue_; }

 private:
  QueueLoan(BlockReader& reader, std::unique_ptr<io::Queue> queue)
      : reader_(&reader), queue_(std::move(queue)) {}
  BlockReader* reader_;
  std::unique_ptr<io::Queue> queue_;
};

void BlockReader::read_ahead(std::span<const ExtentLocation> extents) {
  std::vector<Ahead> claimed = claim(extents);
  // Whoever asks for a claimed extent waits for it: it is let go whatever happens here.
  struct Publishing {
    BlockReader& reader;
    std::vector<Ahead>& claimed;
    ~Publishing() { reader.publish(claimed); }
  };
  const Publishing at_the_end{*this, claimed};
  // Whoever asks for one that could not be read reads it himself, and gets the error.
  static_cast<void>(read_claimed(claimed));
  std::vector<Ahead*> unchecked;
  for (Ahead& ahead : claimed) {
    if (!ahead.read) continue;
    const ExtentLocation& extent = ahead.entry->extent;
    ahead.good = options_.verify == VerifyReads::kNever ||
                 (options_.verify == VerifyReads::kOnce && verified_.contains(extent));
    if (!ahead.good) unchecked.push_back(&ahead);
  }
  std::vector<ByteSpan> messages;
  for (const Ahead* ahead : unchecked) messages.push_back(ahead->raw());
  std::vector<Digest> digests(messages.size());
  sha256_many(messages, digests);
  for (std::size_t k = 0; k < unchecked.size(); ++k) {
    const ExtentLocation& extent = unchecked[k]->entry->extent;
    unchecked[k]->good = digests[k] == extent.digest;
    if (unchecked[k]->good && options_.verify == VerifyReads::kOnce) verified_.insert(extent);
  }
}

Result<void> BlockReader::read_claimed(std::vector<Ahead>& claimed) {
  if (claimed.empty()) return {};
  ASL_ASSIGN(QueueLoan loan, QueueLoan::take(*this));
  std::vector<std::shared_ptr<const io::File>> files;  // open until the last read is done
  std::vector<io::ReadRequest> requests;
  std::vector<Ahead*> wanted;
  for (Ahead& ahead : claimed) {
    const ExtentLocation& extent = ahead.entry->extent;
    auto file = store_.open(extent.block);
    if (!file) continue;
    ahead.buffer = AlignedBuffer(extent.raw_length_bytes);
    const auto length = static_cast<std::size_t>(round_up(extent.stored_length_bytes, kPageSize));
    requests.push_back({.file = file->get(),
                        .into = ahead.buffer.span().first(length),
                        .offset = extent.offset_bytes,
                        .result = 0});
    files.push_back(std::move(*file));
    wanted.push_back(&ahead);
  }
  ASL_TRY(io::read_all(loan.queue(), requests));
  for (std::size_t k = 0; k < wanted.size(); ++k)
    wanted[k]->read = requests[k].result >= std::int64_t{wanted[k]->entry->extent.stored_length_bytes};
  return {};
}

// Those that nobody has or reads. Whoever asks for one of them meanwhile waits for it.
std::vector<BlockReader::Ahead> BlockReader::claim(std::span<const ExtentLocation> extents) {
  std::vector<Ahead> claimed;
  std::size_t bytes = 0;
  const std::lock_guard lock(extents_mutex_);
  for (const ExtentLocation& extent : extents) {
    if (extent.codec != Codec::kNone || extent.raw_length_bytes < kSmallExtentMax) continue;
    if (!check_location(extent, store_.path_of(extent.block))) continue;
    const Key key{extent.block, extent.offset_bytes};
    if (extent_of_.contains(key)) continue;
    bytes += extent.raw_length_bytes;
    // What is read ahead must not push out what was read ahead.
    if (bytes > options_.cache_bytes / 4) break;
    extents_.push_front({extent, nullptr});
    extent_of_[key] = extents_.begin();
    claimed.push_back({.entry = extents_.begin(), .buffer = {}});
  }
  return claimed;
}

// What failed is forgotten: who asks for it reads it himself, and gets the error.
void BlockReader::publish(std::vector<Ahead>& claimed) {
  const std::lock_guard lock(extents_mutex_);
  for (Ahead& ahead : claimed) {
    const ExtentLocation extent = ahead.entry->extent;
    if (ahead.good) {
      ahead.entry->bytes =
          std::make_shared<const ExtentBytes>(std::move(ahead.buffer), extent.raw_length_bytes);
      extents_bytes_ += extent.raw_length_bytes;
    } else {
      extent_of_.erase({extent.block, extent.offset_bytes});
      extents_.erase(ahead.entry);
    }
  }
  trim();
  extent_read_.notify_all();
}

}  // namespace asl
