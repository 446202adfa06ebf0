// Bech32 (BIP 173) as age uses it: no limit of 90 characters, 32 bytes of data.
#pragma once

#include <optional>
#include <string_view>

#include <asl/auth/secret.h>

namespace asl::auth {

// Lower case; the caller wants it upper for identities. `prefix` is lower case.
SecretBytes encode_bech32(std::string_view prefix, ByteSpan data);
// Nothing unless the text has that prefix, one case throughout, a right checksum and whole bytes.
std::optional<SecretBytes> decode_bech32(std::string_view prefix, std::string_view text);

}  // namespace asl::auth
