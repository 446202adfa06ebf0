#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/bundle.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/rules.h>
#include <asl/auth/text_rules.h>

#include "bundle/layout.h"
#include "sops/sops_file.h"

namespace asl::auth {
namespace {

std::unexpected<Error> bad_layout(std::string message) {
  return broken_rule("bundle-layout", std::move(message));
}
std::unexpected<Error> other_domain(std::string message) {
  return broken_rule("bundle-domain", std::move(message));
}

Result<void> check_types(const SecretTree& tree) {
  for (const SecretTree& item : tree.items) ASL_TRY(check_types(item));
  for (const auto& [name, value] : tree.fields) ASL_TRY(check_types(value));
  if (tree.kind != SecretTree::Kind::kText) return {};
  if (tree.type != SopsType::kText) return bad_layout("a value of another type than str");
  if (tree.text.empty() || !is_utf8_text(tree.text)) return bad_layout("a value that is no UTF-8 text");
  return {};
}

std::vector<std::string> texts_of(const SecretTree* list) {
  std::vector<std::string> texts;
  if (list != nullptr)
    for (const SecretTree& item : list->items) texts.emplace_back(item.text);
  return texts;
}

// The fields of the bundle one by one; each step may rely on those before it.
class Opener {
 public:
  Opener(const SopsFile& file, const SecretTree& tree, const BundleHost& host)
      : file_(file),
        clear_(*tree.field("asl_sops_bundle")),
        contents_(*clear_.field("contents")),
        host_(host) {}

  Result<Bundle> run() {
    for (const auto step :
         {&Opener::read_clear, &Opener::check_signature, &Opener::check_envelope, &Opener::check_policy,
          &Opener::check_keys, &Opener::check_admission, &Opener::read_optional, &Opener::check_unused})
      ASL_TRY((this->*step)());
    return std::move(bundle_);
  }

 private:
  Result<void> read_clear() {
    if (clear_.text_at("version") != kBundleVersion) return bad_layout("the version is not 0.1");
    const auto id = uuid_of_text(clear_.text_at("bundle_id"));
    const auto purpose = purpose_of_name(clear_.text_at("purpose"));
    if (!id || *id == Uuid{}) return bad_layout("bundle_id is no UUID in lower case");
    if (!purpose) return bad_layout("the purpose is none of admission, rescue, recovery");
    bundle_.bundle_id = *id;
    bundle_.purpose = *purpose;
    bundle_.created_at = clear_.text_at("created_at");
    if (!is_sops_time(bundle_.created_at)) return bad_layout("created_at is no YYYY-MM-DDTHH:MM:SSZ");
    if (!from_hex(clear_.text_at("domain_id"), domain_id_)) return bad_layout("domain_id is no domain id");
    if ((contents_.field("admission") != nullptr) != (*purpose == BundlePurpose::kAdmission))
      return bad_layout("contents.admission belongs into a bundle for admission, and only there");
    const SecretTree* private_key = contents_.field("authority")->field("domain")->field("root_private_key");
    if ((private_key != nullptr) != (*purpose == BundlePurpose::kRecovery))
      return bad_layout("a root private key belongs into a bundle for recovery, and only there");
    return {};
  }

  // A known domain's root key comes from what is known, never from the bundle.
  Result<PublicKey> root_key() {
    ASL_ASSIGN(bundle_.chain, DamChain::decode(contents_.text_at("authority.dam")));
    const DamChain& chain = bundle_.chain;
    if (chain.latest().domain_id != domain_id_) return other_domain("its manifests are of another domain");
    const Authority* authority = host_.authority;
    if (authority == nullptr) return chain.latest().root_key;
    if (authority->genesis().domain_id == domain_id_) {
      if (!authority->has_manifest()) return other_domain("the domain has no manifest here");
      bundle_.known_here = true;
      const DamChain& known = authority->chain();
      if (!std::ranges::equal(chain.dams(),
                              known.dams().first(std::min(chain.dams().size(), known.dams().size())), {},
                              dam_bytes, dam_bytes))
        return other_domain("its manifests are not those of the domain's log");
      return known.latest().root_key;
    }
    const Peer* peer = authority->peers().find(domain_id_);
    if (peer == nullptr || peer->dam_version == 0) return chain.latest().root_key;
    bundle_.known_here = true;
    if (chain.dams().size() < peer->dam_version)
      return other_domain("its manifests are older than those that were accepted");
    if (chain.envelopes()[peer->dam_version - 1].object_hash() != peer->dam_hash)
      return other_domain("its manifests are not those that were accepted");
    return chain.latest().root_key;
  }
  static std::string dam_bytes(const Dam& dam) { return encode_canonical(to_value(dam)); }

