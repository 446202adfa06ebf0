// Contents on their way to standard output.
#pragma once

#include <cstdint>
#include <functional>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/stop.h>

#include "output.h"

namespace asl::cli {

// Long enough that most extents are read whole into it, straight from the disk.
inline constexpr std::size_t kCopyBufferBytes = 8 << 20;

// Fills the buffer from `offset` on; returns the bytes read.
using ContentSource = std::function<Result<std::size_t>(std::uint64_t offset, MutableByteSpan into)>;

// Writes [0, length) to `out`. What comes before a failure has been written.
Result<void> copy_out(Output& out, std::uint64_t length, const StopToken& stop, const ContentSource& source);

}  // namespace asl::cli
