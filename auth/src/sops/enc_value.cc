#include "sops/enc_value.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdexcept>

#include <asl/auth/text_rules.h>

namespace asl::auth {
namespace {

constexpr std::string_view kBegins = "ENC[AES256_GCM,data:";
constexpr std::string_view kTypeNames[] = {"str", "int", "bool", "float"};

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

unsigned char* raw(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}
const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

// These fail for want of memory or of the algorithm only.
void must_work(int result) {
  if (result != 1) throw std::runtime_error("AES-256-GCM of OpenSSL does not work");
}

void set_iv(EVP_CIPHER_CTX* context) {
  must_work(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(kSopsIvSize), nullptr));
}

std::unexpected<Error> no_value(std::string_view why) {
  return fail(ErrorCode::kMalformed, fmt::format("not a value as SOPS seals it: {}", why));
}

// What stands between `text`'s beginning and `end`, which is passed over as well.
std::optional<std::string_view> take_until(std::string_view& text, std::string_view end) {
  const auto at = text.find(end);
  if (at == text.npos) return std::nullopt;
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + end.size());
  return taken;
}

bool take_exactly(std::string_view base64, MutableByteSpan into) {
  const auto bytes = decode_base64(base64);
  if (!bytes || bytes->size() != into.size()) return false;
  std::ranges::copy(*bytes, into.begin());
  return true;
}

}  // namespace

Result<EncValue> parse_enc_value(std::string_view text) {
  if (!text.starts_with(kBegins)) return no_value("it does not begin with " + std::string(kBegins));
  text.remove_prefix(kBegins.size());
  const auto data = take_until(text, ",iv:");
  const auto iv = take_until(text, ",tag:");
  const auto tag = take_until(text, ",type:");
  if (!data || !iv || !tag || !text.ends_with(']')) return no_value("data, iv, tag or type is missing");
  text.remove_suffix(1);
  EncValue value;
  auto bytes = decode_base64(*data);
  if (!bytes || bytes->empty()) return no_value("its data is no canonical base64, or nothing");
  value.data = std::move(*bytes);
  if (!take_exactly(*iv, value.iv)) return no_value("its IV is no canonical base64 of 32 bytes");
  if (!take_exactly(*tag, value.tag)) return no_value("its tag is no canonical base64 of 16 bytes");
  const auto type = std::ranges::find(kTypeNames, text);
  if (type == std::end(kTypeNames)) return no_value("its type is none of str, int, bool, float");
  value.type = static_cast<SopsType>(type - std::begin(kTypeNames));
  return value;
}

std::string to_text(const EncValue& value) {
  return fmt::format("{}{},iv:{},tag:{},type:{}]", kBegins, encode_base64(value.data),
                     encode_base64(value.iv), encode_base64(value.tag),
                     kTypeNames[static_cast<std::size_t>(value.type)]);
}

Result<void> decrypt_enc_value(const EncValue& value, const SecretBytes& key, std::string_view additional,
                               MutableByteSpan into) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  if (!context) throw std::bad_alloc();
  must_work(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, nullptr, nullptr));
  set_iv(context.get());
  must_work(EVP_DecryptInit_ex(context.get(), nullptr, nullptr, key.raw(), raw(value.iv.data())));
  int size = 0;
  must_work(EVP_DecryptUpdate(context.get(), nullptr, &size,
                              reinterpret_cast<const unsigned char*>(additional.data()),
                              static_cast<int>(additional.size())));
  must_work(EVP_DecryptUpdate(context.get(), raw(into.data()), &size, raw(value.data.data()),
                              static_cast<int>(value.data.size())));
  auto tag = value.tag;  // OpenSSL asks for memory that it may write to
  must_work(
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), tag.data()));
  unsigned char nothing = 0;
  if (EVP_DecryptFinal_ex(context.get(), &nothing, &size) == 1) return {};
  sodium_memzero(into.data(), into.size());
  return fail(ErrorCode::kIntegrity, "a sealed value is not what was sealed, or not where it was sealed");
}

EncValue encrypt_enc_value(ByteSpan plaintext, SopsType type, const SecretBytes& key,
                           std::string_view additional) {
  start_crypto();
  EncValue value{.data = Bytes(plaintext.size()), .iv = {}, .tag = {}, .type = type};
  randombytes_buf(value.iv.data(), value.iv.size());
  const CipherContext context(EVP_CIPHER_CTX_new());
  if (!context) throw std::bad_alloc();
  must_work(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, nullptr, nullptr));
  set_iv(context.get());
  must_work(EVP_EncryptInit_ex(context.get(), nullptr, nullptr, key.raw(), raw(value.iv.data())));
  int size = 0;
  must_work(EVP_EncryptUpdate(context.get(), nullptr, &size,
                              reinterpret_cast<const unsigned char*>(additional.data()),
                              static_cast<int>(additional.size())));
  must_work(EVP_EncryptUpdate(context.get(), raw(value.data.data()), &size, raw(plaintext.data()),
                              static_cast<int>(plaintext.size())));
  unsigned char nothing = 0;
  must_work(EVP_EncryptFinal_ex(context.get(), &nothing, &size));
  must_work(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(value.tag.size()),
                                value.tag.data()));
  return value;
}

}  // namespace asl::auth
