#include <bit>
#include <fmt/format.h>

#include <asl/engine/cm.h>

#include "format/cm_marker.h"

namespace asl {
namespace {

constexpr std::string_view kNotShortest = "is not in its shortest form";

std::uint8_t marker_of(std::byte first) {
  return std::to_integer<std::uint8_t>(first);
}

// The least value that needs more than half of `size` bytes, that is, that no shorter form could hold.
std::uint64_t least_of_size(std::size_t size) {
  return size == 1 ? 0 : 1ULL << (4 * size);
}

}  // namespace

Error CmReader::violation_at(std::size_t offset, std::string_view rule) {
  return integrity_error(std::string(rule), {}, offset);
}

Result<std::byte> CmReader::begin_item() {
  item_at_ = at_;
  while (level_ > 0 && left_[level_] == 0) --level_;
  if (left_[level_] == 0) return fail(violation_at(at_, "more values than were announced"));
  if (at_ == bytes_.size()) return fail(violation_at(at_, "the encoding ends too early"));
  --left_[level_];
  return bytes_[at_++];
}

Result<std::uint64_t> CmReader::big_endian(std::size_t size) {
  if (bytes_.size() - at_ < size) return fail(violation_at(at_, "the encoding ends too early"));
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | marker_of(bytes_[at_ + i]);
  at_ += size;
  return value;
}

Result<std::uint32_t> CmReader::array(std::uint32_t count_max) {
  ASL_ASSIGN(const std::byte first, begin_item());
  const std::uint8_t marker = marker_of(first);
  std::uint64_t count = marker & 0x0F;
  if (marker == kCmArray16 || marker == kCmArray16 + 1) {
    const bool wide = marker != kCmArray16;
    ASL_ASSIGN(count, big_endian(wide ? 4 : 2));
    if (count <= (wide ? 0xFFFF : kCmFixarrayMax))
      return fail(violation("an array's count is not in its shortest form"));
  } else if ((marker & 0xF0) != kCmFixarray) {
    return fail(violation("a value is not an array"));
  }
  if (count > count_max)
    return fail(violation(fmt::format("an array has {} values, at most {} are allowed", count, count_max)));
  // Every value takes a byte: a count beyond that is a lie, and must not be allocated for.
  if (count > bytes_.size() - at_) return fail(violation("an array has more values than there are bytes"));
  if (level_ == kCmDepthMax) return fail(violation("arrays are nested too deeply"));
  left_[++level_] = static_cast<std::uint32_t>(count);
  return static_cast<std::uint32_t>(count);
}

Result<void> CmReader::array_exactly(std::uint32_t count) {
  ASL_ASSIGN(const std::uint32_t found, array());
  if (found != count)
    return fail(violation(fmt::format("an array has {} values instead of {}", found, count)));
  return {};
}

Result<std::uint64_t> CmReader::uint(std::uint64_t value_max) {
  ASL_ASSIGN(const std::byte first, begin_item());
  const std::uint8_t marker = marker_of(first);
  std::uint64_t value = marker;
  if (marker > kCmPositiveFixintLast) {
    if (marker < kCmUint8 || marker > kCmUint8 + 3)
      return fail(violation("a value is not an unsigned integer"));
    const std::size_t size = std::size_t{1} << (marker - kCmUint8);
    ASL_ASSIGN(value, big_endian(size));
    if (value <= kCmPositiveFixintLast || value < least_of_size(size))
      return fail(violation("an integer " + std::string(kNotShortest)));
  }
  if (value > value_max) return fail(violation(fmt::format("{} is more than {}", value, value_max)));
  return value;
}

Result<std::int64_t> CmReader::sint() {
  if (at_ < bytes_.size()) {
    const std::uint8_t marker = marker_of(bytes_[at_]);
    const bool wide = marker >= kCmInt8 && marker <= kCmInt8 + 3;
    if (!wide && marker < kCmNegativeFixintFirst) {
      ASL_ASSIGN(const std::uint64_t value, uint(std::numeric_limits<std::int64_t>::max()));
      return static_cast<std::int64_t>(value);
    }
  }
  ASL_ASSIGN(const std::byte first, begin_item());
  const std::uint8_t marker = marker_of(first);
  if (marker >= kCmNegativeFixintFirst) return static_cast<std::int8_t>(marker);
  const std::size_t size = std::size_t{1} << (marker - kCmInt8);
  ASL_ASSIGN(const std::uint64_t raw, big_endian(size));
  const auto unused_bits = static_cast<unsigned>(64 - 8 * size);
  const std::int64_t value = static_cast<std::int64_t>(raw << unused_bits) >> unused_bits;
  // A shorter signed form reaches down to -2^(bits of half the size - 1); the shortest one to -32.
  const std::int64_t shorter_min = size == 1 ? kCmNegativeFixintMin : -(std::int64_t{1} << (4 * size - 1));
  if (value >= shorter_min) return fail(violation("an integer " + std::string(kNotShortest)));
  return value;
}

Result<ByteSpan> CmReader::body(std::uint64_t size, std::size_t size_max) {
  if (size > size_max)
    return fail(violation(fmt::format("{} bytes are more than the {} allowed", size, size_max)));
  if (size > bytes_.size() - at_) return fail(violation("the encoding ends too early"));
  const ByteSpan bytes = bytes_.subspan(at_, size);
  at_ += size;
  return bytes;
}

Result<ByteSpan> CmReader::bin(std::size_t size_max) {
  ASL_ASSIGN(const std::byte first, begin_item());
  const std::uint8_t marker = marker_of(first);
  if (marker < kCmBin8 || marker > kCmBin8 + 2) return fail(violation("a value is not a byte string"));
  const std::size_t width = std::size_t{1} << (marker - kCmBin8);
  ASL_ASSIGN(const std::uint64_t size, big_endian(width));
  if (size < least_of_size(width))
    return fail(violation("a byte string's length " + std::string(kNotShortest)));
  return body(size, size_max);
}

Result<std::string_view> CmReader::str(std::size_t size_max) {
  ASL_ASSIGN(const std::byte first, begin_item());
  const std::uint8_t marker = marker_of(first);
  std::uint64_t size = marker & 0x1F;
  if (marker >= kCmStr8 && marker <= kCmStr8 + 2) {
    const std::size_t width = std::size_t{1} << (marker - kCmStr8);
    ASL_ASSIGN(size, big_endian(width));
    if (size <= kCmFixstrMax || size < least_of_size(width))
      return fail(violation("a text's length " + std::string(kNotShortest)));
  } else if ((marker & 0xE0) != kCmFixstr) {
    return fail(violation("a value is not a text"));
  }
  ASL_ASSIGN(const ByteSpan bytes, body(size, size_max));
  if (!is_valid_utf8(as_text(bytes))) return fail(violation("a text is not valid UTF-8"));
  return as_text(bytes);
}

Result<bool> CmReader::boolean() {
  ASL_ASSIGN(const std::byte first, begin_item());
  const std::uint8_t marker = marker_of(first);
  if (marker != kCmTrue && marker != kCmFalse) return fail(violation("a value is not a boolean"));
  return marker == kCmTrue;
}

bool CmReader::at_nil() const {
  return at_ < bytes_.size() && marker_of(bytes_[at_]) == kCmNil;
}

Result<void> CmReader::nil() {
  ASL_ASSIGN(const std::byte first, begin_item());
  if (marker_of(first) != kCmNil) return fail(violation("a value is not nil"));
  return {};
}

Result<Reference> CmReader::reference() {
  ASL_ASSIGN(const ByteSpan bytes, bin());
  auto ref = decode_reference(bytes);
  if (!ref) return fail(violation(ref.error().message));
  return *ref;
}

Result<Reference> CmReader::reference_or_nil() {
  if (!at_nil()) return reference();
  ASL_TRY(nil());
  return Reference{};
}

Result<void> CmReader::header(std::string_view magic, std::uint64_t version) {
  ASL_ASSIGN(const std::string_view found, str());
  if (found != magic) return fail(violation(fmt::format("the encoding does not begin with \"{}\"", magic)));
  ASL_ASSIGN(const std::uint64_t found_version, uint());
  if (found_version == version) return {};
  Error error = violation(fmt::format("version {} of \"{}\" is not known here", found_version, magic));
  error.code = ErrorCode::kUnsupported;
  return fail(std::move(error).with_hint("use a newer release of asl"));
}

Result<void> CmReader::finish() const {
  for (std::size_t level = 0; level <= level_; ++level)
    if (left_[level] != 0) return fail(violation_at(at_, "fewer values than were announced"));
  if (at_ != bytes_.size()) return fail(violation_at(at_, "the encoding has bytes after its end"));
  return {};
}

}  // namespace asl
