// DSSE v1 envelopes: every signature there is (doc/format-envelope.md).
//
// Pure functions, any thread, except that a Signer is used by one thread at a time.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/kinds.h>
#include <asl/auth/public_key.h>
#include <asl/auth/signer.h>
#include <asl/auth/signing_key.h>
#include <asl/auth/value.h>
#include <asl/engine/error.h>

namespace asl::auth {

// Three roots and a few co-signers are usual; more are refused before any is checked.
inline constexpr std::size_t kSignaturesMax = 16;

struct Envelope {
  Kind kind = Kind::kDam;
  std::string payload{};                        // the object's canonical JSON
  std::vector<EnvelopeSignature> signatures{};  // sorted by key id, each key once, 1 to kSignaturesMax

  Digest object_hash() const { return auth::object_hash(kind, payload); }
};

// Canonical JSON with DSSE's own key names. The payload is checked to be canonical JSON of an object that
// names itself as payloadType does; its fields are the object's own reader's business. kMalformed otherwise.
// Nothing is verified yet.
Result<Envelope> decode_envelope(std::string_view text);
// The same, of one kind only, and so within that kind's size.
Result<Envelope> decode_envelope(std::string_view text, Kind kind);
std::string encode_envelope(const Envelope& envelope);

// What is signed: "DSSEv1" SP length SP type SP length SP payload (DSSE v1, "PAE").
std::string pre_authentication_encoding(std::string_view type, std::string_view payload);

// The keys among `known` by which the envelope is rightly signed, in the order of its signatures; perhaps
// none. Signatures by other keys are ignored. A bad signature by a known key makes the whole envelope
// kIntegrity. Verification is libsodium's: strict about S, small-order points and encodings.
Result<std::vector<PublicKey>> verify_envelope(const Envelope& envelope, std::span<const PublicKey> known);

// A signature over the object, made and then verified. The payload must be canonical and pass the reader of
// its kind; the signer's class must be the kind's. kRefused otherwise; kUnsupported for a kind that this
// version cannot read; nothing that cannot be read is signed.
Result<EnvelopeSignature> sign_object(Kind kind, std::string_view payload, Signer& signer);
// An envelope with one signature, and one with a signature by each key.
Result<Envelope> seal_object(Kind kind, std::string_view payload, Signer& signer);
Result<Envelope> seal_object(Kind kind, std::string_view payload, std::span<SigningKey> keys);
// Adds the signer's signature; kRefused if it has signed already (Ed25519 would give the same one again).
Result<void> add_signature(Envelope& envelope, Signer& signer);

// Whether `after` may stand in for `before`: the same object and every signature of `before`. kRefused
// otherwise.
Result<void> check_superset(const Envelope& before, const Envelope& after);

}  // namespace asl::auth
