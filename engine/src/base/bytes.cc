#include <cstdlib>
#include <new>
#include <sys/mman.h>
#include <utility>

#include <asl/engine/bytes.h>

namespace asl {
namespace {

constexpr std::size_t kHugePageSize = 2U << 20;  // the smallest huge page of every platform built for

constexpr char kHexDigits[] = "0123456789abcdef";

// 0..15, or 16 for anything that is not a lower-case hex digit: names have one spelling only.
constexpr unsigned hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a' + 10);
  return 16;
}

}  // namespace

bool all_zero(ByteSpan bytes) {
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  // Small steps first, since most data shows a non-zero byte at once; then steps wide enough for vector
  // loads.
  constexpr std::ptrdiff_t kStep = 256;
  while (end - at >= kStep) {
    if ((load_le<std::uint64_t>(at) | load_le<std::uint64_t>(at + 128)) != 0) return false;
    std::uint64_t any = 0;
    for (std::ptrdiff_t i = 0; i < kStep; i += 8) any |= load_le<std::uint64_t>(at + i);
    if (any != 0) return false;
    at += kStep;
  }
  for (; end - at >= 8; at += 8)
    if (load_le<std::uint64_t>(at) != 0) return false;
  for (; at != end; ++at)
    if (*at != std::byte{0}) return false;
  return true;
}

std::string to_hex(ByteSpan bytes) {
  std::string text(bytes.size() * 2, '\0');
  char* out = text.data();
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    *out++ = kHexDigits[value >> 4];
    *out++ = kHexDigits[value & 15];
  }
  return text;
}

bool from_hex(std::string_view hex, MutableByteSpan out) {
  if (hex.size() != out.size() * 2) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned high = hex_value(hex[2 * i]);
    const unsigned low = hex_value(hex[2 * i + 1]);
    if ((high | low) > 15) return false;
    out[i] = static_cast<std::byte>(high << 4 | low);
  }
  return true;
}

std::optional<Digest> digest_from_hex(std::string_view hex) {
  Digest digest;
  if (!from_hex(hex, digest)) return std::nullopt;
  return digest;
}

AlignedBuffer::AlignedBuffer(std::size_t size) : size_(round_up(size, kPageSize)) {
  if (size_ == 0) return;
  const bool huge = size_ >= kHugePageSize;
  void* const memory =
      std::aligned_alloc(huge ? kHugePageSize : kPageSize, huge ? round_up(size_, kHugePageSize) : size_);
  if (memory == nullptr) throw std::bad_alloc();
  // Fewer page faults and fewer pages for the kernel to pin on each direct transfer. Only advice: a refusal
  // costs speed and nothing else.
  if (huge) (void)madvise(memory, size_, MADV_HUGEPAGE);
  memory_.reset(static_cast<std::byte*>(memory));
}

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : memory_(std::move(other.memory_)), size_(std::exchange(other.size_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  memory_ = std::move(other.memory_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void AlignedBuffer::Free::operator()(std::byte* memory) const {
  std::free(memory);
}

}  // namespace asl
