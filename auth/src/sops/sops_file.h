// SOPS files for age recipients, YAML and JSON in, YAML out (doc/format-bundle.md): the codec below the
// bundles. It interoperates with the program sops, 3.9 to 3.13.
//
// Errors: kMalformed for the spelling and structure, kUnsupported for files that no age recipient opens,
// kRefused where no identity opens it, kIntegrity for what fails its authentication. Pure, any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/age.h>
#include <asl/auth/strict_yaml.h>
#include <asl/engine/error.h>

#include "sops/secret_tree.h"

namespace asl::auth {

inline constexpr std::size_t kSopsFileMax = std::size_t{1} << 20;  // bytes: as any YAML here
inline constexpr std::size_t kSopsRecipientsMax = 64;              // custody is a handful of people

struct SopsSeal {
  AgeRecipient recipient;
  std::string enc;  // the data key as an armored age file
};

struct SopsFile {
  YamlNode tree;                // without "sops"; sealed values still sealed
  std::vector<SopsSeal> seals;  // in file order
  std::string last_modified;
  std::string mac;
};

struct SopsRules {
  // The rule by which values are selected must be "encrypted_regex" of this text; empty: any rule, and
  // metadata as other programs write it (no version, an unquoted time). For tests of the codec.
  std::string_view encrypted_regex;
};
// JSON if it begins with '{'. Nothing is decrypted yet.
Result<SopsFile> parse_sops(std::string_view text, const SopsRules& rules);

// Whether the value at this path of keys is a sealed one.
using SopsSelection = std::function<bool(std::span<const std::string> path)>;

struct SopsPlaintext {
  SecretBytes memory;
  SecretTree tree;  // its texts lie in `memory`
};
// Every value that is selected must be sealed, no other may be; every value and the MAC over all verify.
Result<SopsPlaintext> decrypt_sops(const SopsFile& file, std::span<const AgeIdentity> identities,
                                   const SopsSelection& selected);

struct SopsPlan {
  std::span<const AgeRecipient> recipients;
  std::string last_modified;    // YYYY-MM-DDTHH:MM:SSZ
  std::string encrypted_regex;  // what `selected` does, as SOPS says it
  SopsSelection selected;
};
// The text of a YAML file. Clear texts must be printable; no text may be empty (SOPS leaves such in clear).
Result<std::string> encrypt_sops(const SecretTree& tree, const SopsPlan& plan);

// "YYYY-MM-DDTHH:MM:SSZ" of a moment that there is.
bool is_sops_time(std::string_view text);

}  // namespace asl::auth
