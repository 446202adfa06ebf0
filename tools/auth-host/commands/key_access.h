// How commands come to keys: options to pass phrases to keys in protected memory.
#pragma once

#include <string>
#include <vector>

#include <asl/auth/key_file.h>
#include <asl/auth/public_key.h>
#include <asl/auth/signing_key.h>

#include "program.h"

namespace asl::cli {

// The value of an option without which the command makes no sense; kUsage if it is not given.
Result<std::string> required_option(const ParsedOptions& options, std::string_view name);

// The key in the file, by the pass phrase that the options name; the `place`-th key of this command.
Result<auth::SigningKey> open_key(Context& context, const ParsedOptions& options, const std::string& path,
                                  std::size_t place);
// Every --key, in order; kUsage if there is none.
Result<std::vector<auth::SigningKey>> open_signing_keys(Context& context, const ParsedOptions& options);

// A pass phrase for a file that is about to be written: generated, or from the options whose names begin with
// `prefix` ("" or "new-"), or asked for twice.
Result<auth::SecretBytes> choose_pass_phrase(Context& context, const ParsedOptions& options,
                                             std::string_view prefix);
auth::KdfCost chosen_cost(const ParsedOptions& options);

Result<std::vector<auth::PublicKey>> read_public_keys(const std::vector<std::string>& paths);

}  // namespace asl::cli
