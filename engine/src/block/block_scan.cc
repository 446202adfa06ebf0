#include "block/block_scan.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <asl/engine/hash.h>

#include "io/transfer.h"

namespace asl {
namespace {

constexpr std::size_t kScanBufferBytes = 1 << 20;
// Keeps a disk busy while one buffer is hashed.
constexpr std::size_t kScanBuffers = 4;

// Follows a block's bytes from its start and tells extents from padding.
class Follower {
 public:
  Follower(const std::string& path, const BlockMeta& meta, const BlockScanSink& sink)
      : path_(path), meta_(meta), sink_(sink) {}

  Result<void> good(ByteSpan bytes) {
    while (!bytes.empty()) {
      const std::size_t count = std::min<std::uint64_t>(bytes.size(), left_in_part());
      if (in_extent())
        hash_.update(bytes.first(count));
      else if (!all_zero(bytes.first(count)))
        blame(integrity_error("the padding of a block is not zero", path_, position_));
      ASL_TRY(advance(count));
      bytes = bytes.subspan(count);
    }
    return {};
  }

  Result<void> bad(std::uint64_t length, const Error& error) {
    while (length > 0) {
      const std::uint64_t count = std::min(length, left_in_part());
      blame(error);
      ASL_TRY(advance(count));
      length -= count;
    }
    return {};
  }

 private:
  bool in_extent() const {
    return next_ < meta_.extents.size() && position_ >= meta_.extents[next_].offset_bytes;
  }
  std::uint64_t part_end() const {
    if (next_ == meta_.extents.size()) return meta_.length_bytes;
    const StoredExtent& extent = meta_.extents[next_];
    return in_extent() ? std::uint64_t{extent.offset_bytes} + extent.stored_length_bytes
                       : extent.offset_bytes;
  }
  std::uint64_t left_in_part() const { return part_end() - position_; }

  void blame(const Error& error) {
    if (!error_) error_ = error;
  }

  Result<void> advance(std::uint64_t count) {
    if (count < left_in_part()) {
      position_ += count;
      return {};
    }
    return in_extent() ? end_extent(count) : end_padding(count);
  }

  Result<void> end_extent(std::uint64_t count) {
    const StoredExtent& extent = meta_.extents[next_];
    if (!error_ && hash_.finish() != extent.stored_digest)
      error_ =
          integrity_error("an extent's stored bytes do not match their digest", path_, extent.offset_bytes);
    position_ += count;
    ++next_;
    hash_ = Sha256();
    const auto error = std::exchange(error_, std::nullopt);
    if (!sink_.on_extent) return {};
    return sink_.on_extent(extent, error ? Result<void>(fail(*error)) : Result<void>());
  }

  Result<void> end_padding(std::uint64_t count) {
    position_ += count;
    const auto error = std::exchange(error_, std::nullopt);
    return error && sink_.on_padding ? sink_.on_padding(*error) : Result<void>();
  }

  const std::string& path_;
  const BlockMeta& meta_;
  const BlockScanSink& sink_;
  std::uint64_t position_ = 0;
  std::size_t next_ = 0;        // the extent at or after position_
  Sha256 hash_;                 // of the extent's bytes before position_
  std::optional<Error> error_;  // of the part that position_ is in
};

class Scan {
 public:
  Scan(io::Io& io, const io::File& file, const std::string& path, const BlockMeta& meta,
       const BlockScanSink& sink)
      : io_(io),
        file_(file),
        path_(path),
        length_(meta.length_bytes),
        sink_(sink),
        follower_(path, meta, sink) {}

  Result<void> run(StopToken stop) {
    ASL_ASSIGN(const auto queue, io_.make_queue(kScanBuffers));
    for (AlignedBuffer& buffer : buffers_) buffer = AlignedBuffer(kScanBufferBytes);
    io::Transfers transfers(*queue);
    std::uint64_t started = 0;
    for (std::uint64_t chunk = 0; chunk < chunks(); ++chunk) {
      for (; started < chunks() && started < chunk + kScanBuffers; ++started)
        ASL_TRY(start(transfers, started));
      ASL_TRY(transfers.submit());
      ASL_TRY(wait_for(transfers, chunk));
      ASL_TRY(stop.check());
      ASL_TRY(take(chunk));
      if (sink_.on_progress) sink_.on_progress(span_of(chunk).size());
    }
    return {};
  }