  Result<void> check_signature() {
    ASL_ASSIGN(const PublicKey key, root_key());
    const SecretBytes canonical = encode_canonical(contents_, "signature");
    bundle_.contents_hash = object_hash(Kind::kBundle, as_text(canonical.span()));
    std::string_view text = contents_.text_at("signature");
    const SecretBytes payload = encode_base64_secret(canonical.span());
    EnvelopeSignature signature{.key_id = key_id_of(key)};
    const std::string id = to_hex(signature.key_id);
    // The envelope's bytes follow from the contents, but for the 64 bytes that are the signature.
    const std::size_t size = encode_base64(signature.bytes).size();
    if (text.size() != kSealBegins.size() + payload.size() + kSealType.size() + id.size() +
                           kSealSignature.size() + size + kSealEnds.size() ||
        !take(text, kSealBegins) || !take(text, as_text(payload.span())))
      return broken_rule("bundle-signed", "the contents are not what was signed");
    if (!take(text, kSealType) || !take(text, id) || !take(text, kSealSignature) ||
        !text.ends_with(kSealEnds))
      return broken_rule("bundle-signed", "it is not signed by the domain's root key, and by it alone", id);
    const auto bytes = decode_base64(text.substr(0, size));
    if (!bytes || bytes->size() != signature.bytes.size())
      return broken_rule("bundle-signed", "the signature is no canonical base64 of 64 bytes");
    std::ranges::copy(*bytes, signature.bytes.begin());
    return verify_bundle_contents(canonical, signature, key);
  }

  static bool take(std::string_view& text, std::string_view expected) {
    if (text.size() < expected.size() ||
        !equal_secrets(as_bytes(text.substr(0, expected.size())), as_bytes(expected)))
      return false;
    text.remove_prefix(expected.size());
    return true;
  }

  Result<void> check_envelope() {
    const SecretTree& envelope = *contents_.field("envelope");
    for (const std::string_view name : {"version", "bundle_id", "created_at", "purpose", "domain_id"})
      if (envelope.text_at(name) != clear_.text_at(name))
        return broken_rule("bundle-envelope", fmt::format("{} in clear is not what was signed", name));
    for (const SopsSeal& seal : file_.seals) bundle_.recipients.push_back(seal.recipient);
    const std::vector<std::string> sealed_to = recipient_texts(bundle_.recipients);
    const std::vector<std::string> meant = texts_of(envelope.field("recipients"));
    if (sealed_to != meant)
      return broken_rule("bundle-envelope", fmt::format("it is sealed to {}, and was signed for {}",
                                                        fmt::join(sealed_to, ", "), fmt::join(meant, ", ")));
    std::ranges::sort(bundle_.recipients, {}, [](const AgeRecipient& r) { return to_text(r); });
    if (!from_hex(envelope.text_at("audience"), bundle_.audience))
      return bad_layout("audience is no domain id");
    if (bundle_.purpose != BundlePurpose::kAdmission && bundle_.audience != domain_id_)
      return bad_layout("the audience of this purpose is the domain itself");
    return {};
  }

  Result<void> check_policy() {
    const std::string_view document = contents_.text_at("policy.policy_document");
    ASL_ASSIGN(bundle_.policy, decode_policy(document));
    const Digest hash = policy_hash(bundle_.policy);
    if (contents_.text_at("policy.policy_hash") != to_hex(hash))
      return broken_rule("policy-hash", "the bundle's policy is not the one that it names");
    if (bundle_.chain.latest().policy_hash != hash)
      return broken_rule("policy-hash", "the bundle's policy is not that of its newest manifest");
    return {};
  }

