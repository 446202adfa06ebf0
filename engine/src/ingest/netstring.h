// Cutting a byte stream into netstrings: "12:hello world!," (doc/put.md).
#pragma once

#include <cstdint>
#include <optional>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl {

// The longest prefix: the 19 digits of the longest artifact, and ':'.
inline constexpr std::size_t kNetstringPrefixMax = 20;

struct NetstringPrefix {
  std::uint64_t length = 0;    // of what follows, without the ','
  std::size_t size_bytes = 0;  // of the prefix itself, ':' included
};

// The prefix at the beginning of `bytes`; nothing if more bytes are needed to tell. kMalformed, with the
// offset within `bytes`, for anything else than decimal digits without needless zeros, and ':'.
Result<std::optional<NetstringPrefix>> parse_netstring_prefix(ByteSpan bytes);

}  // namespace asl
