#include "bundle/layout.h"

#include <algorithm>
#include <fmt/format.h>
#include <sodium.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/kinds.h>
#include <asl/auth/rules.h>

namespace asl::auth {
namespace {

constexpr std::string_view kPurposes[] = {"admission", "rescue", "recovery"};
constexpr std::size_t kUuidTextSize = 36;

bool is_dash(std::size_t at) {
  return at == 8 || at == 13 || at == 18 || at == 23;
}

YamlSchema key_schema() {
  return YamlSchema::map(
      {{"type", YamlSchema::text()}, {"encoding", YamlSchema::text()}, {"value", YamlSchema::text()}});
}

YamlSchema contents_schema() {
  const auto text = YamlSchema::text();
  const auto texts = YamlSchema::list(text);
  return YamlSchema::map(
      {{"authority", YamlSchema::map({{"domain", YamlSchema::map({{"domain_id", text},
                                                                  {"root_public_key", key_schema()},
                                                                  {"root_private_key", key_schema(), true},
                                                                  {"key_created_at", text}})},
                                      {"dam", text}})},
       {"policy", YamlSchema::map({{"policy_hash", text}, {"policy_document", text}})},
       {"admission",
        YamlSchema::map({{"requested_scope", texts},
                         {"courtesy_lease", YamlSchema::map({{"max_bytes", text}, {"days", text}}), true},
                         {"admission_request", text}}),
        true},
       {"optional", YamlSchema::map({{"artifacts", texts, true}, {"notes", text, true}}), true},
       {"envelope", YamlSchema::map({{"version", text},
                                     {"bundle_id", text},
                                     {"created_at", text},
                                     {"purpose", text},
                                     {"domain_id", text},
                                     {"recipients", texts},
                                     {"audience", text}})},
       {"signature", text}});
}

}  // namespace

std::string_view purpose_name(BundlePurpose purpose) {
  return kPurposes[static_cast<std::size_t>(purpose)];
}

std::optional<BundlePurpose> purpose_of_name(std::string_view name) {
  const auto at = std::ranges::find(kPurposes, name);
  if (at == std::end(kPurposes)) return std::nullopt;
  return static_cast<BundlePurpose>(at - std::begin(kPurposes));
}

std::string uuid_text(const Uuid& id) {
  std::string text = to_hex(id);
  for (std::size_t at = 8; at <= 23; at += 5) text.insert(at, 1, '-');
  return text;
}

std::optional<Uuid> uuid_of_text(std::string_view text) {
  if (text.size() != kUuidTextSize) return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash(i) != (text[i] == '-')) return std::nullopt;
    if (!is_dash(i)) digits += text[i];
  }
  Uuid id{};
  if (!from_hex(digits, id) || uuid_text(id) != text) return std::nullopt;
  return id;
}

std::string bundle_file_name(const Bundle& bundle) {
  return fmt::format("asl-{}-{}.sops.yaml", purpose_name(bundle.purpose),
                     to_hex(ByteSpan(bundle.domain_id())).substr(0, 12));
}

bool is_bundle_secret(std::span<const std::string> path) {
  return path.size() >= 2 && path[0] == "asl_sops_bundle" && path[1] == "contents";
}

YamlSchema bundle_schema() {
  const auto text = YamlSchema::text();
  return YamlSchema::map({{"asl_sops_bundle", YamlSchema::map({{"version", text},
                                                               {"bundle_id", text},
                                                               {"created_at", text},
                                                               {"purpose", text},
                                                               {"domain_id", text},
                                                               {"contents", contents_schema()}})}});
}

SecretBytes bundle_pre_authentication(const SecretBytes& canonical) {
  const std::string type = payload_type(Kind::kBundle);
  const std::string head = fmt::format("DSSEv1 {} {} {} ", type.size(), type, canonical.size());
  SecretBytes encoded(head.size() + canonical.size());
  const auto at = std::ranges::copy(as_bytes(head), encoded.data()).out;
  std::ranges::copy(canonical.span(), at);
  return encoded;
}

Result<void> verify_bundle_contents(const SecretBytes& canonical, const EnvelopeSignature& signature,
                                    const PublicKey& key) {
  start_crypto();
  const SecretBytes encoded = bundle_pre_authentication(canonical);
  if (crypto_sign_verify_detached(reinterpret_cast<const unsigned char*>(signature.bytes.data()),
                                  encoded.raw(), encoded.size(),
                                  reinterpret_cast<const unsigned char*>(key.bytes.data())) == 0)
    return {};
  return broken_rule("bundle-signed", "the signature in the bundle is not by the key it names",
                     to_hex(signature.key_id));
}

