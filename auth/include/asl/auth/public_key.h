// Ed25519 public keys, their names, and the one-line file that carries one (doc/format-keys.md).
#pragma once

#include <array>
#include <compare>
#include <string>
#include <string_view>

#include <asl/engine/bytes.h>
#include <asl/engine/domain_id.h>
#include <asl/engine/error.h>

namespace asl::auth {

using KeyId = Digest;

struct PublicKey {
  std::array<std::byte, 32> bytes{};
  auto operator<=>(const PublicKey&) const = default;
};

// Only a key that can have been made: the canonical encoding of a point of prime order. kMalformed otherwise.
Result<PublicKey> parse_public_key(std::string_view hex);
std::string to_text(const PublicKey& key);

// SHA-256("asl-key/1\ned25519\n" | 32 bytes).
KeyId key_id_of(const PublicKey& key);
// The first 20 bytes of SHA-256("asl-domain/1\n" | 32 bytes), for the root key of a domain's first DAM.
DomainId domain_id_of(const PublicKey& genesis_key);

// "asl-public-key-v1 ed25519 <64 hex> <comment>\n"; the comment is free text, perhaps empty, and nothing
// depends on it.
struct PublicKeyFile {
  PublicKey key;
  std::string comment;
};
inline constexpr std::size_t kPublicKeyFileMax = 1024;  // bytes
inline constexpr std::size_t kKeyCommentMax = 128;      // bytes
std::string encode_public_key_file(const PublicKeyFile& file);
Result<PublicKeyFile> decode_public_key_file(std::string_view text);
bool is_key_comment(std::string_view comment);

}  // namespace asl::auth
