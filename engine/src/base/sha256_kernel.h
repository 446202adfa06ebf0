// The compression function of SHA-256 in its variants, and which of them this processor runs best.
// Private to the engine: everything else uses asl::Sha256.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <asl/engine/bytes.h>

namespace asl {

inline constexpr std::size_t kSha256BlockSize = 64;
using Sha256State = std::array<std::uint32_t, 8>;  // a..h of FIPS 180-4, host order
inline constexpr Sha256State kSha256Initial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
// Writes the padding of a message that has `length` bytes and ends with `rest` (its last length % 64 bytes)
// after a copy of `rest`; returns how many blocks `tail` then holds, 1 or 2.
using Sha256Tail = std::array<std::byte, 2 * kSha256BlockSize>;
std::size_t sha256_pad(Sha256Tail& tail, ByteSpan rest, std::uint64_t length);
Digest sha256_digest_of(const Sha256State& state);

// Aligned for vector loads.
alignas(16) inline constexpr std::array<std::uint32_t, 64> kSha256RoundConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// Stateless and thread-safe. `blocks` counts 64-byte blocks at any alignment; 0 changes nothing.
struct Sha256Kernel {
  const char* name;
  void (*one)(Sha256State& state, const std::byte* data, std::size_t blocks);
  // The same number of blocks of two independent streams; `a` and `b` may read the same data.
  void (*two)(Sha256State& a, const std::byte* a_data, Sha256State& b, const std::byte* b_data,
              std::size_t blocks);
};

// Sixteen independent streams at once, word by word: words[i][lane].
inline constexpr std::size_t kSha256WideLanes = 16;
struct Sha256WideState {
  alignas(64) std::array<std::array<std::uint32_t, kSha256WideLanes>, 8> words;
};
using Sha256WideData = std::array<const std::byte*, kSha256WideLanes>;  // several may be the same
struct Sha256WideKernel {
  const char* name;
  void (*sixteen)(Sha256WideState& state, const Sha256WideData& data, std::size_t blocks);
};

// OpenSSL's, on every machine.
const Sha256Kernel& sha256_kernel_openssl();
// This project's own, with the x86 SHA instructions; nullptr where the processor has none.
const Sha256Kernel* sha256_kernel_sha_ni();
// With AVX-512; nullptr where the processor has none.
const Sha256WideKernel* sha256_kernel_avx512();
// The one Sha256 uses.
const Sha256Kernel& sha256_kernel_best();

// sha256_many with the given kernels; `wide` may be nullptr.
void sha256_many_with(const Sha256Kernel& narrow, const Sha256WideKernel* wide,
                      std::span<const ByteSpan> messages, std::span<Digest> digests);

}  // namespace asl
