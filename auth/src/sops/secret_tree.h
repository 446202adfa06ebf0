// The plaintext of a bundle: a tree of texts that lie in protected memory, in file order.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asl/auth/secret.h>

#include "sops/enc_value.h"

namespace asl::auth {

// Owns its shape and its keys, which are no secrets; the texts are the memory's owner's.
struct SecretTree {
  enum class Kind : std::uint8_t { kText, kList, kMap };
  Kind kind = Kind::kMap;
  std::string_view text{};  // kText
  SopsType type = SopsType::kText;
  std::vector<SecretTree> items{};                           // kList
  std::vector<std::pair<std::string, SecretTree>> fields{};  // kMap

  static SecretTree of(std::string_view text) { return {.kind = Kind::kText, .text = text}; }
  const SecretTree* field(std::string_view name) const;  // null if absent
  // The text at "a.b.c"; empty if there is none.
  std::string_view text_at(std::string_view path) const;
};

// Canonical JSON (canonical_json.h) of a tree of texts, without the top field of that name, in protected
// memory.
SecretBytes encode_canonical(const SecretTree& map, std::string_view without);

// Standard base64 in protected memory.
SecretBytes encode_base64_secret(ByteSpan bytes);
// Empty if it is not the canonical base64 of exactly `size` bytes.
SecretBytes decode_base64_secret(std::string_view text, std::size_t size);

}  // namespace asl::auth
