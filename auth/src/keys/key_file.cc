#include <cstring>
#include <fmt/format.h>
#include <sodium.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/files.h>
#include <asl/auth/key_file.h>
#include <asl/auth/rules.h>

#include "objects/object_reader.h"

namespace asl::auth {
namespace {

constexpr std::string_view kKind = "private-key";
constexpr std::string_view kKdfName = "argon2id";
constexpr std::string_view kAeadName = "xchacha20-poly1305-ietf";
constexpr std::size_t kKeySize = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kCommitmentSize = 32;
constexpr std::size_t kSealedSize = kSeedSize + crypto_aead_xchacha20poly1305_ietf_ABYTES;

// The fields of a key file.
struct Sealed {
  KeyFileFacts facts;
  std::array<std::byte, crypto_pwhash_SALTBYTES> salt{};
  std::array<std::byte, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES> nonce{};
  std::array<std::byte, kCommitmentSize> commitment{};
  std::array<std::byte, kSealedSize> ciphertext{};
};

unsigned char* raw(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}
const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

Value::Object fields_without_ciphertext(const Sealed& sealed) {
  return {{"kind", kKind},
          {"v", 1},
          {"key_class", key_class_name(sealed.facts.key_class)},
          {"key_id", to_hex(key_id_of(sealed.facts.public_key))},
          {"public_key", to_text(sealed.facts.public_key)},
          {"kdf", Value::Object{{"algorithm", kKdfName},
                                {"memory_kib", sealed.facts.cost.memory_kib},
                                {"passes", sealed.facts.cost.passes},
                                {"salt", to_hex(sealed.salt)}}},
          {"aead", kAeadName},
          {"nonce", to_hex(sealed.nonce)},
          {"commitment", to_hex(sealed.commitment)}};
}

bool acceptable(const KdfCost& cost) {
  return cost.memory_kib >= kKdfFloor.memory_kib && cost.memory_kib <= kKdfCeiling.memory_kib &&
         cost.passes >= kKdfFloor.passes && cost.passes <= kKdfCeiling.passes;
}

Result<Sealed> decode_sealed(std::string_view text) {
  if (text.size() > kKeyFileMax) return fail(ErrorCode::kMalformed, "too long for a private key file");
  ASL_ASSIGN(const Value value, decode_canonical(text, {.size_max = kKeyFileMax}));
  ObjectReader reader(value, "private-key");
  Sealed sealed;
  constexpr std::string_view kClasses[] = {"offline-root", "domain-root", "operational"};
  constexpr std::string_view kAeads[] = {kAeadName};
  constexpr std::string_view kKdfs[] = {kKdfName};
  reader.names_itself(kKind);
  sealed.facts.key_class = *key_class_of_name(kClasses[reader.choice("key_class", kClasses)]);
  sealed.facts.public_key = reader.public_key("public_key");
  const Digest id = reader.digest("key_id");
  reader.choice("aead", kAeads);
  reader.hex("nonce", sealed.nonce);
  reader.hex("commitment", sealed.commitment);
  reader.hex("ciphertext", sealed.ciphertext);
  ObjectReader kdf = reader.object("kdf");
  kdf.choice("algorithm", kKdfs);
  sealed.facts.cost.memory_kib =
      static_cast<std::uint64_t>(kdf.integer("memory_kib", 0, kCanonicalIntegerMax));
  sealed.facts.cost.passes = static_cast<std::uint32_t>(kdf.integer("passes", 0, 1 << 16));
  kdf.hex("salt", sealed.salt);
  ASL_TRY(kdf.finish());
  ASL_TRY(reader.finish());
  if (id != key_id_of(sealed.facts.public_key))
    return broken_rule("key-file-key", "the key id is not the public key's", to_hex(id));
  if (!acceptable(sealed.facts.cost))
    return broken_rule("key-file-cost", fmt::format("{} KiB of memory and {} passes are out of bounds",
                                                    sealed.facts.cost.memory_kib, sealed.facts.cost.passes));
  return sealed;
}

// 32 bytes of key, then 32 of commitment.
Result<SecretBytes> stretch(const SecretBytes& pass_phrase, const Sealed& sealed) {
  SecretBytes out(kKeySize + kCommitmentSize);
  const KdfCost& cost = sealed.facts.cost;
  if (crypto_pwhash(out.raw(), out.size(), reinterpret_cast<const char*>(pass_phrase.data()),
                    pass_phrase.size(), raw(sealed.salt.data()), cost.passes, cost.memory_kib * 1024,
                    crypto_pwhash_ALG_ARGON2ID13) != 0)
    return fail(Error{.code = ErrorCode::kNoSpace,
                      .message = fmt::format("no memory for the pass phrase: Argon2id needs {} MiB",
                                             cost.memory_kib / 1024),
                      .hint = "close other programs, or make the key with --kdf moderate"});
  return out;
}

SecretBytes part_of(const SecretBytes& whole, std::size_t offset, std::size_t size) {
  SecretBytes part(size);
  std::memcpy(part.data(), whole.data() + offset, size);
  return part;
}

// Whether what lies at `path` now can be opened, and is this key.
Result<void> prove_key_file(const std::string& path, const SigningKey& key, const SecretBytes& pass_phrase) {
  ASL_ASSIGN(const std::string text, read_key_file(path));
  ASL_ASSIGN(const SigningKey read_back, decrypt_key(text, pass_phrase));
  ASL_TRY(read_back.test_sign());
  if (read_back.public_key() != key.public_key() || read_back.key_class() != key.key_class())
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "the file that was written holds another key",
                      .path = path});
  return {};
}

}  // namespace