  Result<void> check_keys() {
    const SecretTree& domain = *contents_.field("authority")->field("domain");
    if (domain.text_at("domain_id") != to_hex(ByteSpan(domain_id_)))
      return other_domain("contents.authority.domain is another domain");
    const PublicKey& root = bundle_.chain.latest().root_key;
    ASL_TRY(check_key_form(domain, "root_public_key"));
    if (domain.text_at("root_public_key.value") != encode_base64(root.bytes))
      return other_domain("its root key is not that of its newest manifest");
    bundle_.key_created_at = domain.text_at("key_created_at");
    if (!is_sops_time(bundle_.key_created_at)) return bad_layout("key_created_at is no time");
    if (bundle_.purpose != BundlePurpose::kRecovery) return {};
    ASL_TRY(check_key_form(domain, "root_private_key"));
    bundle_.root_seed = decode_base64_secret(domain.text_at("root_private_key.value"), kSeedSize);
    if (bundle_.root_seed.empty()) return bad_layout("root_private_key is no canonical base64 of 32 bytes");
    const SigningKey key(KeyClass::kDomainRoot, bundle_.root_seed);
    if (key.public_key() != root) return other_domain("its private root key is another key's");
    return {};
  }

  static Result<void> check_key_form(const SecretTree& domain, const std::string& name) {
    if (domain.text_at(name + ".type") == "ed25519" && domain.text_at(name + ".encoding") == "base64")
      return {};
    return bad_layout(name + " is not of type ed25519 and encoding base64");
  }

  Result<void> check_admission() {
    const SecretTree* admission = contents_.field("admission");
    if (admission == nullptr) return {};
    bundle_.admission_request = admission->text_at("admission_request");
    ASL_ASSIGN(const AdmissionRequest request, bundle_request(bundle_));
    if (request.requested_scope.names() != texts_of(admission->field("requested_scope")) ||
        !same_lease(request.courtesy_lease, admission->field("courtesy_lease")))
      return broken_rule("bundle-admission", "its request says something else than the bundle");
    return {};
  }

  static bool same_lease(const std::optional<LeaseTerms>& terms, const SecretTree* lease) {
    if (!terms || lease == nullptr) return !terms && lease == nullptr;
    return lease->text_at("max_bytes") == std::to_string(terms->max_bytes) &&
           lease->text_at("days") == std::to_string(terms->days);
  }

  Result<void> read_optional() {
    const SecretTree* optional = contents_.field("optional");
    if (optional == nullptr) return {};
    bundle_.artifacts = texts_of(optional->field("artifacts"));
    if (bundle_.artifacts.size() > kBundleArtifactsMax) return bad_layout("too many artifacts");
    for (const std::string& artifact : bundle_.artifacts)
      if (const auto envelope = decode_envelope(artifact); !envelope)
        return bad_layout("an artifact is no envelope: " + envelope.error().message);
    bundle_.notes = optional->text_at("notes");
    if (bundle_.notes.size() > kBundleNotesMax || (!bundle_.notes.empty() && !is_free_text(bundle_.notes)))
      return bad_layout("notes too long, or with control characters");
    return {};
  }

  Result<void> check_unused() {
    if (std::ranges::find(host_.used, bundle_.bundle_id) == host_.used.end()) return {};
    return broken_rule("bundle-once", "this bundle was used already", uuid_text(bundle_.bundle_id));
  }

  const SopsFile& file_;
  const SecretTree& clear_;
  const SecretTree& contents_;
  const BundleHost& host_;
  DomainId domain_id_{};
  Bundle bundle_;
};

}  // namespace

BundleHost bundle_host(const Authority& authority, const Domain& domain) {
  BundleHost host{.authority = &authority};
  const auto state = domain.state();
  for (const auto& logged : state->bundles()) host.used.push_back(logged.record.bundle_id);
  return host;
}

Result<Bundle> open_bundle(std::string_view text, std::span<const AgeIdentity> identities,
                           const BundleHost& host) {
  ASL_ASSIGN(const SopsFile file, parse_sops(text, {.encrypted_regex = kBundleRegex}));
  if (const auto shape = value_of_yaml(file.tree, bundle_schema()); !shape)
    return bad_layout(shape.error().message);
  ASL_ASSIGN(const SopsPlaintext plaintext, decrypt_sops(file, identities, is_bundle_secret));
  ASL_TRY(check_types(plaintext.tree));
  return Opener(file, plaintext.tree, host).run();
}

}  // namespace asl::auth
