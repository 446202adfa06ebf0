// The compression function of SHA-256 in its variants, and which of them this processor runs best.
// Private to the engine: everything else uses asl::Sha256.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <asl/engine/bytes.h>

namespace asl {

inline constexpr std::size_t kSha256BlockSize = 64;
using Sha256State = std::array<std::uint32_t, 8>;  // a..h of FIPS 180-4, host order
inline constexpr Sha256State kSha256Initial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// Stateless and thread-safe. `blocks` counts 64-byte blocks at any alignment; 0 changes nothing.
struct Sha256Kernel {
  const char* name;
  void (*one)(Sha256State& state, const std::byte* data, std::size_t blocks);
  // The same number of blocks of two independent streams; `a` and `b` may read the same data.
  void (*two)(Sha256State& a, const std::byte* a_data, Sha256State& b, const std::byte* b_data,
              std::size_t blocks);
};

// OpenSSL's, on every machine.
const Sha256Kernel& sha256_kernel_openssl();
// This project's own, with the x86 SHA instructions; nullptr where the processor has none.
const Sha256Kernel* sha256_kernel_sha_ni();
// The one Sha256 uses.
const Sha256Kernel& sha256_kernel_best();

}  // namespace asl
