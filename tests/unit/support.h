// What several tests need.
#pragma once

#include <cstdint>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl::test {

// A new, empty directory under $TMPDIR, removed with all it holds at the end of its life.
class TempDirectory {
 public:
  explicit TempDirectory(const std::string& parent = ::testing::TempDir()) {
    std::string name = parent + "/asl-test-XXXXXX";
    if (mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("cannot make a temporary directory: " + name);
    path_ = std::filesystem::canonical(name).string();
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// The same bytes for the same seed.
inline Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

inline Bytes bytes_of(std::string_view text) {
  const ByteSpan span = as_bytes(text);
  return {span.begin(), span.end()};
}

// The value of a Result that must have one; throws (failing the test) with the error's text otherwise.
template <typename T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace asl::test

// For Result<void> and any other Result: shows the error where it is one.
#define ASL_EXPECT_OK(expr)                                                      \
  do {                                                                           \
    const auto& asl_expected_ = (expr);                                          \
    EXPECT_TRUE(asl_expected_.has_value()) << asl_expected_.error().to_string(); \
  } while (false)
#define ASL_ASSERT_OK(expr)                                                      \
  do {                                                                           \
    const auto& asl_expected_ = (expr);                                          \
    ASSERT_TRUE(asl_expected_.has_value()) << asl_expected_.error().to_string(); \
  } while (false)