Result<KeyFileFacts> inspect_key_file(std::string_view text) {
  ASL_ASSIGN(const Sealed sealed, decode_sealed(text));
  return sealed.facts;
}

Result<std::string> encrypt_key(const SigningKey& key, const SecretBytes& pass_phrase, const KdfCost& cost) {
  if (!acceptable(cost)) return broken_rule("key-file-cost", "this cost would never be accepted again");
  Sealed sealed{.facts = {.key_class = key.key_class(), .public_key = key.public_key(), .cost = cost}};
  randombytes_buf(sealed.salt.data(), sealed.salt.size());
  randombytes_buf(sealed.nonce.data(), sealed.nonce.size());
  ASL_ASSIGN(const SecretBytes stretched, stretch(pass_phrase, sealed));
  std::memcpy(sealed.commitment.data(), stretched.data() + kKeySize, kCommitmentSize);
  const SecretBytes seed = key.seed();
  Value::Object fields = fields_without_ciphertext(sealed);
  const std::string bound = encode_canonical(fields);
  crypto_aead_xchacha20poly1305_ietf_encrypt(raw(sealed.ciphertext.data()), nullptr, seed.raw(), seed.size(),
                                             reinterpret_cast<const unsigned char*>(bound.data()),
                                             bound.size(), nullptr, raw(sealed.nonce.data()),
                                             stretched.raw());
  fields.emplace("ciphertext", to_hex(sealed.ciphertext));
  return encode_canonical(fields);
}

Result<SigningKey> decrypt_key(std::string_view text, const SecretBytes& pass_phrase) {
  ASL_ASSIGN(const Sealed sealed, decode_sealed(text));
  ASL_ASSIGN(const SecretBytes stretched, stretch(pass_phrase, sealed));
  const SecretBytes commitment = part_of(stretched, kKeySize, kCommitmentSize);
  if (!equal_secrets(commitment.span(), sealed.commitment))
    return fail(
        Error{.code = ErrorCode::kRefused,
              .message = "wrong pass phrase",
              .object = to_hex(key_id_of(sealed.facts.public_key)),
              .hint = "the pass phrase is taken byte by byte: look at case, spaces and keyboard layout"});
  const std::string bound = encode_canonical(fields_without_ciphertext(sealed));
  SecretBytes seed(kSeedSize);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          seed.raw(), nullptr, nullptr, raw(sealed.ciphertext.data()), sealed.ciphertext.size(),
          reinterpret_cast<const unsigned char*>(bound.data()), bound.size(), raw(sealed.nonce.data()),
          stretched.raw()) != 0)
    return fail(
        Error{.code = ErrorCode::kIntegrity,
              .message = "the private key file was changed: the pass phrase is right, the content is not",
              .hint = "take another copy of the file"});
  SigningKey key(sealed.facts.key_class, seed);
  if (key.public_key() != sealed.facts.public_key)
    return broken_rule("key-file-key", "the private key makes another public key", to_text(key.public_key()));
  return key;
}

Result<std::string> read_key_file(const std::string& path) {
  return read_text_file(path, kKeyFileMax);
}

Result<void> write_key_file(const std::string& path, const SigningKey& key, const SecretBytes& pass_phrase,
                            const KdfCost& cost) {
  ASL_ASSIGN(const std::string text, encrypt_key(key, pass_phrase, cost));
  ASL_TRY(write_new_file(path, text, FileMode::kPrivate));
  auto proved = prove_key_file(path, key, pass_phrase);
  if (!proved) (void)remove_file(path);  // it is of no use, and the failure is what matters
  return proved;
}

Result<void> replace_key_file(const std::string& path, const SigningKey& key, const SecretBytes& pass_phrase,
                              const KdfCost& cost) {
  ASL_ASSIGN(const std::string text, encrypt_key(key, pass_phrase, cost));
  const std::string beside = path + ".next";
  // One that a crash left there is of no use: the file itself is still the old one.
  ASL_TRY(replace_text_file(beside, text, FileMode::kPrivate));
  if (auto proved = prove_key_file(beside, key, pass_phrase); !proved) {
    (void)remove_file(beside);
    return proved;
  }
  return rename_file(beside, path);
}

}  // namespace asl::auth
