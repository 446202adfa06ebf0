// Fuzz targets: what must hold for any bytes whatever that a decoder is given (doc/testing.md).
//
// A target returns where the bytes are refused, and throws PropertyBroken where the decoder's answer cannot
// be right. libFuzzer (driver.cc) and the replay of known inputs (replay_test.cc) both see that as a failure.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl::fuzz {

class PropertyBroken : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

inline void require(bool holds, std::string_view property) {
  if (!holds) throw PropertyBroken(std::string(property));
}

// The value of a Result that must have one.
template <typename T>
T must(Result<T> result, std::string_view property) {
  if (!result) throw PropertyBroken(std::string(property) + ": " + result.error().to_string());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Two answers to one question.
template <typename T>
void require_same(const Result<T>& first, const Result<T>& second, std::string_view property) {
  require(first.has_value() == second.has_value(), property);
  if (!first) require(first.error().to_string() == second.error().to_string(), property);
}

// fuzz_<name> for each line of targets.inc. A target keeps nothing between two inputs.
#define ASL_FUZZ_TARGET(name) void fuzz_##name(ByteSpan input);
#include "targets.inc"
#undef ASL_FUZZ_TARGET

// The first bytes of an input that is more than one file's content.
class Choices {
 public:
  explicit Choices(ByteSpan input) : left_(input) {}
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(left_.front());
    left_ = left_.subspan(1);
    return value;
  }
  std::uint16_t word() {
    const std::uint16_t low = byte();
    return static_cast<std::uint16_t>(low | byte() << 8);
  }
  ByteSpan rest() const { return left_; }
  bool empty() const { return left_.empty(); }

 private:
  ByteSpan left_;
};

}  // namespace asl::fuzz
