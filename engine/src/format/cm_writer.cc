#include <asl/engine/cm.h>

#include "format/cm_marker.h"

namespace asl {
namespace {

// log2 of the fewest bytes (1, 2, 4 or 8) that hold `value`.
unsigned width_of(std::uint64_t value) {
  if (value <= 0xFF) return 0;
  if (value <= 0xFFFF) return 1;
  return value <= 0xFFFF'FFFF ? 2 : 3;
}

unsigned width_of_negative(std::int64_t value) {
  if (value >= std::numeric_limits<std::int8_t>::min()) return 0;
  if (value >= std::numeric_limits<std::int16_t>::min()) return 1;
  return value >= std::numeric_limits<std::int32_t>::min() ? 2 : 3;
}

void append(Bytes& out, ByteSpan bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

void CmWriter::head(std::uint8_t first, std::uint64_t value, std::size_t value_size) {
  std::array<std::byte, 9> bytes;
  bytes[0] = std::byte{first};
  // The value's low bytes, big-endian: shifted up, they are the first ones of the 64-bit form.
  if (value_size > 0) store_be(bytes.data() + 1, value << (8 * (8 - value_size)));
  append(out_, ByteSpan(bytes).first(1 + value_size));
}

void CmWriter::array(std::uint32_t count) {
  if (count <= kCmFixarrayMax) return head(static_cast<std::uint8_t>(kCmFixarray | count), 0, 0);
  const bool wide = count > 0xFFFF;
  head(static_cast<std::uint8_t>(kCmArray16 + wide), count, wide ? 4 : 2);
}

void CmWriter::uint(std::uint64_t value) {
  if (value <= kCmPositiveFixintLast) return head(static_cast<std::uint8_t>(value), 0, 0);
  const unsigned width = width_of(value);
  head(static_cast<std::uint8_t>(kCmUint8 + width), value, std::size_t{1} << width);
}

void CmWriter::sint(std::int64_t value) {
  if (value >= 0) return uint(static_cast<std::uint64_t>(value));
  if (value >= kCmNegativeFixintMin) return head(static_cast<std::uint8_t>(value), 0, 0);
  const unsigned width = width_of_negative(value);
  head(static_cast<std::uint8_t>(kCmInt8 + width), static_cast<std::uint64_t>(value),
       std::size_t{1} << width);
}

void CmWriter::bin(ByteSpan bytes) {
  const unsigned width = width_of(bytes.size());
  head(static_cast<std::uint8_t>(kCmBin8 + width), bytes.size(), std::size_t{1} << width);
  append(out_, bytes);
}

void CmWriter::str(std::string_view text) {
  if (text.size() <= kCmFixstrMax) {
    head(static_cast<std::uint8_t>(kCmFixstr | text.size()), 0, 0);
  } else {
    const unsigned width = width_of(text.size());
    head(static_cast<std::uint8_t>(kCmStr8 + width), text.size(), std::size_t{1} << width);
  }
  append(out_, as_bytes(text));
}

void CmWriter::nil() {
  head(kCmNil, 0, 0);
}

void CmWriter::boolean(bool value) {
  head(value ? kCmTrue : kCmFalse, 0, 0);
}

void CmWriter::reference(const Reference& ref) {
  bin(encode_reference(ref));
}

void CmWriter::reference_or_nil(const Reference& ref) {
  if (ref.is_null()) return nil();
  reference(ref);
}

}  // namespace asl
