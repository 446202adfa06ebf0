// The ways in which a power cut is simulated, for tests that try every prefix of what an operation did.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "io/crash_model.h"

namespace asl::test {

// Eight ways after `count` operations; with ASL_LONG_TESTS 24 more, at random. ASL_TEST_SEED=N starts from
// another seed than 1.
inline std::vector<io::CrashPolicy> crash_policies(std::size_t count) {
  using Data = io::CrashPolicy::Data;
  using Names = io::CrashPolicy::Names;
  const char* wanted = std::getenv("ASL_TEST_SEED");
  const std::uint64_t base = wanted == nullptr ? 1 : std::strtoull(wanted, nullptr, 10);
  const std::uint64_t seed = base * 1'000'003 + count * 64;
  std::vector<io::CrashPolicy> all = {
      {.data = Data::kLost, .names = Names::kLost, .tear_unit_bytes = 512, .seed = seed},
      {.data = Data::kKept, .names = Names::kKept, .tear_unit_bytes = 512, .seed = seed + 1},
      {.data = Data::kLost, .names = Names::kKept, .tear_unit_bytes = 512, .seed = seed + 2},
      {.data = Data::kSizeOnly, .names = Names::kKept, .tear_unit_bytes = 512, .seed = seed + 3},
      {.data = Data::kTorn, .names = Names::kKept, .tear_unit_bytes = 512, .seed = seed + 4},
      {.data = Data::kTorn, .names = Names::kOrdered, .tear_unit_bytes = 4096, .seed = seed + 5},
      {.data = Data::kRandom, .names = Names::kIndependent, .tear_unit_bytes = 512, .seed = seed + 6},
      {.data = Data::kRandom, .names = Names::kIndependent, .tear_unit_bytes = 4096, .seed = seed + 7}};
  constexpr std::uint64_t kMoreSeedsLong = 24;
  for (std::uint64_t k = 0; std::getenv("ASL_LONG_TESTS") != nullptr && k < kMoreSeedsLong; ++k)
    all.push_back({.data = Data::kRandom,
                   .names = k % 3 == 0 ? Names::kOrdered : Names::kIndependent,
                   .tear_unit_bytes = k % 2 == 0 ? 512U : 4096U,
                   .seed = seed + 8 + k});
  return all;
}

}  // namespace asl::test
