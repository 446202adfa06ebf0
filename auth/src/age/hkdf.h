// HKDF with SHA-256 (RFC 5869). libsodium 1.0.18 has HMAC and no HKDF.
#pragma once

#include <string_view>

#include <asl/auth/secret.h>

namespace asl::auth {

// `size` at most 255 * 32.
SecretBytes hkdf_sha256(ByteSpan input_key, ByteSpan salt, std::string_view info, std::size_t size);
// HMAC-SHA-256 over `message`, 32 bytes.
SecretBytes hmac_sha256(ByteSpan key, ByteSpan message);

}  // namespace asl::auth
