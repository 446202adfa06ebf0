#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/certificate.h>
#include <asl/auth/dam.h>
#include <asl/auth/explain.h>

#include "objects/object_table.h"

namespace asl::auth {
namespace {

// Keys of which some ought to have signed.
struct Expected {
  std::string by;
  std::vector<PublicKey> keys;
  std::size_t needed = 0;
};

std::vector<Expected> signers_of_dam(const Value& object, const Dam* previous) {
  const auto dam = dam_of(object);
  if (!dam) return {};
  std::vector<Expected> expected = {{"its own root key", {dam->root_key}, 1}};
  if (previous != nullptr && previous->root_key != dam->root_key)
    expected.push_back({"the root key before it", {previous->root_key}, 1});
  return expected;
}

std::vector<Expected> signers_of_root_set(const Value& object, const RootSetChain* roots) {
  const auto set = root_set_of(object);
  if (!set) return {};
  std::vector<Expected> expected = {{"its own keys", set->keys, set->threshold}};
  const RootSet* before = roots != nullptr && set->previous ? roots->find(*set->previous) : nullptr;
  if (before != nullptr) expected.push_back({"the root set before it", before->keys, before->threshold});
  return expected;
}

std::vector<Expected> expected_signers(const Envelope& envelope, const Value& object,
                                       const ExplainContext& context) {
  if (envelope.kind == Kind::kDam) return signers_of_dam(object, context.previous);
  if (envelope.kind == Kind::kRootSet) return signers_of_root_set(object, context.roots);
  if (envelope.kind == Kind::kCertificateRequest) {
    const auto subject = certificate_request_of(object);
    if (subject && subject->type == SubjectType::kDomainRoot)
      return {{"the key it is for", {subject->key}, 1}};
  }
  const bool by_roots = envelope.kind == Kind::kCertificate || envelope.kind == Kind::kPolicyRatification;
  if (!by_roots || context.roots == nullptr || context.roots->empty()) return {};
  const RootSet* set = &context.roots->latest();
  if (const auto certificate = certificate_of(object)) set = context.roots->find(certificate->issued_by);
  if (set == nullptr) return {};
  return {{"the root set", set->keys, set->threshold}};
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
    for (const auto& [name, field] : *fields)
      flatten(field, path.empty() ? name : fmt::format("{}.{}", path, name), out);
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

Result<Explanation> explain_envelope(const Envelope& envelope, const ExplainContext& context) {
  const std::size_t size_max = spec_of(envelope.kind).size_max;
  ASL_ASSIGN(Value object, decode_canonical(envelope.payload, {.size_max = size_max}));
  Explanation explanation{
      .kind = envelope.kind, .object = std::move(object), .object_hash = envelope.object_hash()};
  if (can_check(envelope.kind))
    if (auto checked = check_object(envelope.kind, explanation.object); !checked)
      explanation.broken = std::move(checked).error();
  const std::vector<Expected> expected = expected_signers(envelope, explanation.object, context);
  std::vector<PublicKey> keys(context.known.begin(), context.known.end());
  for (const Expected& some : expected) {
    keys.insert(keys.end(), some.keys.begin(), some.keys.end());
    explanation.standings.push_back({.by = some.by, .reached = 0, .needed = some.needed});
  }
  for (const EnvelopeSignature& signature : envelope.signatures) {
    const SignatureState state = state_of(envelope, signature, keys);
    explanation.signatures.push_back({.key_id = signature.key_id, .state = state});
    if (state != SignatureState::kGood) continue;
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (std::ranges::find(expected[i].keys, signature.key_id, key_id_of) != expected[i].keys.end())
        ++explanation.standings[i].reached;
  }
  return explanation;
}

std::vector<std::pair<std::string, std::string>> flat_fields(const Value& object) {
  std::vector<std::pair<std::string, std::string>> fields;
  flatten(object, "", fields);
  return fields;
}

}  // namespace asl::auth
