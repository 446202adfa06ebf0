// What an envelope is, for people: its object, who signed it, what is missing.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <asl/auth/envelope.h>
#include <asl/auth/root_set.h>
#include <asl/auth/value.h>

namespace asl::auth {

enum class SignatureState : std::uint8_t { kGood, kUnknownKey, kBad };

struct ExplainedSignature {
  KeyId key_id{};
  SignatureState state = SignatureState::kUnknownKey;
};

struct Explanation {
  Kind kind = Kind::kDam;
  Value object = Value::Object();
  Digest object_hash{};
  std::vector<ExplainedSignature> signatures{};
  // How far it is signed, where that can be told: {1, 2} is "1 of 2".
  std::optional<std::pair<std::size_t, std::size_t>> standing{};
  std::optional<Error> broken{};  // the first rule that it breaks by itself
};

// Keys known beside `known`: those that the object itself is signed by (a manifest's root key, a root set's
// keys), and those of the root set in `roots` that a certificate names. They say that the object is whole,
// not that anybody should trust it. Fails only if the payload is not canonical JSON.
Result<Explanation> explain_envelope(const Envelope& envelope, std::span<const PublicKey> known,
                                     const RootSetChain* roots);

// One leaf of an object: {"principals[0].roles[1]", "execute"}.
std::vector<std::pair<std::string, std::string>> flat_fields(const Value& object);

}  // namespace asl::auth
