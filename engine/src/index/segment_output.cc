#include "index/segment_output.h"

#include <algorithm>
#include <cstring>

#include "index/segment_format.h"

namespace asl {
namespace {

// Large enough that system calls do not count, small enough to stay in a processor's cache while it is
// hashed.
constexpr std::size_t kOutputBufferBytes = 512 << 10;
static_assert(kOutputBufferBytes % kPageSize == 0, "buffers hold whole pages, so sums never straddle them");

}  // namespace

SegmentOutput::SegmentOutput(io::Io& io, const io::File& file)
    : io_(&io), file_(&file), buffer_(kOutputBufferBytes) {}

Result<void> SegmentOutput::append(ByteSpan bytes) {
  while (!bytes.empty()) {
    const std::size_t take = std::min(bytes.size(), buffer_.size() - used_);
    std::memcpy(buffer_.data() + used_, bytes.data(), take);
    used_ += take;
    bytes = bytes.subspan(take);
    if (used_ == buffer_.size()) ASL_TRY(flush());
  }
  return {};
}

Result<void> SegmentOutput::flush() {
  const ByteSpan pending(buffer_.data(), used_);
  hash_.update(pending);
  if (summing_)
    for (std::size_t at = 0; at < used_; at += kPageSize)
      page_sums_.push_back(xxh3(pending.subspan(at, kPageSize)));
  ASL_TRY(io_->write(*file_, pending, flushed_));
  flushed_ += used_;
  used_ = 0;
  return {};
}

Result<SegmentOutput::Hashes> SegmentOutput::finish() {
  const Bytes padding(round_up(offset(), kPageSize) - offset());
  ASL_TRY(append(padding));
  ASL_TRY(flush());
  summing_ = false;
  ASL_TRY(append(std::as_bytes(std::span(page_sums_))));
  ASL_TRY(flush());

  SegmentFooter footer{};
  std::ranges::copy(kSegmentFooterMagic, footer.magic.begin());
  footer.file_size = flushed_ + sizeof footer;
  Sha256 body = hash_;
  footer.sha256 = body.finish();
  ASL_TRY(append(std::as_bytes(std::span(&footer, 1))));
  ASL_TRY(flush());
  ASL_TRY(io_->sync_data(*file_));
  return Hashes{.whole = hash_.finish(), .file_size = flushed_};
}

}  // namespace asl
