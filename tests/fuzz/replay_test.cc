// Every kept input of every fuzz target, in an ordinary test: tests/fuzz/corpus/<target> and
// tests/bad/<target>, where inputs stay for ever that once showed a fault.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

#include "fuzz.h"

namespace asl::fuzz {
namespace {

struct Target {
  const char* name;
  void (*run)(ByteSpan input);
};

void PrintTo(const Target& target, std::ostream* out) {
  *out << target.name;
}

constexpr Target kTargets[] = {
#define ASL_FUZZ_TARGET(name) {#name, fuzz_##name},
#include "targets.inc"
#undef ASL_FUZZ_TARGET
};

std::vector<std::filesystem::path> inputs_of(const std::string& target) {
  std::vector<std::filesystem::path> files;
  for (const char* place : {"fuzz/corpus", "bad"}) {
    const std::filesystem::path directory = std::filesystem::path(ASL_TESTS_DIR) / place / target;
    if (!std::filesystem::exists(directory)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::string load(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class FuzzReplay : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzReplay, EveryKeptInputKeepsTheProperties) {
  const auto files = inputs_of(GetParam().name);
  ASSERT_FALSE(files.empty()) << "no input is kept for this target";
  for (const auto& file : files) {
    SCOPED_TRACE(file.string());
    const std::string bytes = load(file);
    EXPECT_NO_THROW(GetParam().run(as_bytes(bytes)));
  }
  EXPECT_NO_THROW(GetParam().run({}));
  std::printf("%zu inputs replayed\n", files.size() + 1);
}

// Every kept input with each of its bits turned over, and cut off at each of its bytes: what fuzzing finds
// first.
TEST_P(FuzzReplay, EveryKeptInputMayBeCutAndFlippedAnywhere) {
  constexpr std::size_t kChangesMax = 400;  // of each input, spread over it
  std::size_t changed = 0;
  for (const auto& file : inputs_of(GetParam().name)) {
    SCOPED_TRACE(file.string());
    std::string bytes = load(file);
    const std::size_t step = bytes.size() * 8 / kChangesMax + 1;
    for (std::size_t bit = 0; bit < bytes.size() * 8; bit += step) {
      const auto flip = [&] { bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8)); };
      flip();
      EXPECT_NO_THROW(GetParam().run(as_bytes(bytes))) << "bit " << bit;
      flip();
      EXPECT_NO_THROW(GetParam().run(as_bytes(bytes).first(bit / 8))) << "cut at " << bit / 8;
      changed += 2;
    }
  }
  EXPECT_GT(changed, 0U);
  std::printf("%zu changed inputs\n", changed);
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzReplay, ::testing::ValuesIn(kTargets),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace asl::fuzz
