#include <algorithm>
#include <fmt/format.h>
#include <sodium.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/envelope.h>
#include <asl/auth/rules.h>
#include <asl/auth/secret.h>
#include <asl/auth/text_rules.h>

#include "objects/object_table.h"

namespace asl::auth {
namespace {

std::unexpected<Error> malformed(const std::string& message) {
  return fail(ErrorCode::kMalformed, "not an envelope: " + message);
}

const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

bool has_exactly(const Value& value, std::span<const std::string_view> names) {
  return value.object() != nullptr && value.object()->size() == names.size() &&
         std::ranges::all_of(names, [&](std::string_view name) { return value.member(name) != nullptr; });
}

Result<EnvelopeSignature> decode_signature(const Value& value) {
  constexpr std::string_view kFields[] = {"keyid", "sig"};
  if (!has_exactly(value, kFields)) return malformed("a signature has the fields keyid and sig, no others");
  const std::string* key_id = value.member("keyid")->text();
  const std::string* text = value.member("sig")->text();
  if (key_id == nullptr || text == nullptr) return malformed("keyid and sig are strings");
  const auto digest = digest_from_hex(*key_id);
  if (!digest) return malformed("keyid must be 64 lower-case hex digits");
  const auto bytes = decode_base64(*text);
  EnvelopeSignature signature{.key_id = *digest};
  if (!bytes || bytes->size() != signature.bytes.size()) return malformed("sig must be base64 of 64 bytes");
  std::ranges::copy(*bytes, signature.bytes.begin());
  return signature;
}

Result<std::vector<EnvelopeSignature>> decode_signatures(const Value& value) {
  const Value::Array* items = value.array();
  if (items == nullptr || items->empty()) return malformed("there is no signature");
  if (items->size() > kSignaturesMax)
    return malformed(fmt::format("more than {} signatures", kSignaturesMax));
  std::vector<EnvelopeSignature> signatures;
  for (const Value& item : *items) {
    ASL_ASSIGN(const EnvelopeSignature signature, decode_signature(item));
    if (!signatures.empty() && signatures.back().key_id == signature.key_id)
      return malformed("two signatures by one key: " + to_hex(signature.key_id));
    if (!signatures.empty() && signatures.back().key_id > signature.key_id)
      return malformed("signatures are not sorted by keyid");
    signatures.push_back(signature);
  }
  return signatures;
}

// What every object must be before its own reader looks at it.
Result<Value> decode_payload(const KindSpec& spec, std::string_view payload) {
  ASL_ASSIGN(Value value, decode_canonical(payload, {.size_max = spec.size_max}));
  if (!spec.names_itself) return value;
  const Value* name = value.member("kind");
  const Value* version = value.member("v");
  if (name == nullptr || version == nullptr || name->text() == nullptr || version->integer() == nullptr)
    return malformed("the payload does not have the fields kind and v");
  if (*name->text() != spec.name)
    return malformed(fmt::format("payloadType says {}, the payload says something else", spec.name));
  if (*version->integer() != 1)
    return fail(ErrorCode::kUnsupported, fmt::format("a {} of an unknown version", spec.name));
  return value;
}

Result<Envelope> decode(std::string_view text, std::size_t size_max, const KindSpec* wanted) {
  ASL_ASSIGN(const Value value, decode_canonical(text, {.size_max = size_max, .keys = KeyRule::kEnvelope}));
  constexpr std::string_view kFields[] = {"payload", "payloadType", "signatures"};
  if (!has_exactly(value, kFields))
    return malformed("it must have the fields payload, payloadType and signatures, no others");
  const std::string* type = value.member("payloadType")->text();
  const std::string* encoded = value.member("payload")->text();
  if (type == nullptr || encoded == nullptr) return malformed("payload and payloadType are strings");
  const KindSpec* spec = kind_of_payload_type(*type);
  if (spec == nullptr || !spec->signer) return malformed("no kind of object that is ever signed");
  if (wanted != nullptr && spec != wanted)
    return malformed(fmt::format("it holds a {}, not a {}", spec->name, wanted->name));
  if (text.size() > spec->size_max) return malformed(fmt::format("larger than a {} may be", spec->name));
  const auto payload = decode_base64(*encoded);
  if (!payload) return malformed("payload is not base64");
  Envelope envelope{.kind = spec->kind, .payload = std::string(as_text(*payload))};
  ASL_TRY(decode_payload(*spec, envelope.payload));
  ASL_ASSIGN(envelope.signatures, decode_signatures(*value.member("signatures")));
  return envelope;
}

bool is_valid(const EnvelopeSignature& signature, std::string_view encoded, const PublicKey& key) {
  return crypto_sign_verify_detached(raw(signature.bytes.data()),
                                     reinterpret_cast<const unsigned char*>(encoded.data()), encoded.size(),
                                     raw(key.bytes.data())) == 0;
}

std::unexpected<Error> wrong_class(const KindSpec& spec, const Signer& signer) {
  const auto name = key_class_name(signer.key_class());
  auto refused =
      broken_rule("signer-class", fmt::format("a key of class {} does not sign a {}", name, spec.name),
                  to_hex(key_id_of(signer.public_key())));
  if (spec.signer) refused.error().hint = fmt::format("a key of class {}", key_class_name(*spec.signer));
  return refused;
}

Result<void> check_class(const KindSpec& spec, const Value& object, const Signer& signer) {
  if (!spec.signer || !may_sign(signer.key_class(), spec)) return wrong_class(spec, signer);
  if (!spec.domain_root_for_admission) return {};
  // The applicant of an admission has no other key that anybody could know yet.
  const Value* type = object.member("request_type");
  const bool admission = type != nullptr && type->text() != nullptr && *type->text() == "admission";
  const KeyClass needed = admission ? KeyClass::kDomainRoot : *spec.signer;
  if (signer.key_class() != needed) return wrong_class(spec, signer);
  return {};
}

}  // namespace

Result<Envelope> decode_envelope(std::string_view text) {
  return decode(text, kCanonicalSizeMaxLists, nullptr);
}

Result<Envelope> decode_envelope(std::string_view text, Kind kind) {
  return decode(text, spec_of(kind).size_max, &spec_of(kind));
}

std::string encode_envelope(const Envelope& envelope) {
  Value::Array signatures;
  for (const EnvelopeSignature& signature : envelope.signatures)
    signatures.push_back(
        Value::Object{{"keyid", to_hex(signature.key_id)}, {"sig", encode_base64(signature.bytes)}});
  return encode_canonical(Value::Object{{"payload", encode_base64(as_bytes(envelope.payload))},
                                        {"payloadType", payload_type(envelope.kind)},
                                        {"signatures", std::move(signatures)}});
}

std::string pre_authentication_encoding(std::string_view type, std::string_view payload) {
  return fmt::format("DSSEv1 {} {} {} {}", type.size(), type, payload.size(), payload);
}

Result<std::vector<PublicKey>> verify_envelope(const Envelope& envelope, std::span<const PublicKey> known) {
  start_crypto();
  const std::string encoded = pre_authentication_encoding(payload_type(envelope.kind), envelope.payload);
  std::vector<PublicKey> signers;
  for (const EnvelopeSignature& signature : envelope.signatures) {
    const auto key = std::ranges::find(known, signature.key_id, key_id_of);
    if (key == known.end()) continue;
    if (!is_valid(signature, encoded, *key))
      return broken_rule(
          "signature-valid",
          fmt::format("a signature on this {} is not by the key it names", spec_of(envelope.kind).name),
          to_hex(signature.key_id));
    signers.push_back(*key);
  }
  return signers;
}

Result<EnvelopeSignature> sign_object(Kind kind, std::string_view payload, Signer& signer) {
  start_crypto();
  const KindSpec& spec = spec_of(kind);
  ASL_ASSIGN(const Value object, decode_payload(spec, payload));
  ASL_TRY(check_class(spec, object, signer));
  ASL_TRY(check_object(kind, object));
  const std::string encoded = pre_authentication_encoding(payload_type(kind), payload);
  EnvelopeSignature signature{.key_id = key_id_of(signer.public_key())};
  ASL_ASSIGN(signature.bytes, signer.sign_encoded(as_bytes(encoded)));
  // A fault while signing (a flipped bit, a lying token) can give the key away: nothing leaves unchecked.
  if (!is_valid(signature, encoded, signer.public_key()))
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "a new signature does not verify and was thrown away",
                      .object = to_hex(signature.key_id),
                      .hint = "check this machine's memory, or the token, before signing again"});
  return signature;
}

