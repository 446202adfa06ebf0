#include "block/block_reader.h"

#include <algorithm>

namespace asl {
namespace {

bool is_page_aligned(MutableByteSpan memory) {
  return reinterpret_cast<std::uintptr_t>(memory.data()) % kPageSize == 0 && memory.size() % kPageSize == 0;
}

}  // namespace

// The working memory of one read, lent out and taken back: allocating it for each would cost more page faults
// than the read itself.
class BlockReader::Scratch {
 public:
  class Loan {
   public:
    explicit Loan(BlockReader& reader) : reader_(reader) {
      const std::lock_guard lock(reader.scratch_mutex_);
      if (reader.scratch_.empty()) {
        scratch_ = std::make_unique<Scratch>();
      } else {
        scratch_ = std::move(reader.scratch_.back());
        reader.scratch_.pop_back();
      }
    }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() {
      const std::lock_guard lock(reader_.scratch_mutex_);
      reader_.scratch_.push_back(std::move(scratch_));
    }
    MutableByteSpan memory() { return scratch_->memory_.span(); }
    Decompressor& decompressor() { return scratch_->decompressor_; }

   private:
    BlockReader& reader_;
    std::unique_ptr<Scratch> scratch_;
  };

 private:
  AlignedBuffer memory_{kExtentLengthMax};
  Decompressor decompressor_;
};

BlockReader::BlockReader(BlockStore& store, const BlockReaderOptions& options)
    : store_(store), options_(options), windows_(store, options.cache_bytes / 2) {}

BlockReader::~BlockReader() = default;

Result<void> BlockReader::read(const ExtentLocation& extent, MutableByteSpan into) {
  ASL_TRY(check_location(extent, store_.path_of(extent.block)));
  if (into.size() != extent.raw_length_bytes)
    return fail(ErrorCode::kUsage, "an extent is read into memory of another length");
  return extent.stored_length_bytes < kSmallExtentMax ? read_small(extent, into) : read_large(extent, into);
}

Result<void> BlockReader::read_small(const ExtentLocation& extent, MutableByteSpan into) {
  Result<void> outcome;
  if (extent.codec == Codec::kNone) {
    ASL_TRY(windows_.read(extent.block, extent.offset_bytes, into));
    outcome = check(extent, into);
  } else {
    Scratch::Loan scratch(*this);
    const MutableByteSpan stored = scratch.memory().first(extent.stored_length_bytes);
    ASL_TRY(windows_.read(extent.block, extent.offset_bytes, stored));
    outcome = decode_extent(extent, stored, into, scratch.decompressor(), store_.path_of(extent.block));
    if (outcome) outcome = check(extent, into);
  }
  if (!outcome) {
    // The extent may be mended behind our back, or the disk may have lied once.
    windows_.drop(extent.block, extent.offset_bytes);
    windows_.drop(extent.block, extent.offset_bytes + extent.stored_length_bytes - 1);
  }
  return outcome;
}

Result<void> BlockReader::read_large(const ExtentLocation& extent, MutableByteSpan into) {
  if (extent.codec == Codec::kNone && is_page_aligned(into)) {
    ASL_TRY(read_stored(extent, into));
    return check(extent, into);
  }
  Scratch::Loan scratch(*this);
  ASL_TRY(read_stored(extent, scratch.memory()));
  const ByteSpan stored = scratch.memory().first(extent.stored_length_bytes);
  ASL_TRY(decode_extent(extent, stored, into, scratch.decompressor(), store_.path_of(extent.block)));
  return check(extent, into);
}

Result<void> BlockReader::read_stored(const ExtentLocation& extent, MutableByteSpan aligned) {
  ASL_ASSIGN(const auto file, store_.open(extent.block));
  const auto length = static_cast<std::size_t>(round_up(extent.stored_length_bytes, kPageSize));
  auto got = store_.io().read(*file, aligned.first(length), extent.offset_bytes);
  if (!got)
    return fail(std::move(got)
                    .error()
                    .with_object("block " + to_hex(extent.block))
                    .with_path(store_.path_of(extent.block))
                    .with_offset(extent.offset_bytes));
  if (*got < extent.stored_length_bytes)
    return fail(integrity_error("a block file is cut short", store_.path_of(extent.block),
                                std::uint64_t{extent.offset_bytes} + *got)
                    .with_object("block " + to_hex(extent.block)));
  return {};
}

Result<void> BlockReader::check(const ExtentLocation& extent, ByteSpan raw) {
  if (options_.verify == VerifyReads::kNever) return {};
  if (options_.verify == VerifyReads::kOnce && verified_.contains(extent)) return {};
  ASL_TRY(check_digest(extent, raw, store_.path_of(extent.block)));
  if (options_.verify == VerifyReads::kOnce) verified_.insert(extent);
  return {};
}

Result<std::shared_ptr<const ExtentBytes>> BlockReader::read_owned(const ExtentLocation& extent) {
  ASL_TRY(check_location(extent, store_.path_of(extent.block)));
  AlignedBuffer buffer(extent.raw_length_bytes);
  if (extent.codec == Codec::kNone && extent.stored_length_bytes >= kSmallExtentMax) {
    // The buffer is rounded up to whole pages, and so is the read: no copy.
    ASL_TRY(read_stored(extent, buffer.span()));
    ASL_TRY(check(extent, buffer.span().first(extent.raw_length_bytes)));
  } else {
    ASL_TRY(read(extent, buffer.span().first(extent.raw_length_bytes)));
  }
  return std::make_shared<const ExtentBytes>(std::move(buffer), extent.raw_length_bytes);
}

Result<std::shared_ptr<const ExtentBytes>> BlockReader::read_shared(const ExtentLocation& extent) {
  // Small ones are kept by their windows.
  if (extent.raw_length_bytes < kSmallExtentMax) return read_owned(extent);

  std::unique_lock lock(extents_mutex_);
  const Key key{extent.block, extent.offset_bytes};
  for (;;) {
    const auto found = extent_of_.find(key);
    if (found == extent_of_.end()) break;
    // Two records that disagree about one place: at least one is wrong, and only reading tells.
    if (found->second->extent != extent) {
      lock.unlock();
      return read_owned(extent);
    }
    if (found->second->bytes) {
      extents_.splice(extents_.begin(), extents_, found->second);
      return found->second->bytes;
    }
    extent_read_.wait(lock);
  }
  extents_.push_front({extent, nullptr});
  const auto entry = extents_.begin();
  extent_of_[key] = entry;
  lock.unlock();
  auto bytes = read_owned(extent);
  lock.lock();
  if (bytes) {
    entry->bytes = *bytes;
    extents_bytes_ += extent.raw_length_bytes;
    trim();
  } else {
    extent_of_.erase(key);
    extents_.erase(entry);
  }
  extent_read_.notify_all();
  return bytes;
}

void BlockReader::trim() {
  for (auto at = extents_.end(); extents_bytes_ > options_.cache_bytes / 2 && at != extents_.begin();) {
    --at;
    if (!at->bytes) continue;
    extents_bytes_ -= at->extent.raw_length_bytes;
    extent_of_.erase({at->extent.block, at->extent.offset_bytes});
    at = extents_.erase(at);
  }
}

}  // namespace asl
