// The table of the program asl-auth-host: every command it can have, whether its handler is linked in or not.
#pragma once

#include <vector>

#include "option_table.h"

namespace asl::cli {

ProgramSpec auth_host_table();

inline constexpr std::string_view kSectionKeys = "Keys";
inline constexpr std::string_view kSectionSignatures = "Signed objects";
inline constexpr std::string_view kSectionDomains = "Domains and their manifests";
inline constexpr std::string_view kSectionPeers = "Other domains";
inline constexpr std::string_view kSectionBundles = "Bundles";
inline constexpr std::string_view kSectionLog = "The log";
inline constexpr std::string_view kSectionRoots = "Offline roots and certificates";
inline constexpr std::string_view kSectionAuthHelp = "Help";
std::vector<CommandSpec> key_commands();
std::vector<CommandSpec> object_commands();
std::vector<CommandSpec> domain_commands();
std::vector<CommandSpec> admission_commands();
std::vector<CommandSpec> bundle_commands();

// Options that several rows share.
std::vector<OptionSpec> pass_options();
OptionSpec kdf_option();
// --generate and --words: a pass phrase that is made.
std::vector<OptionSpec> phrase_options();
std::vector<OptionSpec> date_options();
OptionSpec operational_key_option();
OptionSpec root_key_option();
// --key, required by the handler, and pass_options.
std::vector<OptionSpec> signing_options();
// `options` and then `more`.
std::vector<OptionSpec> with(std::vector<OptionSpec> options, const std::vector<OptionSpec>& more);

}  // namespace asl::cli