Result<Envelope> seal_object(Kind kind, std::string_view payload, Signer& signer) {
  ASL_ASSIGN(const EnvelopeSignature signature, sign_object(kind, payload, signer));
  return Envelope{.kind = kind, .payload = std::string(payload), .signatures = {signature}};
}

Result<Envelope> seal_object(Kind kind, std::string_view payload, std::span<SigningKey> keys) {
  if (keys.empty()) return fail(ErrorCode::kUsage, "nothing to sign with");
  ASL_ASSIGN(Envelope envelope, seal_object(kind, payload, keys.front()));
  for (SigningKey& key : keys.subspan(1)) ASL_TRY(add_signature(envelope, key));
  return envelope;
}

Result<void> add_signature(Envelope& envelope, Signer& signer) {
  const KeyId key_id = key_id_of(signer.public_key());
  const auto place = std::ranges::lower_bound(envelope.signatures, key_id, {}, &EnvelopeSignature::key_id);
  if (place != envelope.signatures.end() && place->key_id == key_id)
    return broken_rule("signature-once", "this key has signed it already", to_hex(key_id));
  if (envelope.signatures.size() == kSignaturesMax)
    return broken_rule("signature-once",
                       fmt::format("it has {} signatures already, the most there may be", kSignaturesMax));
  ASL_ASSIGN(const EnvelopeSignature signature, sign_object(envelope.kind, envelope.payload, signer));
  envelope.signatures.insert(place, signature);
  return {};
}

Result<void> check_superset(const Envelope& before, const Envelope& after) {
  if (before.kind != after.kind || before.payload != after.payload)
    return broken_rule("signature-superset", "it holds another object");
  for (const EnvelopeSignature& signature : before.signatures)
    if (std::ranges::find(after.signatures, signature) == after.signatures.end())
      return broken_rule("signature-superset", "a signature would be lost", to_hex(signature.key_id));
  return {};
}

}  // namespace asl::auth
