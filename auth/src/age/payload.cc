#include "age/payload.h"

#include <fmt/format.h>
#include <sodium.h>
#include <stdexcept>

#include "age/armor.h"
#include "age/hkdf.h"

namespace asl::auth {
namespace {

static_assert(kAgeSealedChunkSize == kAgeChunkSize + crypto_aead_chacha20poly1305_ietf_ABYTES);

unsigned char* raw(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}
const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

std::unexpected<Error> payload_error(std::string_view what) {
  return fail(ErrorCode::kIntegrity, fmt::format("age payload: {}", what));
}

// Eleven bytes of a big-endian counter, and one that marks the last chunk. 64 bits of counter last for 10^24
// bytes.
class ChunkNonce {
 public:
  const unsigned char* of(bool last) {
    store_be(bytes_.data() + 3, counter_);
    bytes_[11] = last ? std::byte{1} : std::byte{0};
    return raw(bytes_.data());
  }
  void next() { ++counter_; }
  bool first() const { return counter_ == 0; }

 private:
  std::uint64_t counter_ = 0;
  std::array<std::byte, crypto_aead_chacha20poly1305_ietf_NPUBBYTES> bytes_{};
};

bool open_chunk(SecretBytes& plain, ByteSpan chunk, const unsigned char* nonce, const SecretBytes& key) {
  return crypto_aead_chacha20poly1305_ietf_decrypt(plain.raw(), nullptr, nullptr, raw(chunk.data()),
                                                   chunk.size(), nullptr, 0, nonce, key.raw()) == 0;
}

}  // namespace

SecretBytes age_payload_key(const SecretBytes& file_key, const AgeNonce& nonce) {
  return hkdf_sha256(file_key.span(), nonce, "payload", crypto_aead_chacha20poly1305_ietf_KEYBYTES);
}

Result<void> seal_payload(const ByteSource& plaintext, const ByteSink& sealed,
                          const SecretBytes& payload_key) {
  SecretBytes chunk(kAgeChunkSize);
  SecretBytes following(kAgeChunkSize);
  Bytes out(kAgeSealedChunkSize);
  ChunkNonce nonce;
  ASL_ASSIGN(std::size_t size, read_full(plaintext, chunk.span()));
  while (true) {
    // A full chunk is the last one only if nothing follows.
    std::size_t following_size = 0;
    if (size == kAgeChunkSize) {
      ASL_ASSIGN(following_size, read_full(plaintext, following.span()));
    }
    const bool last = following_size == 0;
    crypto_aead_chacha20poly1305_ietf_encrypt(raw(out.data()), nullptr, chunk.raw(), size, nullptr, 0,
                                              nullptr, nonce.of(last), payload_key.raw());
    ASL_TRY(sealed(ByteSpan(out).first(size + crypto_aead_chacha20poly1305_ietf_ABYTES)));
    if (last) return {};
    std::swap(chunk, following);
    size = following_size;
    nonce.next();
  }
}

Result<void> open_payload(const ByteSource& source, const ByteSink& plaintext, const ByteSink& sealed,
                          const SecretBytes& payload_key) {
  Bytes chunk(kAgeSealedChunkSize);
  SecretBytes plain(kAgeChunkSize);
  ChunkNonce nonce;
  while (true) {
    ASL_ASSIGN(const std::size_t size, read_full(source, chunk));
    if (size < crypto_aead_chacha20poly1305_ietf_ABYTES) return payload_error("it ends too soon");
    const ByteSpan bytes = ByteSpan(chunk).first(size);
    const std::size_t plain_size = size - crypto_aead_chacha20poly1305_ietf_ABYTES;
    bool last = size < kAgeSealedChunkSize;
    if (!last && !open_chunk(plain, bytes, nonce.of(false), payload_key)) last = true;
    if (last && !open_chunk(plain, bytes, nonce.of(true), payload_key))
      return payload_error("a chunk was changed, or the file was cut");
    if (last && plain_size == 0 && !nonce.first()) return payload_error("an empty last chunk");
    ASL_TRY(sealed(bytes));
    ASL_TRY(plaintext(plain.span().first(plain_size)));
    if (!last) {
      nonce.next();
      continue;
    }
    ASL_ASSIGN(const std::size_t more, source(MutableByteSpan(chunk).first(1)));
    if (more != 0) return payload_error("something follows the last chunk");
    return {};
  }
}

}  // namespace asl::auth
