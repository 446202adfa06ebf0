#include <algorithm>
#include <fmt/format.h>
#include <sodium.h>

#include <asl/auth/public_key.h>
#include <asl/auth/secret.h>
#include <asl/auth/text_rules.h>
#include <asl/engine/hash.h>

namespace asl::auth {
namespace {

constexpr std::string_view kLineBegins = "asl-public-key-v1 ed25519 ";
constexpr std::size_t kKeyHex = 64;

Digest hash_of(std::string_view label, const PublicKey& key) {
  Sha256 hash;
  hash.update(as_bytes(label));
  hash.update(key.bytes);
  return hash.finish();
}

}  // namespace

Result<PublicKey> parse_public_key(std::string_view hex) {
  start_crypto();
  PublicKey key;
  if (!from_hex(hex, key.bytes))
    return fail(ErrorCode::kMalformed, "a public key is 64 lower-case hex digits");
  if (crypto_core_ed25519_is_valid_point(reinterpret_cast<const unsigned char*>(key.bytes.data())) != 1)
    return fail(Error{.code = ErrorCode::kMalformed,
                      .message = "not an Ed25519 public key: no signer has a key like this",
                      .object = std::string(hex)});
  return key;
}

std::string to_text(const PublicKey& key) {
  return to_hex(key.bytes);
}

KeyId key_id_of(const PublicKey& key) {
  return hash_of("asl-key/1\ned25519\n", key);
}

DomainId domain_id_of(const PublicKey& genesis_key) {
  const Digest digest = hash_of("asl-domain/1\n", genesis_key);
  DomainId id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

bool is_key_comment(std::string_view comment) {
  return comment.size() <= kKeyCommentMax && is_free_text(comment) && !comment.starts_with(' ') &&
         !comment.ends_with(' ');
}

std::string encode_public_key_file(const PublicKeyFile& file) {
  return fmt::format("{}{}{}{}\n", kLineBegins, to_text(file.key), file.comment.empty() ? "" : " ",
                     file.comment);
}

Result<PublicKeyFile> decode_public_key_file(std::string_view text) {
  const auto malformed = [](std::string_view why) {
    return fail(Error{.code = ErrorCode::kMalformed,
                      .message = fmt::format("not a public key file: {}", why),
                      .hint = "it is one line: asl-public-key-v1 ed25519 <64 hex digits> <comment>"});
  };
  if (text.size() > kPublicKeyFileMax) return malformed("it is too long");
  if (!text.ends_with('\n') || text.find('\n') != text.size() - 1) return malformed("it must be one line");
  text.remove_suffix(1);
  if (!text.starts_with(kLineBegins)) return malformed("it does not begin as one");
  text.remove_prefix(kLineBegins.size());
  ASL_ASSIGN(const PublicKey key, parse_public_key(text.substr(0, kKeyHex)));
  text.remove_prefix(kKeyHex);
  PublicKeyFile file{key, std::string(text.substr(text.empty() ? 0 : 1))};
  if (!is_key_comment(file.comment)) return malformed("the comment is not plain text, or too long");
  if (encode_public_key_file(file) != fmt::format("{}{}{}\n", kLineBegins, to_text(key), text))
    return malformed("something follows the key");
  return file;
}

}  // namespace asl::auth
