// The payload of an age file: chunks of 64 KiB, each sealed with its number and whether it is the last.
#pragma once

#include <array>

#include <asl/auth/age.h>

namespace asl::auth {

inline constexpr std::size_t kAgeSealedChunkSize = kAgeChunkSize + 16;  // bytes
using AgeNonce = std::array<std::byte, 16>;

SecretBytes age_payload_key(const SecretBytes& file_key, const AgeNonce& nonce);

// Seals everything the source gives.
Result<void> seal_payload(const ByteSource& plaintext, const ByteSink& sealed,
                          const SecretBytes& payload_key);
// Opens chunk after chunk to the end. Each chunk reaches `plaintext` as it is opened; `sealed` sees each
// sealed chunk that was opened before that (it may be empty).
Result<void> open_payload(const ByteSource& source, const ByteSink& plaintext, const ByteSink& sealed,
                          const SecretBytes& payload_key);

}  // namespace asl::auth
