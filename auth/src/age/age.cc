#include <algorithm>
#include <cstring>
#include <sodium.h>

#include <asl/auth/age.h>

#include "age/armor.h"
#include "age/bech32.h"
#include "age/header.h"
#include "age/payload.h"
#include "age/spool.h"
#include "age/stanzas.h"

namespace asl::auth {
namespace {

constexpr std::string_view kRecipientPrefix = "age";
constexpr std::string_view kIdentityPrefix = "age-secret-key-";

unsigned char* raw(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

Result<void> write_file(const ByteSource& plaintext, const ByteSink& file,
                        const std::vector<AgeStanza>& stanzas, const AgeRandomness& randomness) {
  ASL_TRY(file(as_bytes(encode_age_header(stanzas, randomness.file_key))));
  ASL_TRY(file(randomness.nonce));
  return seal_payload(plaintext, file, age_payload_key(randomness.file_key, randomness.nonce));
}

Result<void> write_armored(const ByteSource& plaintext, const ByteSink& file,
                           const std::vector<AgeStanza>& stanzas, const AgeRandomness& randomness,
                           bool armor) {
  if (!armor) return write_file(plaintext, file, stanzas, randomness);
  ArmorEncoder encoder(file);
  ASL_TRY(write_file(plaintext, [&](ByteSpan bytes) { return encoder.write(bytes); }, stanzas, randomness));
  return encoder.finish();
}

// Up to and including the line that begins with "---"; byte by byte, since what follows is not the header's.
Result<std::string> read_header_text(const ByteSource& source) {
  std::string text;
  std::size_t line = 0;  // where the current one begins
  while (text.size() < kAgeHeaderMax) {
    std::byte byte{};
    ASL_ASSIGN(const std::size_t got, source(MutableByteSpan(&byte, 1)));
    if (got == 0) return age_header_error("it ends too soon");
    text += static_cast<char>(byte);
    if (text.back() != '\n') continue;
    if (text.compare(line, 3, "---") == 0) return text;
    line = text.size();
  }
  return age_header_error("larger than allowed");
}

// A source that reads ahead, so that single bytes are cheap.
ByteSource buffered(ByteSource source) {
  struct State {
    ByteSource source;
    Bytes buffer = Bytes(kAgeSealedChunkSize);
    std::size_t size = 0;
    std::size_t at = 0;
  };
  auto state = std::make_shared<State>();
  state->source = std::move(source);
  return [state](MutableByteSpan into) -> Result<std::size_t> {
    if (state->at == state->size) {
      ASL_ASSIGN(state->size, state->source(state->buffer));
      state->at = 0;
    }
    const std::size_t take = std::min(into.size(), state->size - state->at);
    if (take > 0) std::memcpy(into.data(), state->buffer.data() + state->at, take);
    state->at += take;
    return take;
  };
}

Result<ByteSource> unarmored(const ByteSource& file, AgeArmor armor) {
  if (armor == AgeArmor::kNo) return file;
  if (armor == AgeArmor::kYes) return armor_decoder(file);
  ASL_ASSIGN(PeekedSource peeked, peek_armor(file));
  return peeked.armored ? armor_decoder(std::move(peeked.source)) : std::move(peeked.source);
}

}  // namespace

namespace {

// A plugin's ("age1yubikey1...", "age1pq1..."): what stands before bech32's last '1' is its name. Or an SSH
// key.
bool is_other_recipient(std::string_view text) {
  constexpr std::string_view kPlugin = "age1";
  return text.starts_with("ssh-") ||
         (text.starts_with(kPlugin) && text.find('1', kPlugin.size()) != text.npos);
}

}  // namespace

Result<AgeRecipient> parse_age_recipient(std::string_view text) {
  start_crypto();
  if (is_other_recipient(text))
    return fail(Error{.code = ErrorCode::kUnsupported,
                      .message = "an age recipient that is no X25519 key (of a plugin, or an SSH key)",
                      .object = std::string(text.substr(0, 80)),
                      .hint = "a recipient as age-keygen makes it: age1..."});
  const auto bytes = decode_bech32(kRecipientPrefix, text);
  AgeRecipient recipient;
  const bool lower = std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!bytes || !lower || bytes->size() != recipient.key.size())
    return fail(Error{.code = ErrorCode::kMalformed,
                      .message = "not an age recipient (age1...)",
                      .object = std::string(text.substr(0, 80))});
  std::ranges::copy(bytes->span(), recipient.key.begin());
  // With a point of small order everybody would know the shared secret.
  SecretBytes shared(crypto_scalarmult_BYTES);
  const SecretBytes scalar = random_secret(crypto_scalarmult_SCALARBYTES);
  if (crypto_scalarmult(shared.raw(), scalar.raw(), raw(recipient.key.data())) != 0)
    return fail(Error{.code = ErrorCode::kMalformed,
                      .message = "an age recipient that hides nothing: a point of small order",
                      .object = std::string(text)});
  return recipient;
}

std::string to_text(const AgeRecipient& recipient) {
  return std::string(as_text(encode_bech32(kRecipientPrefix, recipient.key).span()));
}

AgeIdentity::AgeIdentity(SecretBytes scalar) : scalar_(std::move(scalar)) {
  crypto_scalarmult_base(raw(recipient_.key.data()), scalar_.raw());
}

AgeIdentity AgeIdentity::generate() {
  return AgeIdentity(random_secret(crypto_scalarmult_SCALARBYTES));
}

Result<AgeIdentity> AgeIdentity::parse(std::string_view text) {
  auto bytes = decode_bech32(kIdentityPrefix, text);
  const bool upper = std::ranges::none_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
  if (!bytes || !upper || bytes->size() != crypto_scalarmult_SCALARBYTES)
    return fail(ErrorCode::kMalformed, "not an age identity (AGE-SECRET-KEY-1...)");
  return AgeIdentity(std::move(*bytes));
}

SecretBytes AgeIdentity::text() const {
  SecretBytes text = encode_bech32(kIdentityPrefix, scalar_.span());
  for (std::byte& byte : text.span()) {
    const char c = static_cast<char>(byte);
    if (c >= 'a' && c <= 'z') byte = static_cast<std::byte>(c - 'a' + 'A');
  }
  return text;
}

AgeRandomness random_age_values(std::size_t recipients) {
  AgeRandomness values;
  values.file_key = random_secret(kAgeFileKeySize);
  randombytes_buf(values.nonce.data(), values.nonce.size());
  randombytes_buf(values.salt.data(), values.salt.size());
  values.ephemerals.reserve(recipients);
  for (std::size_t i = 0; i < recipients; ++i)
    values.ephemerals.push_back(random_secret(crypto_scalarmult_SCALARBYTES));
  return values;
}

Result<void> encrypt_age(const ByteSource& plaintext, const ByteSink& file,
                         std::span<const AgeRecipient> recipients, AgeRandomness randomness, bool armor) {
  if (recipients.empty() || randomness.ephemerals.size() != recipients.size())
    return fail(ErrorCode::kUsage, "an age file needs a recipient, and an ephemeral key for each");
  std::vector<AgeStanza> stanzas;
  for (std::size_t i = 0; i < recipients.size(); ++i)
    stanzas.push_back(wrap_x25519(randomness.file_key, recipients[i], randomness.ephemerals[i]));
  return write_armored(plaintext, file, stanzas, randomness, armor);
}

Result<void> encrypt_age(const ByteSource& plaintext, const ByteSink& file, const SecretBytes& pass_phrase,
                         unsigned work_factor, AgeRandomness randomness, bool armor) {
  ASL_ASSIGN(const AgeStanza stanza,
             wrap_scrypt(randomness.file_key, pass_phrase, work_factor, randomness.salt));
  return write_armored(plaintext, file, {stanza}, randomness, armor);
}

Result<void> decrypt_age(const ByteSource& file, const ByteSink& plaintext, const AgeOpeners& openers,
                         const AgeDecryptOptions& options) {
  start_crypto();
  ASL_ASSIGN(ByteSource binary, unarmored(file, options.armor));
  const ByteSource source = buffered(std::move(binary));
  ASL_ASSIGN(const std::string text, read_header_text(source));
  ASL_ASSIGN(const AgeHeader header, decode_age_header(text));
  ASL_TRY(check_stanzas(header.stanzas));
  ASL_ASSIGN(const SecretBytes file_key, unwrap_file_key(header.stanzas, openers));
  ASL_TRY(check_age_mac(header, file_key));
  AgeNonce nonce{};
  ASL_ASSIGN(const std::size_t got, read_full(source, nonce));
  if (got != nonce.size()) return age_header_error("it ends before the payload's nonce");
  const SecretBytes key = age_payload_key(file_key, nonce);
  const auto drop = [](ByteSpan) { return Result<void>(); };
  Spool spool(options.spool_directory);
  ASL_TRY(open_payload(source, drop, [&](ByteSpan sealed) { return spool.write(sealed); }, key));
  // Everything is verified. The spool is ours alone, and what comes out of it is checked once more.
  return open_payload(spool.reader(), plaintext, drop, key);
}

}  // namespace asl::auth
