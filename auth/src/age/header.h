// The header of an age file: stanzas, one for each recipient, and a MAC under the file key.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/secret.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kAgeFileKeySize = 16;  // bytes

struct AgeStanza {
  std::string type;
  std::vector<std::string> arguments;
  Bytes body;
};

struct AgeHeader {
  std::vector<AgeStanza> stanzas;
  std::array<std::byte, 32> mac{};
  std::string authenticated;  // what the MAC is over: everything up to and including "---"
};

[[nodiscard]] std::unexpected<Error> age_header_error(std::string_view what);

// The whole header, its last line feed included.
Result<AgeHeader> decode_age_header(std::string_view text);
std::string encode_age_header(const std::vector<AgeStanza>& stanzas, const SecretBytes& file_key);
// kIntegrity if the header is not the one that was written with this file key.
Result<void> check_age_mac(const AgeHeader& header, const SecretBytes& file_key);

}  // namespace asl::auth
