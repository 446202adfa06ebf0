#include <algorithm>
#include <cstring>
#include <memory>
#include <sodium.h>

#include <asl/auth/signing_key.h>

namespace asl::auth {
namespace {

unsigned char* raw(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}
const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

}  // namespace

SigningKey::SigningKey(KeyClass key_class, const SecretBytes& seed)
    : key_class_(key_class), secret_(crypto_sign_SECRETKEYBYTES) {
  static_assert(crypto_sign_SEEDBYTES == kSeedSize);
  crypto_sign_seed_keypair(raw(public_key_.bytes.data()), secret_.raw(), seed.raw());
}

SecretBytes SigningKey::seed() const {
  SecretBytes seed(kSeedSize);
  std::memcpy(seed.data(), secret_.data(), kSeedSize);
  return seed;
}

Result<std::array<std::byte, 64>> SigningKey::sign_encoded(ByteSpan pre_authentication) {
  std::array<std::byte, 64> signature{};
  crypto_sign_detached(raw(signature.data()), nullptr, raw(pre_authentication.data()),
                       pre_authentication.size(), secret_.raw());
  return signature;
}

SecretBytes make_seed(ByteSpan extra) {
  SecretBytes system = random_secret(kSeedSize);
  if (extra.empty()) return system;
  static constexpr char kLabel[] = "asl-key-mix/1\n";
  SecretBytes state_memory(sizeof(crypto_hash_sha256_state) + alignof(crypto_hash_sha256_state));
  void* at = state_memory.data();
  std::size_t space = state_memory.size();
  auto* state = static_cast<crypto_hash_sha256_state*>(
      std::align(alignof(crypto_hash_sha256_state), sizeof(crypto_hash_sha256_state), at, space));
  SecretBytes seed(kSeedSize);
  crypto_hash_sha256_init(state);
  crypto_hash_sha256_update(state, reinterpret_cast<const unsigned char*>(kLabel), sizeof kLabel - 1);
  crypto_hash_sha256_update(state, system.raw(), system.size());
  crypto_hash_sha256_update(state, raw(extra.data()), extra.size());
  crypto_hash_sha256_final(state, seed.raw());
  return seed;
}

Result<void> SigningKey::test_sign() const {
  // No pre-authentication encoding begins like this, so the signature could never serve as an object's.
  static constexpr char kMessage[] = "asl-key-test/1\n";
  const auto* message = reinterpret_cast<const unsigned char*>(kMessage);
  std::array<unsigned char, crypto_sign_BYTES> signature{};
  crypto_sign_detached(signature.data(), nullptr, message, sizeof kMessage - 1, secret_.raw());
  if (crypto_sign_verify_detached(signature.data(), message, sizeof kMessage - 1,
                                  raw(public_key_.bytes.data())) == 0)
    return {};
  return fail(Error{.code = ErrorCode::kIntegrity,
                    .message = "the key does not sign: a test signature does not verify",
                    .object = to_hex(key_id())});
}

}  // namespace asl::auth
