#include "age/stanzas.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <sodium.h>

#include <asl/auth/text_rules.h>

#include "age/hkdf.h"

namespace asl::auth {
namespace {

constexpr std::string_view kX25519 = "X25519";
constexpr std::string_view kScrypt = "scrypt";
constexpr std::string_view kX25519Info = "age-encryption.org/v1/X25519";
constexpr std::string_view kScryptLabel = "age-encryption.org/v1/scrypt";
constexpr std::size_t kWrappedSize = kAgeFileKeySize + crypto_aead_chacha20poly1305_ietf_ABYTES;
constexpr std::uint32_t kScryptBlockSize = 8;  // r; p is 1
// Each wrapping key is used once, so the nonce may be the same for all.
constexpr unsigned char kZeroNonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = {};

const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}
unsigned char* raw(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

Bytes seal(const SecretBytes& file_key, const SecretBytes& wrapping_key) {
  Bytes body(kWrappedSize);
  crypto_aead_chacha20poly1305_ietf_encrypt(raw(body.data()), nullptr, file_key.raw(), file_key.size(),
                                            nullptr, 0, nullptr, kZeroNonce, wrapping_key.raw());
  return body;
}

std::optional<SecretBytes> open(const Bytes& body, const SecretBytes& wrapping_key) {
  SecretBytes file_key(kAgeFileKeySize);
  if (crypto_aead_chacha20poly1305_ietf_decrypt(file_key.raw(), nullptr, nullptr, raw(body.data()),
                                                body.size(), nullptr, 0, kZeroNonce, wrapping_key.raw()) != 0)
    return std::nullopt;
  return file_key;
}

// Nothing for a point of small order, which would make a secret that everybody knows.
std::optional<SecretBytes> x25519_wrapping_key(const SecretBytes& scalar, ByteSpan point, ByteSpan share,
                                               ByteSpan recipient) {
  SecretBytes shared(crypto_scalarmult_BYTES);
  if (crypto_scalarmult(shared.raw(), scalar.raw(), raw(point.data())) != 0) return std::nullopt;
  Bytes salt(share.begin(), share.end());
  salt.insert(salt.end(), recipient.begin(), recipient.end());
  return hkdf_sha256(shared.span(), salt, kX25519Info, crypto_aead_chacha20poly1305_ietf_KEYBYTES);
}

Result<SecretBytes> scrypt_wrapping_key(const SecretBytes& pass_phrase, ByteSpan salt, unsigned work_factor) {
  Bytes labelled(as_bytes(kScryptLabel).begin(), as_bytes(kScryptLabel).end());
  labelled.insert(labelled.end(), salt.begin(), salt.end());
  SecretBytes key(crypto_aead_chacha20poly1305_ietf_KEYBYTES);
  if (crypto_pwhash_scryptsalsa208sha256_ll(pass_phrase.raw(), pass_phrase.size(), raw(labelled.data()),
                                            labelled.size(), std::uint64_t{1} << work_factor,
                                            kScryptBlockSize, 1, key.raw(), key.size()) != 0)
    return fail(ErrorCode::kNoSpace, fmt::format("no memory for the pass phrase: scrypt needs {} MiB",
                                                 (std::uint64_t{1} << work_factor) / 1024));
  return key;
}

// What a scrypt stanza says; nothing if it is malformed.
struct ScryptArguments {
  Bytes salt;
  unsigned work_factor = 0;
};
std::optional<ScryptArguments> scrypt_arguments(const AgeStanza& stanza) {
  constexpr std::size_t kSaltSize = 16;
  if (stanza.arguments.size() != 2 || stanza.body.size() != kWrappedSize) return std::nullopt;
  auto salt = decode_base64_unpadded(stanza.arguments[0]);
  if (!salt || salt->size() != kSaltSize) return std::nullopt;
  const std::string& digits = stanza.arguments[1];
  unsigned work_factor = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), work_factor);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() ||
      std::to_string(work_factor) != digits || work_factor == 0 || work_factor > kAgeWorkFactorMax)
    return std::nullopt;
  return ScryptArguments{.salt = std::move(*salt), .work_factor = work_factor};
}

