#include "commands/output_sink.h"

#include <algorithm>

namespace asl::cli {
namespace {

constexpr std::size_t kZeroBytes = 1 << 20;

}  // namespace

Result<void> OutputSink::data(ByteSpan bytes) {
  out_.write(as_text(bytes));
  return out_.good() ? Result<void>() : out_.flush();
}

Result<void> OutputSink::zeros(std::uint64_t length) {
  const Bytes block(static_cast<std::size_t>(std::min<std::uint64_t>(length, kZeroBytes)));
  for (std::uint64_t left = length; left > 0;) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(left, block.size()));
    ASL_TRY(data(ByteSpan(block).first(step)));
    left -= step;
  }
  return {};
}

}  // namespace asl::cli
