// Byte spans, fixed-width integers in either byte order, hex, and aligned buffers.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace asl {

using Bytes = std::vector<std::byte>;
using ByteSpan = std::span<const std::byte>;
using MutableByteSpan = std::span<std::byte>;

static_assert(std::endian::native == std::endian::little, "store files are written from host integers");

// Unaligned loads and stores. The caller guarantees sizeof(T) bytes at `at`.
template <typename T>
  requires std::is_unsigned_v<T>
inline T load_le(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
template <typename T>
  requires std::is_unsigned_v<T>
inline void store_le(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}
template <typename T>
  requires std::is_unsigned_v<T>
inline T load_be(const std::byte* at) {
  return std::byteswap(load_le<T>(at));
}
template <typename T>
  requires std::is_unsigned_v<T>
inline void store_be(std::byte* at, T value) {
  store_le(at, std::byteswap(value));
}

inline ByteSpan as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}
bool all_zero(ByteSpan bytes);

std::string to_hex(ByteSpan bytes);
// Lower-case hex of exactly 2 * out.size() digits; false otherwise (out is then unspecified).
[[nodiscard]] bool from_hex(std::string_view hex, MutableByteSpan out);

// A SHA-256 value.
using Digest = std::array<std::byte, 32>;
inline ByteSpan digest_bytes(const Digest& digest) {
  return {digest.data(), digest.size()};
}
std::optional<Digest> digest_from_hex(std::string_view hex);
// For hash tables: the digest's first eight bytes, which are uniformly distributed.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const noexcept {
    return load_le<std::uint64_t>(digest.data());
  }
};

// The alignment of memory, offsets and lengths for direct I/O, and of extents and groups on disk.
inline constexpr std::size_t kPageSize = 4096;

// Uninitialised memory aligned for direct I/O; owned, movable, not copyable. Sizes of 2 MiB and more ask for
// huge pages.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size);       // rounded up to kPageSize; throws std::bad_alloc
  AlignedBuffer(AlignedBuffer&& other) noexcept;  // leaves `other` empty
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;
  std::byte* data() const { return memory_.get(); }
  std::size_t size() const { return size_; }
  MutableByteSpan span() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte[], Free> memory_;
  std::size_t size_ = 0;
};

}  // namespace asl
