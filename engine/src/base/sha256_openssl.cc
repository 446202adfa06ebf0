// OpenSSL deprecates its low-level SHA-256 in favour of EVP, which cannot start from a given state. This file
// is the only one that uses it, so the warning is off here and nowhere else.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <algorithm>
#include <openssl/sha.h>

#include "base/sha256_kernel.h"

namespace asl {
namespace {

void compress_one(Sha256State& state, const std::byte* data, std::size_t blocks) {
  SHA256_CTX context = {};
  std::ranges::copy(state, context.h);
  context.md_len = SHA256_DIGEST_LENGTH;
  // Whole blocks with nothing buffered go straight through the compression function, many at a time.
  SHA256_Update(&context, data, blocks * kSha256BlockSize);
  std::ranges::copy(context.h, state.begin());
}

void compress_two(Sha256State& a, const std::byte* a_data, Sha256State& b, const std::byte* b_data,
                  std::size_t blocks) {
  compress_one(a, a_data, blocks);
  compress_one(b, b_data, blocks);
}

constexpr Sha256Kernel kOpenssl = {"openssl", compress_one, compress_two};

}  // namespace

const Sha256Kernel& sha256_kernel_openssl() {
  return kOpenssl;
}

const Sha256Kernel& sha256_kernel_best() {
  const Sha256Kernel* const own = sha256_kernel_sha_ni();
  return own != nullptr ? *own : kOpenssl;
}

}  // namespace asl
