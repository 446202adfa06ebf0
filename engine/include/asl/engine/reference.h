// References: the names of artifacts (doc/format-reference.md).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl {

inline constexpr std::uint16_t kHashIdAsl1 = 0x0001;    // typed artifacts
inline constexpr std::uint16_t kHashIdSha256 = 0xF001;  // untyped artifacts: the value sha256sum prints
inline constexpr std::size_t kReferenceSize = 34;       // hash id u16 BE, digest 32
inline constexpr std::uint64_t kArtifactLengthMax = (1ULL << 63) - 1;

// Type tags of typed artifacts. Tags 0x00A50010 to 0x00A500FF are authority objects and gc roots.
inline constexpr std::uint32_t kTagTree = 0x00A50001;
inline constexpr std::uint32_t kTagSnapshot = 0x00A50002;
inline constexpr std::uint32_t kTagPartial = 0x00A50003;
inline constexpr std::uint32_t kTagErrors = 0x00A50004;
inline constexpr std::uint32_t kTagAuthorityFirst = 0x00A50010;
inline constexpr std::uint32_t kTagAuthorityLast = 0x00A500FF;

struct Reference {
  std::uint16_t hash_id = 0;  // 0: no reference
  Digest digest{};

  bool is_null() const { return hash_id == 0; }
  bool is_typed() const { return hash_id == kHashIdAsl1; }
  auto operator<=>(const Reference&) const = default;
};

struct ReferenceHash {
  std::size_t operator()(const Reference& ref) const noexcept {
    return load_le<std::uint64_t>(ref.digest.data()) ^ ref.hash_id;
  }
};

// The identity of untyped bytes whose SHA-256 is known.
inline Reference untyped_reference(const Digest& digest) {
  return {kHashIdSha256, digest};
}
// SHA-256(0x01 | type_tag u32 BE | length u64 BE | bytes): the identity of a typed artifact.
Reference typed_reference(std::uint32_t type_tag, ByteSpan bytes);
// The 13 bytes that precede a typed artifact's bytes in its encoding, for hashing in pieces.
std::array<std::byte, 13> typed_prefix(std::uint32_t type_tag, std::uint64_t length);

// Binary form. decode rejects hash id 0 and any size but 34; ids other than the two above decode (a store
// refuses them with kUnsupported).
std::array<std::byte, kReferenceSize> encode_reference(const Reference& ref);
Result<Reference> decode_reference(ByteSpan bytes);

// "sha256:<64 hex>", "asl1:<64 hex>"; other ids print as "hash-<4 hex>:<64 hex>".
std::string to_text(const Reference& ref);
// The exact text form only.
Result<Reference> parse_reference(std::string_view text);

// A reference shortened to a prefix: "sha256:", "asl1:" or nothing (which means sha256), then 8 to 64 hex
// digits. With 64 digits it is a whole reference.
inline constexpr std::size_t kPrefixHexMin = 8;
struct ReferencePrefix {
  std::uint16_t hash_id = kHashIdSha256;
  std::string hex;  // lower case, kPrefixHexMin to 64 digits
  std::optional<Reference> whole() const;
  bool matches(const Reference& ref) const;
};
Result<ReferencePrefix> parse_reference_prefix(std::string_view text);

}  // namespace asl
