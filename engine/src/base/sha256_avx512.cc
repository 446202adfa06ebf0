#include "base/sha256_kernel.h"

#if defined(__x86_64__)

// g++ 12 finds its own "undefined" vectors in this header uninitialised.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#include <utility>

namespace asl {
namespace {

#define ASL_WIDE_TARGET __attribute__((target("avx512f,avx512bw")))
#define ASL_WIDE_INLINE ASL_WIDE_TARGET __attribute__((always_inline)) inline

constexpr int kXorOfThree = 0x96;  // truth tables of vpternlogd
constexpr int kChoose = 0xca;
constexpr int kMajority = 0xe8;

// Sixteen streams side by side: word i of every stream in one vector.
struct Lanes {
  __m512i state[8];
  __m512i schedule[16];  // the last sixteen words, as a ring
};

ASL_WIDE_INLINE __m512i big_sigma0(__m512i x) {
  return _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, 2), _mm512_ror_epi32(x, 13), _mm512_ror_epi32(x, 22),
                                   kXorOfThree);
}
ASL_WIDE_INLINE __m512i big_sigma1(__m512i x) {
  return _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, 6), _mm512_ror_epi32(x, 11), _mm512_ror_epi32(x, 25),
                                   kXorOfThree);
}
ASL_WIDE_INLINE __m512i small_sigma0(__m512i x) {
  return _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, 7), _mm512_ror_epi32(x, 18), _mm512_srli_epi32(x, 3),
                                   kXorOfThree);
}
ASL_WIDE_INLINE __m512i small_sigma1(__m512i x) {
  return _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, 17), _mm512_ror_epi32(x, 19), _mm512_srli_epi32(x, 10),
                                   kXorOfThree);
}

// From a row of sixteen words for each stream to a vector of sixteen streams for each word: pairs of words,
// then pairs of pairs, then the 128-bit quarters. `j` is a word's place in its quarter.
ASL_WIDE_INLINE void load_transposed(Lanes& lanes, const Sha256WideData& data, std::size_t offset) {
  const __m512i byte_order = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
  __m512i row[16];
  for (std::size_t i = 0; i < 16; ++i) row[i] = _mm512_loadu_si512(data[i] + offset);
  __m512i pair[16];
  for (std::size_t i = 0; i < 16; i += 2) {
    pair[i] = _mm512_unpacklo_epi32(row[i], row[i + 1]);
    pair[i + 1] = _mm512_unpackhi_epi32(row[i], row[i + 1]);
  }
  __m512i four[16];
  for (std::size_t i = 0; i < 16; i += 4) {
    four[i] = _mm512_unpacklo_epi64(pair[i], pair[i + 2]);
    four[i + 1] = _mm512_unpackhi_epi64(pair[i], pair[i + 2]);
    four[i + 2] = _mm512_unpacklo_epi64(pair[i + 1], pair[i + 3]);
    four[i + 3] = _mm512_unpackhi_epi64(pair[i + 1], pair[i + 3]);
  }
  constexpr int kEven = 0x88;
  constexpr int kOdd = 0xdd;
  for (std::size_t j = 0; j < 4; ++j) {
    const __m512i even_first = _mm512_shuffle_i32x4(four[j], four[4 + j], kEven);
    const __m512i odd_first = _mm512_shuffle_i32x4(four[j], four[4 + j], kOdd);
    const __m512i even_last = _mm512_shuffle_i32x4(four[8 + j], four[12 + j], kEven);
    const __m512i odd_last = _mm512_shuffle_i32x4(four[8 + j], four[12 + j], kOdd);
    lanes.schedule[j] = _mm512_shuffle_i32x4(even_first, even_last, kEven);
    lanes.schedule[4 + j] = _mm512_shuffle_i32x4(odd_first, odd_last, kEven);
    lanes.schedule[8 + j] = _mm512_shuffle_i32x4(even_first, even_last, kOdd);
    lanes.schedule[12 + j] = _mm512_shuffle_i32x4(odd_first, odd_last, kOdd);
  }
  for (__m512i& words : lanes.schedule) words = _mm512_shuffle_epi8(words, byte_order);
}

template <std::size_t kRound>
ASL_WIDE_INLINE void one_round(Lanes& lanes) {
  __m512i& word = lanes.schedule[kRound % 16];
  if constexpr (kRound >= 16) {
    const __m512i older = small_sigma0(lanes.schedule[(kRound + 1) % 16]);
    const __m512i newer = small_sigma1(lanes.schedule[(kRound + 14) % 16]);
    word = _mm512_add_epi32(_mm512_add_epi32(word, older),
                            _mm512_add_epi32(lanes.schedule[(kRound + 9) % 16], newer));
  }
  // The names turn by one place a round instead of the values.
  __m512i* const s = lanes.state;
  const __m512i a = s[(64 - kRound) % 8];
  const __m512i b = s[(65 - kRound) % 8];
  const __m512i c = s[(66 - kRound) % 8];
  __m512i& d = s[(67 - kRound) % 8];
  const __m512i e = s[(68 - kRound) % 8];
  const __m512i f = s[(69 - kRound) % 8];
  const __m512i g = s[(70 - kRound) % 8];
  __m512i& h = s[(71 - kRound) % 8];
  const __m512i constant = _mm512_set1_epi32(static_cast<int>(kSha256RoundConstants[kRound]));
  const __m512i with_word = _mm512_add_epi32(h, _mm512_add_epi32(word, constant));
  const __m512i first = _mm512_add_epi32(
      with_word, _mm512_add_epi32(big_sigma1(e), _mm512_ternarylogic_epi32(e, f, g, kChoose)));
  d = _mm512_add_epi32(d, first);
  h = _mm512_add_epi32(first, _mm512_add_epi32(big_sigma0(a), _mm512_ternarylogic_epi32(a, b, c, kMajority)));
}

template <std::size_t... kRounds>
ASL_WIDE_INLINE void all_rounds(Lanes& lanes, std::index_sequence<kRounds...>) {
  (one_round<kRounds>(lanes), ...);
}

ASL_WIDE_TARGET void compress_sixteen(Sha256WideState& state, const Sha256WideData& data,
                                      std::size_t blocks) {
  Lanes lanes;
  for (std::size_t i = 0; i < 8; ++i) lanes.state[i] = _mm512_load_si512(state.words[i].data());
  for (std::size_t block = 0; block < blocks; ++block) {
    load_transposed(lanes, data, block * kSha256BlockSize);
    all_rounds(lanes, std::make_index_sequence<64>());
    // The state before the block waits in memory: every register is taken during the rounds.
    for (std::size_t i = 0; i < 8; ++i) {
      lanes.state[i] = _mm512_add_epi32(lanes.state[i], _mm512_load_si512(state.words[i].data()));
      _mm512_store_si512(state.words[i].data(), lanes.state[i]);
    }
  }
}

constexpr Sha256WideKernel kAvx512 = {"avx512", compress_sixteen};

}  // namespace

const Sha256WideKernel* sha256_kernel_avx512() {
  static const bool supported =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
  return supported ? &kAvx512 : nullptr;
}

}  // namespace asl

#else

namespace asl {
const Sha256WideKernel* sha256_kernel_avx512() {
  return nullptr;
}
}  // namespace asl

#endif
