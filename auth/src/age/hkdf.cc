#include "age/hkdf.h"

#include <algorithm>
#include <cstring>
#include <sodium.h>

namespace asl::auth {
namespace {

// libsodium wants a pointer even to nothing.
const unsigned char* raw(ByteSpan bytes) {
  static constexpr unsigned char kNothing = 0;
  return bytes.empty() ? &kNothing : reinterpret_cast<const unsigned char*>(bytes.data());
}

// The parts one after the other, as one message.
SecretBytes hmac(ByteSpan key, std::initializer_list<ByteSpan> parts) {
  crypto_auth_hmacsha256_state state;
  SecretBytes mac(crypto_auth_hmacsha256_BYTES);
  crypto_auth_hmacsha256_init(&state, raw(key), key.size());
  for (const ByteSpan part : parts) crypto_auth_hmacsha256_update(&state, raw(part), part.size());
  crypto_auth_hmacsha256_final(&state, mac.raw());
  sodium_memzero(&state, sizeof state);
  return mac;
}

}  // namespace

SecretBytes hmac_sha256(ByteSpan key, ByteSpan message) {
  return hmac(key, {message});
}

SecretBytes hkdf_sha256(ByteSpan input_key, ByteSpan salt, std::string_view info, std::size_t size) {
  start_crypto();
  const SecretBytes pseudo_random_key = hmac(salt, {input_key});
  SecretBytes out(size);
  SecretBytes block;
  std::size_t done = 0;
  for (std::byte counter{1}; done < size; counter = std::byte(std::to_integer<unsigned>(counter) + 1)) {
    block = hmac(pseudo_random_key.span(), {block.span(), as_bytes(info), ByteSpan(&counter, 1)});
    const std::size_t take = std::min(block.size(), size - done);
    std::memcpy(out.data() + done, block.data(), take);
    done += take;
  }
  return out;
}

}  // namespace asl::auth
