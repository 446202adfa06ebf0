#include "commands/copy_out.h"

#include <algorithm>

namespace asl::cli {

Result<void> copy_out(Output& out, std::uint64_t length, const StopToken& stop, const ContentSource& source) {
  const AlignedBuffer buffer(std::min<std::uint64_t>(std::max<std::uint64_t>(length, 1), kCopyBufferBytes));
  for (std::uint64_t at = 0; at < length && out.good();) {
    ASL_TRY(stop.check());
    const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), length - at);
    ASL_ASSIGN(const std::size_t got, source(at, buffer.span().first(wanted)));
    if (got == 0) return fail(ErrorCode::kIntegrity, "the content ended before its length");
    out.write(as_text(buffer.span().first(got)));
    at += got;
  }
  return {};
}

}  // namespace asl::cli
