// Little-endian fields of log payloads. Reading is sticky: after a field that does not fit, finish() fails.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/log_record.h>
#include <asl/engine/reference.h>

namespace asl {

class PayloadWriter {
 public:
  template <typename T>
  PayloadWriter& number(T value) {
    std::array<std::byte, sizeof(T)> bytes;
    store_le<T>(bytes.data(), value);
    return put(bytes);
  }
  PayloadWriter& put(ByteSpan bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  PayloadWriter& reference(const Reference& ref) { return put(encode_reference(ref)); }
  PayloadWriter& text(std::string_view value) { return put(as_bytes(value)); }
  PayloadWriter& zeros(std::size_t count) {
    bytes_.resize(bytes_.size() + count);
    return *this;
  }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

class PayloadReader {
 public:
  explicit PayloadReader(ByteSpan payload) : rest_(payload) {}

  template <typename T>
  T number() {
    ByteSpan bytes = take(sizeof(T));
    return bytes.empty() ? T{0} : load_le<T>(bytes.data());
  }
  template <std::size_t N>
  void array(std::array<std::byte, N>& out) {
    ByteSpan bytes = take(N);
    if (!bytes.empty()) std::copy(bytes.begin(), bytes.end(), out.begin());
  }
  Reference reference();
  std::string text();  // the rest
  void zeros(std::size_t count) { require(all_zero(take(count)), "a zero field is not zero"); }
  std::size_t left() const { return rest_.size(); }
  void require(bool holds, std::string_view problem) {
    if (!holds && problem_.empty()) problem_ = problem;
  }
  // Fails if a field did not fit or bytes are left over.
  Result<void> finish(std::uint32_t type);

 private:
  ByteSpan take(std::size_t count);

  ByteSpan rest_;
  std::string problem_;
};

}  // namespace asl
