#include "commands/compression.h"

#include <charconv>
#include <string>

namespace asl::cli {
namespace {

constexpr int kLevelMax = 19;  // zstd's last level without "ultra" memory

}  // namespace

Result<Compression> parse_compression(std::string_view text) {
  Compression compression;
  const std::size_t colon = text.find(':');
  const std::string_view mode = text.substr(0, colon);
  if (mode == "off" && colon == std::string_view::npos) return compression;
  if (mode == "zstd" || mode == "auto") {
    compression.mode = mode == "zstd" ? CompressionMode::kZstd : CompressionMode::kAuto;
    if (colon == std::string_view::npos) return compression;
    const std::string_view level = text.substr(colon + 1);
    const auto parsed = std::from_chars(level.data(), level.data() + level.size(), compression.level);
    const bool whole = parsed.ec == std::errc() && parsed.ptr == level.data() + level.size();
    if (whole && compression.level >= 1 && compression.level <= kLevelMax) return compression;
  }
  return fail(Error{.code = ErrorCode::kUsage,
                    .message = "--compress takes off, zstd, zstd:LEVEL (1 to 19) or auto",
                    .object = std::string(text)});
}

}  // namespace asl::cli
