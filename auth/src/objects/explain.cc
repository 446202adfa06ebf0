#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/certificate.h>
#include <asl/auth/dam.h>
#include <asl/auth/explain.h>

#include "objects/object_table.h"

namespace asl::auth {
namespace {

// The keys that ought to have signed, and how many of them it takes.
struct Expected {
  std::vector<PublicKey> keys;
  std::size_t needed = 0;
};

Expected expected_signers(const Envelope& envelope, const Value& object, const RootSetChain* roots) {
  if (envelope.kind == Kind::kDam) {
    if (const auto dam = dam_of(object)) return {{dam->root_key}, 1};
  } else if (envelope.kind == Kind::kRootSet) {
    if (const auto set = root_set_of(object)) return {set->keys, set->threshold};
  } else if (envelope.kind == Kind::kCertificateRequest) {
    const auto subject = certificate_request_of(object);
    if (subject && subject->type == SubjectType::kDomainRoot) return {{subject->key}, 1};
  } else if (envelope.kind == Kind::kCertificate && roots != nullptr) {
    const auto certificate = certificate_of(object);
    const RootSet* set = certificate ? roots->find(certificate->issued_by) : nullptr;
    if (set != nullptr) return {set->keys, set->threshold};
  } else if (envelope.kind == Kind::kPolicyRatification && roots != nullptr && !roots->empty()) {
    return {roots->latest().keys, roots->latest().threshold};
  }
  return {};
}

SignatureState state_of(const Envelope& envelope, const EnvelopeSignature& signature,
                        const std::vector<PublicKey>& known) {
  const auto key = std::ranges::find(known, signature.key_id, key_id_of);
  if (key == known.end()) return SignatureState::kUnknownKey;
  const Envelope alone{.kind = envelope.kind, .payload = envelope.payload, .signatures = {signature}};
  return verify_envelope(alone, std::span(&*key, 1)) ? SignatureState::kGood : SignatureState::kBad;
}

void flatten(const Value& value, const std::string& path,
             std::vector<std::pair<std::string, std::string>>& out) {
  if (const auto* fields = value.object()) {
    for (const auto& [name, field] : *fields) flatten(field, path.empty() ? name : path + "." + name, out);
  } else if (const auto* items = value.array()) {
    if (items->empty()) out.emplace_back(path, "(none)");
    for (std::size_t i = 0; i < items->size(); ++i) flatten((*items)[i], fmt::format("{}[{}]", path, i), out);
  } else if (const auto* text = value.text()) {
    out.emplace_back(path, *text);
  } else if (const auto* number = value.integer()) {
    out.emplace_back(path, std::to_string(*number));
  } else {
    out.emplace_back(path, *value.boolean() ? "true" : "false");
  }
}

}  // namespace

Result<Explanation> explain_envelope(const Envelope& envelope, std::span<const PublicKey> known,
                                     const RootSetChain* roots) {
  const std::size_t size_max = spec_of(envelope.kind).size_max;
  ASL_ASSIGN(Value object, decode_canonical(envelope.payload, {.size_max = size_max}));
  Explanation explanation{
      .kind = envelope.kind, .object = std::move(object), .object_hash = envelope.object_hash()};
  if (can_check(envelope.kind))
    if (auto checked = check_object(envelope.kind, explanation.object); !checked)
      explanation.broken = std::move(checked).error();
  const Expected expected = expected_signers(envelope, explanation.object, roots);
  std::vector<PublicKey> keys(known.begin(), known.end());
  keys.insert(keys.end(), expected.keys.begin(), expected.keys.end());
  std::size_t reached = 0;
  for (const EnvelopeSignature& signature : envelope.signatures) {
    const SignatureState state = state_of(envelope, signature, keys);
    explanation.signatures.push_back({.key_id = signature.key_id, .state = state});
    const bool counts = std::ranges::find(expected.keys, signature.key_id, key_id_of) != expected.keys.end();
    if (counts && state == SignatureState::kGood) ++reached;
  }
  if (expected.needed > 0) explanation.standing.emplace(reached, expected.needed);
  return explanation;
}

std::vector<std::pair<std::string, std::string>> flat_fields(const Value& object) {
  std::vector<std::pair<std::string, std::string>> fields;
  flatten(object, "", fields);
  return fields;
}

}  // namespace asl::auth