Result<EnvelopeSignature> sign_bundle_contents(const SecretBytes& canonical, Signer& signer) {
  if (!may_sign(signer.key_class(), spec_of(Kind::kBundle)))
    return broken_rule(
        "signer-class",
        fmt::format("a key of class {} does not sign a bundle", key_class_name(signer.key_class())),
        to_hex(key_id_of(signer.public_key())));
  const SecretBytes encoded = bundle_pre_authentication(canonical);
  EnvelopeSignature signature{.key_id = key_id_of(signer.public_key())};
  ASL_ASSIGN(signature.bytes, signer.sign_encoded(encoded.span()));
  // As sign_object does: nothing leaves unchecked.
  if (!verify_bundle_contents(canonical, signature, signer.public_key()))
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "a new signature does not verify and was thrown away",
                      .object = to_hex(signature.key_id)});
  return signature;
}

Result<AdmissionRequest> bundle_request(const Bundle& bundle) {
  ASL_ASSIGN(const Envelope envelope, decode_envelope(bundle.admission_request, Kind::kAdmissionRequest));
  ASL_ASSIGN(const Value value, decode_canonical(envelope.payload));
  ASL_ASSIGN(AdmissionRequest request, admission_request_of(value));
  const PublicKey& root = bundle.chain.latest().root_key;
  ASL_ASSIGN(const auto signers, verify_envelope(envelope, {&root, 1}));
  if (signers.empty())
    return broken_rule("bundle-admission", "its request is not signed by the domain's root key");
  std::string chain;
  for (const std::string& dam : request.dam_chain) chain += dam + "\n";
  if (request.domain_id != bundle.domain_id() || request.audience != bundle.audience ||
      chain != bundle.chain.encode() || request.policy_hash != policy_hash(bundle.policy) ||
      request.policy_document != encode_policy(bundle.policy))
    return broken_rule("bundle-admission", "its request says something else than the bundle");
  return request;
}

std::vector<std::string> recipient_texts(std::span<const AgeRecipient> recipients) {
  std::vector<std::string> texts;
  for (const AgeRecipient& recipient : recipients) texts.push_back(to_text(recipient));
  std::ranges::sort(texts);
  return texts;
}

Result<std::vector<AgeIdentity>> parse_identities(const SecretBytes& text) {
  std::vector<AgeIdentity> identities;
  for (std::string_view rest = as_text(text.span()); !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("AGE-PLUGIN-"))
      return fail(Error{.code = ErrorCode::kUnsupported,
                        .message = "an identity of a plugin: only X25519 keys open anything here",
                        .hint = "open it with sops"});
    // The parser's message must not show a line of a key file.
    auto identity = AgeIdentity::parse(line);
    if (!identity)
      return fail(ErrorCode::kMalformed, "a line of the identity file is no AGE-SECRET-KEY-1...");
    identities.push_back(std::move(*identity));
  }
  if (identities.empty()) return fail(ErrorCode::kMalformed, "the identity file has no identity");
  return identities;
}

Result<std::vector<AgeRecipient>> parse_host_policy(std::string_view text) {
  // People write it: one final line feed is theirs.
  if (text.ends_with('\n')) text.remove_suffix(1);
  ASL_ASSIGN(const Value value, decode_canonical(text));
  const Value* kind = value.member("kind");
  const Value* version = value.member("v");
  const Value* list = value.member("custody_recipients");
  if (value.object()->size() != 3 || kind == nullptr || kind->text() == nullptr ||
      *kind->text() != "host-policy" || version == nullptr || version->integer() == nullptr ||
      *version->integer() != 1 || list == nullptr || list->array() == nullptr ||
      list->array()->size() > kCustodyRecipientsMax)
    return broken_rule("object-fields",
                       fmt::format("a host policy has the fields custody_recipients (at most {}), kind "
                                   "(host-policy) and v (1)",
                                   kCustodyRecipientsMax));
  std::vector<AgeRecipient> recipients;
  for (const Value& item : *list->array()) {
    if (item.text() == nullptr) return broken_rule("object-value", "a custody recipient is a text");
    ASL_ASSIGN(const AgeRecipient recipient, parse_age_recipient(*item.text()));
    recipients.push_back(recipient);
  }
  return recipients;
}

}  // namespace asl::auth
