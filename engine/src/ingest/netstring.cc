#include "ingest/netstring.h"

#include <algorithm>

#include <asl/engine/reference.h>

namespace asl {
namespace {

std::unexpected<Error> malformed(std::string message, std::size_t offset) {
  return fail(Error{.code = ErrorCode::kMalformed, .message = std::move(message), .offset = offset});
}

}  // namespace

Result<std::optional<NetstringPrefix>> parse_netstring_prefix(ByteSpan bytes) {
  std::uint64_t length = 0;
  const std::size_t end = std::min(bytes.size(), kNetstringPrefixMax);
  for (std::size_t k = 0; k < end; ++k) {
    const auto byte = std::to_integer<unsigned char>(bytes[k]);
    if (byte == ':' && k > 0) return NetstringPrefix{length, k + 1};
    if (byte < '0' || byte > '9')
      return malformed(k == 0 ? "a batch holds netstrings: a length in digits was expected"
                              : "a batch holds netstrings: ':' was expected after the length",
                       k);
    if (k > 0 && length == 0) return malformed("the length of a netstring has a needless zero", 0);
    const std::uint64_t digit = byte - '0';
    if (length > (kArtifactLengthMax - digit) / 10)
      return malformed("the length of a netstring is beyond any artifact's", 0);
    length = length * 10 + digit;
  }
  if (end == kNetstringPrefixMax) return malformed("a batch holds netstrings: ':' was expected", end - 1);
  return std::nullopt;
}

}  // namespace asl