 private:
  std::uint64_t chunks() const { return (length_ + kScanBufferBytes - 1) / kScanBufferBytes; }
  MutableByteSpan span_of(std::uint64_t chunk) {
    const std::uint64_t left = length_ - chunk * kScanBufferBytes;
    return buffers_[chunk % kScanBuffers].span().first(std::min<std::uint64_t>(left, kScanBufferBytes));
  }

  Result<void> start(io::Transfers& transfers, std::uint64_t chunk) {
    results_[chunk % kScanBuffers].reset();
    return transfers.read(file_, span_of(chunk), chunk * kScanBufferBytes, chunk % kScanBuffers);
  }

  Result<void> wait_for(io::Transfers& transfers, std::uint64_t chunk) {
    while (!results_[chunk % kScanBuffers]) {
      ASL_ASSIGN(const auto completion, transfers.next(true));
      if (!completion) return fail(ErrorCode::kIo, "a read was lost");
      results_[completion->token] = completion->result;
    }
    return {};
  }

  Result<void> take(std::uint64_t chunk) {
    const std::int64_t result = *results_[chunk % kScanBuffers];
    if (result < 0) return take_by_page(chunk);
    return take_read(span_of(chunk), static_cast<std::size_t>(result), chunk * kScanBufferBytes);
  }

  Result<void> take_read(ByteSpan wanted, std::size_t got, std::uint64_t offset) {
    ASL_TRY(follower_.good(wanted.first(got)));
    return follower_.bad(wanted.size() - got,
                         integrity_error("a block file is cut short", path_, offset + got));
  }

  // One bad sector must not cost the neighbours of its extent.
  Result<void> take_by_page(std::uint64_t chunk) {
    const MutableByteSpan whole = span_of(chunk);
    for (std::size_t at = 0; at < whole.size(); at += kPageSize) {
      const MutableByteSpan page = whole.subspan(at, std::min(kPageSize, whole.size() - at));
      const std::uint64_t offset = chunk * kScanBufferBytes + at;
      if (auto got = io_.read(file_, page, offset))
        ASL_TRY(take_read(page, *got, offset));
      else
        ASL_TRY(follower_.bad(page.size(), std::move(got).error().with_path(path_).with_offset(offset)));
    }
    return {};
  }

  io::Io& io_;
  const io::File& file_;
  const std::string& path_;
  const std::uint64_t length_;
  const BlockScanSink& sink_;
  Follower follower_;
  std::array<AlignedBuffer, kScanBuffers> buffers_;
  std::array<std::optional<std::int64_t>, kScanBuffers> results_;
};

}  // namespace

Result<void> scan_block(io::Io& io, const io::File& file, const std::string& path, const BlockMeta& meta,
                        const BlockScanSink& sink, StopToken stop) {
  ASL_ASSIGN(const struct stat status, io.status(file));
  if (static_cast<std::uint64_t>(status.st_size) > meta.length_bytes && sink.on_padding)
    ASL_TRY(sink.on_padding(
        integrity_error("a block file is longer than it was sealed", path, meta.length_bytes)));
  return Scan(io, file, path, meta, sink).run(stop);
}

Result<bool> block_verifies(io::Io& io, const io::File& file, const std::string& path,
                            const BlockMeta& meta) {
  bool good = true;
  BlockScanSink sink;
  sink.on_extent = [&good](const StoredExtent&, const Result<void>& outcome) -> Result<void> {
    good = good && outcome.has_value();
    return {};
  };
  sink.on_padding = [&good](const Error&) -> Result<void> {
    good = false;
    return {};
  };
  ASL_TRY(scan_block(io, file, path, meta, sink));
  return good;
}

}  // namespace asl
