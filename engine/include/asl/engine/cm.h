// Canonical msgpack ("CM"): the subset of msgpack in which trees, partials, snapshots and block lists are
// written (doc/format-msgpack.md). Every value has exactly one accepted encoding, so equal values have equal
// hashes. The reader refuses every other form as it meets it, so whatever it accepts re-encodes to the same
// bytes.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/reference.h>

namespace asl {

// More nesting than any format here has (trees need five levels); bounds the reader's state.
inline constexpr std::size_t kCmDepthMax = 16;

// Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_valid_utf8(std::string_view text);

// Appends values to a buffer that the caller owns. Never fails; the caller announces each array's true count
// and gives `str` only valid UTF-8 (both are asserted by the round trip in the reader).
class CmWriter {
 public:
  explicit CmWriter(Bytes& out) : out_(out) {}

  void array(std::uint32_t count);
  void uint(std::uint64_t value);
  void sint(std::int64_t value);
  void bin(ByteSpan bytes);  // at most 2^32-1 bytes, as str
  void str(std::string_view text);
  void nil();
  void boolean(bool value);
  void reference(const Reference& ref);         // must not be null
  void reference_or_nil(const Reference& ref);  // a null reference is written as nil

 private:
  void head(std::uint8_t first, std::uint64_t value, std::size_t value_size);

  Bytes& out_;
};

// Reads one value (usually an array) from bytes that the caller keeps alive; spans and views point into them.
// Not thread-safe. Errors: kIntegrity with the offset inside the bytes; callers add the object and the file.
// After an error the reader must not be used further.
class CmReader {
 public:
  explicit CmReader(ByteSpan bytes) : bytes_(bytes) { left_[0] = 1; }

  // The announced count, which is never more than the bytes that are left.
  Result<std::uint32_t> array(std::uint32_t count_max = std::numeric_limits<std::uint32_t>::max());
  Result<void> array_exactly(std::uint32_t count);
  Result<std::uint64_t> uint(std::uint64_t value_max = std::numeric_limits<std::uint64_t>::max());
  Result<std::int64_t> sint();
  Result<ByteSpan> bin(std::size_t size_max = std::numeric_limits<std::uint32_t>::max());
  Result<std::string_view> str(std::size_t size_max = std::numeric_limits<std::uint32_t>::max());
  Result<bool> boolean();
  Result<void> nil();
  bool at_nil() const;  // the next value is nil; consumes nothing
  Result<Reference> reference();
  Result<Reference> reference_or_nil();  // nil gives a null reference
  // The magic string and version that begin every format. Another version is kUnsupported.
  Result<void> header(std::string_view magic, std::uint64_t version);

  // Fails unless every array is complete and every byte is consumed.
  Result<void> finish() const;

  std::size_t offset() const { return at_; }
  // The error for a rule that the value just read violates.
  Error violation(std::string_view rule) const { return violation_at(item_at_, rule); }
  static Error violation_at(std::size_t offset, std::string_view rule);

 private:
  Result<std::byte> begin_item();
  Result<std::uint64_t> big_endian(std::size_t size);
  Result<ByteSpan> body(std::uint64_t size, std::size_t size_max);

  ByteSpan bytes_;
  std::size_t at_ = 0;
  std::size_t item_at_ = 0;
  // Values still to come at each open level; level 0 is the one value itself.
  std::array<std::uint32_t, kCmDepthMax + 1> left_{};
  std::size_t level_ = 0;
};

}  // namespace asl
