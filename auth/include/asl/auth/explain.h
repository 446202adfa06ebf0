// What an envelope is, for people: its object, who signed it, what is missing.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <asl/auth/dam.h>
#include <asl/auth/envelope.h>
#include <asl/auth/root_set.h>
#include <asl/auth/value.h>

namespace asl::auth {

enum class SignatureState : std::uint8_t { kGood, kUnknownKey, kBad };

struct ExplainedSignature {
  KeyId key_id{};
  SignatureState state = SignatureState::kUnknownKey;
};

// How far it is signed by those who must: {"its own keys", 1, 2} is "1 of 2 by its own keys".
struct Standing {
  std::string by;
  std::size_t reached = 0;
  std::size_t needed = 0;
};

struct Explanation {
  Kind kind = Kind::kDam;
  Value object = Value::Object();
  Digest object_hash{};
  std::vector<ExplainedSignature> signatures{};
  std::vector<Standing> standings{};  // as far as that can be told from here; all must be reached
  std::optional<Error> broken{};      // the first rule that it breaks by itself
};

// What stands around an envelope: a root set or a manifest is signed by the one before it, too.
struct ExplainContext {
  std::span<const PublicKey> known{};   // keys to check signatures against
  const RootSetChain* roots = nullptr;  // that certificates and ratifications name, or that come before
  const Dam* previous = nullptr;        // the version before a manifest
};

// Keys known beside the context's `known`: those that the object itself is signed by (a manifest's root key,
// a root set's keys), and those of the root set that it names. They say that the object is whole, not that
// anybody should trust it. Fails only if the payload is not canonical JSON.
Result<Explanation> explain_envelope(const Envelope& envelope, const ExplainContext& context = {});

// One leaf of an object: {"principals[0].roles[1]", "execute"}.
std::vector<std::pair<std::string, std::string>> flat_fields(const Value& object);

}  // namespace asl::auth
