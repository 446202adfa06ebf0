// What libFuzzer calls. ASL_FUZZ_RUN is the target's function.
#include <cstddef>
#include <cstdint>
#include <span>

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  asl::fuzz::ASL_FUZZ_RUN(std::as_bytes(std::span(data, size)));
  return 0;
}