std::optional<Bytes> x25519_share(const AgeStanza& stanza) {
  if (stanza.arguments.size() != 1 || stanza.body.size() != kWrappedSize) return std::nullopt;
  auto share = decode_base64_unpadded(stanza.arguments[0]);
  if (!share || share->size() != crypto_scalarmult_BYTES) return std::nullopt;
  return share;
}

Result<std::optional<SecretBytes>> try_identity(const AgeStanza& stanza, const AgeIdentity& identity) {
  const auto share = x25519_share(stanza);
  if (!share) return age_header_error("a malformed X25519 stanza");
  const auto key = x25519_wrapping_key(identity.scalar(), *share, *share, identity.recipient().key);
  if (!key) return age_header_error("an X25519 share of small order");
  return open(stanza.body, *key);
}

Result<std::optional<SecretBytes>> try_pass_phrase(const AgeStanza& stanza, const SecretBytes& pass_phrase) {
  const auto arguments = scrypt_arguments(stanza);
  if (!arguments) return age_header_error("a malformed scrypt stanza");
  ASL_ASSIGN(const SecretBytes key,
             scrypt_wrapping_key(pass_phrase, arguments->salt, arguments->work_factor));
  return open(stanza.body, key);
}

}  // namespace

AgeStanza wrap_x25519(const SecretBytes& file_key, const AgeRecipient& recipient,
                      const SecretBytes& ephemeral) {
  Bytes share(crypto_scalarmult_BYTES);
  crypto_scalarmult_base(raw(share.data()), ephemeral.raw());
  // A recipient was parsed, and so is no point of small order.
  const auto key = x25519_wrapping_key(ephemeral, recipient.key, share, recipient.key);
  return {.type = std::string(kX25519),
          .arguments = {encode_base64_unpadded(share)},
          .body = seal(file_key, key.value())};
}

Result<AgeStanza> wrap_scrypt(const SecretBytes& file_key, const SecretBytes& pass_phrase,
                              unsigned work_factor, const std::array<std::byte, 16>& salt) {
  if (work_factor == 0 || work_factor > kAgeWorkFactorMax)
    return fail(ErrorCode::kUsage, fmt::format("a work factor from 1 to {}", kAgeWorkFactorMax));
  ASL_ASSIGN(const SecretBytes key, scrypt_wrapping_key(pass_phrase, salt, work_factor));
  return AgeStanza{.type = std::string(kScrypt),
                   .arguments = {encode_base64_unpadded(salt), std::to_string(work_factor)},
                   .body = seal(file_key, key)};
}

Result<void> check_stanzas(const std::vector<AgeStanza>& stanzas) {
  for (const AgeStanza& stanza : stanzas) {
    if (stanza.type == kX25519 && !x25519_share(stanza)) return age_header_error("a malformed X25519 stanza");
    if (stanza.type != kScrypt) continue;
    if (stanzas.size() != 1) return age_header_error("a scrypt stanza that is not the only one");
    if (!scrypt_arguments(stanza))
      return age_header_error("a malformed scrypt stanza, or too large a work factor");
  }
  return {};
}

Result<SecretBytes> unwrap_file_key(const std::vector<AgeStanza>& stanzas, const AgeOpeners& openers) {
  for (const AgeStanza& stanza : stanzas) {
    if (stanza.type == kScrypt && openers.pass_phrase != nullptr) {
      ASL_ASSIGN(auto key, try_pass_phrase(stanza, *openers.pass_phrase));
      if (key) return std::move(*key);
    }
    if (stanza.type != kX25519) continue;
    for (const AgeIdentity& identity : openers.identities) {
      ASL_ASSIGN(auto key, try_identity(stanza, identity));
      if (key) return std::move(*key);
    }
  }
  return fail(ErrorCode::kRefused, "no identity or pass phrase opens this age file");
}

}  // namespace asl::auth
