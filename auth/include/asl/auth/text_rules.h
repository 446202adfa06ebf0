// What text in a signed object may hold, and its base64. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <asl/engine/bytes.h>

namespace asl::auth {

// One or more printable ASCII characters (U+0020 to U+007E).
bool is_identifier(std::string_view text);
// UTF-8 without control characters (C0, U+007F, C1) and without the characters that reorder what a person
// sees (the Bidi_Control property of Unicode 15): what is shown is what is signed.
bool is_free_text(std::string_view text);
bool is_utf8_text(std::string_view text);

// Standard base64 (RFC 4648, section 4) with padding.
std::string encode_base64(ByteSpan bytes);
// Accepts what encode_base64 would write, nothing else.
std::optional<Bytes> decode_base64(std::string_view text);
// The same without padding, as age writes it.
std::string encode_base64_unpadded(ByteSpan bytes);
std::optional<Bytes> decode_base64_unpadded(std::string_view text);

}  // namespace asl::auth
