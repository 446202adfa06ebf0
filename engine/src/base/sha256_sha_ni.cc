#include "base/sha256_kernel.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <utility>

namespace asl {
namespace {

#define ASL_SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))
#define ASL_SHA_INLINE ASL_SHA_TARGET __attribute__((always_inline)) inline

constexpr std::size_t kRoundGroups = 16;  // of four rounds each: one schedule vector

// One stream in registers, in the order the instructions want: words (from the top) a b e f and c d g h.
struct Lane {
  __m128i abef;
  __m128i cdgh;
  __m128i schedule[4];  // the last four schedule vectors, as a ring
};

ASL_SHA_INLINE void load_state(Lane& lane, const Sha256State& state) {
  const __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state.data()));
  const __m128i hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state.data() + 4));
  const __m128i cdab = _mm_shuffle_epi32(dcba, 0xB1);
  const __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1B);
  lane.abef = _mm_alignr_epi8(cdab, efgh, 8);
  lane.cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
}

ASL_SHA_INLINE void store_state(const Lane& lane, Sha256State& state) {
  const __m128i feba = _mm_shuffle_epi32(lane.abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(lane.cdgh, 0xB1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data()), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data() + 4), _mm_alignr_epi8(dchg, feba, 8));
}

// Schedule vector `kGroup` of this block: the first four are the message, the others follow from the four
// before.
template <std::size_t kGroup>
ASL_SHA_INLINE __m128i next_schedule(Lane& lane, const std::byte* block) {
  __m128i& slot = lane.schedule[kGroup % 4];
  if constexpr (kGroup < 4) {
    const __m128i byte_order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    slot =
        _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block + kGroup * 16)), byte_order);
  } else {
    const __m128i one_before = lane.schedule[(kGroup + 3) % 4];
    const __m128i two_before = lane.schedule[(kGroup + 2) % 4];
    const __m128i three_before = lane.schedule[(kGroup + 1) % 4];
    const __m128i sum =
        _mm_add_epi32(_mm_sha256msg1_epu32(slot, three_before), _mm_alignr_epi8(one_before, two_before, 4));
    slot = _mm_sha256msg2_epu32(sum, one_before);
  }
  return slot;
}

template <std::size_t kGroup>
ASL_SHA_INLINE void four_rounds(Lane& lane, const std::byte* block) {
  const __m128i constants =
      _mm_load_si128(reinterpret_cast<const __m128i*>(kSha256RoundConstants.data()) + kGroup);
  const __m128i message = _mm_add_epi32(next_schedule<kGroup>(lane, block), constants);
  lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, message);
  lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, _mm_shuffle_epi32(message, 0x0E));
}

template <std::size_t... kGroups>
ASL_SHA_INLINE void all_rounds(Lane& lane, const std::byte* block, std::index_sequence<kGroups...>) {
  (four_rounds<kGroups>(lane, block), ...);
}

// The round instructions have a latency of several cycles and each needs the one before: a single stream
// leaves the unit idle most of the time, and a second one fills the gaps. Hence the alternation, group by
// group.
template <std::size_t... kGroups>
ASL_SHA_INLINE void all_rounds_paired(Lane& a, const std::byte* a_block, Lane& b, const std::byte* b_block,
                                      std::index_sequence<kGroups...>) {
  ((four_rounds<kGroups>(a, a_block), four_rounds<kGroups>(b, b_block)), ...);
}

ASL_SHA_TARGET void compress_one(Sha256State& state, const std::byte* data, std::size_t blocks) {
  Lane lane;
  load_state(lane, state);
  for (; blocks != 0; --blocks, data += kSha256BlockSize) {
    const __m128i abef = lane.abef;
    const __m128i cdgh = lane.cdgh;
    all_rounds(lane, data, std::make_index_sequence<kRoundGroups>());
    lane.abef = _mm_add_epi32(lane.abef, abef);
    lane.cdgh = _mm_add_epi32(lane.cdgh, cdgh);
  }
  store_state(lane, state);
}

ASL_SHA_TARGET void compress_two(Sha256State& a_state, const std::byte* a_data, Sha256State& b_state,
                                 const std::byte* b_data, std::size_t blocks) {
  Lane a;
  Lane b;
  load_state(a, a_state);
  load_state(b, b_state);
  for (; blocks != 0; --blocks, a_data += kSha256BlockSize, b_data += kSha256BlockSize) {
    const __m128i a_abef = a.abef;
    const __m128i a_cdgh = a.cdgh;
    const __m128i b_abef = b.abef;
    const __m128i b_cdgh = b.cdgh;
    all_rounds_paired(a, a_data, b, b_data, std::make_index_sequence<kRoundGroups>());
    a.abef = _mm_add_epi32(a.abef, a_abef);
    a.cdgh = _mm_add_epi32(a.cdgh, a_cdgh);
    b.abef = _mm_add_epi32(b.abef, b_abef);
    b.cdgh = _mm_add_epi32(b.cdgh, b_cdgh);
  }
  store_state(a, a_state);
  store_state(b, b_state);
}

// g++ 12's __builtin_cpu_supports knows no "sha".
bool processor_has_sha() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return false;
  const bool shuffles = (ecx & bit_SSSE3) != 0 && (ecx & bit_SSE4_1) != 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  constexpr unsigned kShaBit = 1U << 29;
  return shuffles && (ebx & kShaBit) != 0;
}

constexpr Sha256Kernel kShaNi = {"sha-ni", compress_one, compress_two};

}  // namespace

const Sha256Kernel* sha256_kernel_sha_ni() {
  static const bool supported = processor_has_sha();
  return supported ? &kShaNi : nullptr;
}

}  // namespace asl

#else

namespace asl {
const Sha256Kernel* sha256_kernel_sha_ni() {
  return nullptr;
}
}  // namespace asl

#endif
