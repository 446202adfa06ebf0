// One value as SOPS seals it: "ENC[AES256_GCM,data:...,iv:...,tag:...,type:str]" (doc/format-bundle.md).
//
// AES-256-GCM with 32-byte IVs; the additional data is the value's path. Pure functions, any thread. Errors:
// kMalformed for the spelling, kIntegrity for what fails its authentication.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <asl/auth/secret.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kSopsKeySize = 32;
inline constexpr std::size_t kSopsIvSize = 32;  // not GCM's usual 12: SOPS has always had 32
inline constexpr std::size_t kSopsTagSize = 16;

enum class SopsType : std::uint8_t { kText, kInteger, kBoolean, kFloat };

struct EncValue {
  Bytes data;
  std::array<std::byte, kSopsIvSize> iv{};
  std::array<std::byte, kSopsTagSize> tag{};
  SopsType type = SopsType::kText;
};

// The whole scalar, one spelling: canonical base64, the fields in their order.
Result<EncValue> parse_enc_value(std::string_view text);
std::string to_text(const EncValue& value);

// `into` has data.size() bytes. On failure it is zeros.
Result<void> decrypt_enc_value(const EncValue& value, const SecretBytes& key, std::string_view additional,
                               MutableByteSpan into);
// With a fresh IV.
EncValue encrypt_enc_value(ByteSpan plaintext, SopsType type, const SecretBytes& key,
                           std::string_view additional);

}  // namespace asl::auth
