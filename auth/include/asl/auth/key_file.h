// Private keys at rest: "*.priv.enc" (doc/format-keys.md). Argon2id stretches the pass phrase,
// XChaCha20-Poly1305 seals the seed, a commitment tells a wrong pass phrase from a damaged file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <asl/auth/secret.h>
#include <asl/auth/signing_key.h>
#include <asl/engine/error.h>

namespace asl::auth {

struct KdfCost {
  std::uint64_t memory_kib = 0;
  std::uint32_t passes = 0;
  bool operator==(const KdfCost&) const = default;
};
// A gibibyte and a few seconds for each guess; the moderate cost is for machines that have no gibibyte.
inline constexpr KdfCost kKdfDefault{std::uint64_t{1} << 20, 4};
inline constexpr KdfCost kKdfModerate{std::uint64_t{256} << 10, 3};
// What a reader accepts: below the floor a file is an attempt to weaken, above the ceiling one to exhaust.
inline constexpr KdfCost kKdfFloor{std::uint64_t{64} << 10, 3};
inline constexpr KdfCost kKdfCeiling{std::uint64_t{4} << 20, 16};

inline constexpr std::size_t kKeyFileMax = 4096;     // bytes; one has about 700
inline constexpr std::size_t kPassPhraseMax = 1024;  // bytes

// What a key file says of itself. Nothing of it is proved before the file is decrypted.
struct KeyFileFacts {
  KeyClass key_class = KeyClass::kOperational;
  PublicKey public_key;
  KdfCost cost;
};
Result<KeyFileFacts> inspect_key_file(std::string_view text);

// The text of a key file. Takes as long as the cost says; kNoSpace where the memory is not to be had.
Result<std::string> encrypt_key(const SigningKey& key, const SecretBytes& pass_phrase, const KdfCost& cost);
// kRefused for a wrong pass phrase; kIntegrity for a file that was changed.
Result<SigningKey> decrypt_key(std::string_view text, const SecretBytes& pass_phrase);

// Reads the file of that path (kMalformed above kKeyFileMax).
Result<std::string> read_key_file(const std::string& path);
// Encrypts, writes a new file of mode 0600, reads it back, decrypts what was read and signs a test: on return
// the file is durable and known to work. kRefused if something of that name exists; what fails leaves no
// file.
Result<void> write_key_file(const std::string& path, const SigningKey& key, const SecretBytes& pass_phrase,
                            const KdfCost& cost);
// The same over an existing file: at any moment either the old content or the new, tested one is there.
Result<void> replace_key_file(const std::string& path, const SigningKey& key, const SecretBytes& pass_phrase,
                              const KdfCost& cost);

}  // namespace asl::auth
