// How a file key is wrapped for one recipient, and unwrapped.
#pragma once

#include <optional>
#include <span>

#include <asl/auth/age.h>

#include "age/header.h"

namespace asl::auth {

AgeStanza wrap_x25519(const SecretBytes& file_key, const AgeRecipient& recipient,
                      const SecretBytes& ephemeral);
Result<AgeStanza> wrap_scrypt(const SecretBytes& file_key, const SecretBytes& pass_phrase,
                              unsigned work_factor, const std::array<std::byte, 16>& salt);

// Every stanza of a known type must be well-formed, whoever it is for; a scrypt stanza must be the only one.
Result<void> check_stanzas(const std::vector<AgeStanza>& stanzas);
// The file key that one of the openers gets out of one of the (checked) stanzas; kRefused if none does.
Result<SecretBytes> unwrap_file_key(const std::vector<AgeStanza>& stanzas, const AgeOpeners& openers);

}  // namespace asl::auth
