// A private key in this process.
#pragma once

#include <asl/auth/secret.h>
#include <asl/auth/signer.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kSeedSize = 32;  // bytes of an Ed25519 seed (RFC 8032)

// Holds the key in locked memory and wipes it at the end of its life. Movable; one thread at a time.
class SigningKey final : public Signer {
 public:
  // `seed` must have kSeedSize bytes.
  SigningKey(KeyClass key_class, const SecretBytes& seed);

  KeyClass key_class() const override { return key_class_; }
  const PublicKey& public_key() const override { return public_key_; }
  KeyId key_id() const { return key_id_of(public_key_); }
  // For the two places that store keys: key files and recovery bundles.
  SecretBytes seed() const;
  // Whether the pair works: signs something that no verifier takes for an object, and verifies it.
  // kIntegrity otherwise.
  Result<void> test_sign() const;

 private:
  Result<std::array<std::byte, 64>> sign_encoded(ByteSpan pre_authentication) override;

  KeyClass key_class_;
  PublicKey public_key_;
  SecretBytes secret_;  // seed and public key, as libsodium keeps it
};

// A fresh seed: 32 bytes from the system, and where `extra` is not empty, SHA-256 over a label, those bytes
// and `extra` (dice, a file): as unpredictable as the better of the two.
SecretBytes make_seed(ByteSpan extra);

}  // namespace asl::auth
