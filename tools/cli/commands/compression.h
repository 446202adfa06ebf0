// The value of --compress.
#pragma once

#include <string_view>

#include <asl/engine/store_writer.h>

namespace asl::cli {

// "off", "zstd", "zstd:LEVEL", "auto" or "auto:LEVEL"; kUsage for anything else.
Result<Compression> parse_compression(std::string_view text);

}  // namespace asl::cli
