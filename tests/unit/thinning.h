// Sanitizer builds are slow: long enumerations then look at every Nth case only (tools/test sets
// ASL_TEST_EVERY).
#pragma once

#include <cstddef>
#include <cstdlib>

namespace asl::test {

// 1, or how many cases to go on by.
inline std::size_t case_step() {
  const char* every = std::getenv("ASL_TEST_EVERY");
  const unsigned long step = every == nullptr ? 1 : std::strtoul(every, nullptr, 10);
  return step == 0 ? 1 : step;
}

}  // namespace asl::test
