// Canonical JSON: the one encoding of everything that is signed or hashed as an authority object
// (doc/format-canonical-json.md). A narrow RFC 8785: whoever has the values has the bytes, and the reverse.
//
// Pure functions, any thread. What breaks the format is kMalformed and names the offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <asl/auth/value.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kCanonicalSizeMax = std::size_t{1} << 20;  // bytes: far above any object by hand
// Requests, receipts and responses list up to thousands of files.
inline constexpr std::size_t kCanonicalSizeMaxLists = std::size_t{16} << 20;
inline constexpr std::size_t kCanonicalDepthMax = 16;  // the deepest object has 5 levels
// A value takes about 60 bytes of memory and at least two of text: bounds memory at about 64 MiB.
inline constexpr std::size_t kCanonicalValuesMax = 1'000'000;
inline constexpr std::size_t kCanonicalKeyMax = 64;
inline constexpr std::int64_t kCanonicalIntegerMax =
    (std::int64_t{1} << 53) - 1;  // exact in every JSON reader

enum class KeyRule : std::uint8_t {
  kFields,    // [a-z0-9_]{1,64}
  kEnvelope,  // also A-Z: DSSE says payloadType
};

struct CanonicalRules {
  std::size_t size_max = kCanonicalSizeMax;
  KeyRule keys = KeyRule::kFields;
};

// Keys in byte order, nothing between tokens, the escapes of RFC 8785. An integer beyond
// kCanonicalIntegerMax is a programming error (std::logic_error); limits of size are the reader's.
std::string encode_canonical(const Value& value);

// The object that `text` encodes, if encoding it gives `text` again; everything else is refused: other
// spellings, keys given twice, bytes after the end, null, fractions. Size and depth are checked before work.
Result<Value> decode_canonical(std::string_view text, const CanonicalRules& rules = {});

}  // namespace asl::auth
