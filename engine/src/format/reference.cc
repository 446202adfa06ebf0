#include <algorithm>
#include <utility>

#include <asl/engine/hash.h>
#include <asl/engine/reference.h>

namespace asl {
namespace {

constexpr std::string_view kPrefixSha256 = "sha256:";
constexpr std::string_view kPrefixAsl1 = "asl1:";
constexpr std::size_t kDigestHexSize = 2 * sizeof(Digest);
constexpr std::byte kArtifactEncodingVersion{0x01};

struct NamedDigest {
  std::uint16_t hash_id;
  std::string_view hex;
};

std::optional<NamedDigest> split_hash_name(std::string_view text) {
  if (text.starts_with(kPrefixSha256)) return NamedDigest{kHashIdSha256, text.substr(kPrefixSha256.size())};
  if (text.starts_with(kPrefixAsl1)) return NamedDigest{kHashIdAsl1, text.substr(kPrefixAsl1.size())};
  return std::nullopt;
}

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Text from a command line ends up in messages: keep it short.
std::string excerpt(std::string_view text) {
  constexpr std::size_t kShownMax = 80;
  return text.size() <= kShownMax ? std::string(text) : std::string(text.substr(0, kShownMax)) + "...";
}

std::unexpected<Error> malformed_text(std::string message, std::string_view text, std::string hint) {
  Error error;
  error.code = ErrorCode::kMalformed;
  error.message = std::move(message);
  error.object = excerpt(text);
  error.hint = std::move(hint);
  return fail(std::move(error));
}

}  // namespace

std::array<std::byte, 13> typed_prefix(std::uint32_t type_tag, std::uint64_t length) {
  std::array<std::byte, 13> prefix;
  prefix[0] = kArtifactEncodingVersion;
  store_be(prefix.data() + 1, type_tag);
  store_be(prefix.data() + 5, length);
  return prefix;
}

Reference typed_reference(std::uint32_t type_tag, ByteSpan bytes) {
  Sha256 hash;
  hash.update(typed_prefix(type_tag, bytes.size()));
  hash.update(bytes);
  return {kHashIdAsl1, hash.finish()};
}

std::array<std::byte, kReferenceSize> encode_reference(const Reference& ref) {
  std::array<std::byte, kReferenceSize> bytes;
  store_be(bytes.data(), ref.hash_id);
  std::ranges::copy(ref.digest, bytes.begin() + 2);
  return bytes;
}

Result<Reference> decode_reference(ByteSpan bytes) {
  if (bytes.size() != kReferenceSize) return fail(ErrorCode::kMalformed, "a reference must have 34 bytes");
  Reference ref;
  ref.hash_id = load_be<std::uint16_t>(bytes.data());
  // Id 0 is how "no reference" is held in memory; on disk that is a nil, never 34 bytes.
  if (ref.hash_id == 0) return fail(ErrorCode::kMalformed, "a reference has the reserved hash id 0");
  std::ranges::copy(bytes.subspan(2), ref.digest.begin());
  return ref;
}

std::string to_text(const Reference& ref) {
  const std::string hex = to_hex(ref.digest);
  switch (ref.hash_id) {
    case kHashIdSha256:
      return std::string(kPrefixSha256) + hex;
    case kHashIdAsl1:
      return std::string(kPrefixAsl1) + hex;
    default: {
      std::array<std::byte, 2> id;
      store_be(id.data(), ref.hash_id);
      return "hash-" + to_hex(id) + ":" + hex;
    }
  }
}

Result<Reference> parse_reference(std::string_view text) {
  const auto parts = split_hash_name(text);
  const auto digest = parts ? digest_from_hex(parts->hex) : std::nullopt;
  if (!digest)
    return malformed_text("not a reference", text,
                          "write sha256: or asl1: followed by 64 lower-case hex digits");
  return Reference{parts->hash_id, *digest};
}

Result<ReferencePrefix> parse_reference_prefix(std::string_view text) {
  const NamedDigest parts = split_hash_name(text).value_or(NamedDigest{kHashIdSha256, text});
  if (parts.hex.size() < kPrefixHexMin || parts.hex.size() > kDigestHexSize || !is_lower_hex(parts.hex))
    return malformed_text("not a reference or the beginning of one", text,
                          "write 8 to 64 lower-case hex digits, after sha256: or asl1: if you like");
  return ReferencePrefix{parts.hash_id, std::string(parts.hex)};
}

std::optional<Reference> ReferencePrefix::whole() const {
  const auto digest = digest_from_hex(hex);
  if (!digest) return std::nullopt;
  return Reference{hash_id, *digest};
}

bool ReferencePrefix::matches(const Reference& ref) const {
  return ref.hash_id == hash_id && to_hex(ref.digest).starts_with(hex);
}

}  // namespace asl
