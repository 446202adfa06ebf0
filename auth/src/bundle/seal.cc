#include <algorithm>
#include <deque>
#include <fmt/format.h>

#include <asl/auth/bundle.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/rules.h>
#include <asl/auth/text_rules.h>

#include "bundle/layout.h"
#include "sops/sops_file.h"

namespace asl::auth {
namespace {

using Fields = std::vector<std::pair<std::string, SecretTree>>;

SecretTree map_of(Fields fields) {
  return {.kind = SecretTree::Kind::kMap, .fields = std::move(fields)};
}

// Keeps the texts that the tree points to.
class Contents {
 public:
  explicit Contents(const Bundle& bundle) : bundle_(bundle) {}

  Result<SecretTree> build() {
    Fields fields = {{"authority", authority()},
                     {"policy", map_of({{"policy_hash", text(to_hex(policy_hash(bundle_.policy)))},
                                        {"policy_document", text(encode_policy(bundle_.policy))}})}};
    if (bundle_.purpose == BundlePurpose::kAdmission) {
      ASL_ASSIGN(SecretTree admission, this->admission());
      fields.emplace_back("admission", std::move(admission));
    }
    Fields optional;
    if (!bundle_.artifacts.empty()) optional.emplace_back("artifacts", list(bundle_.artifacts));
    if (!bundle_.notes.empty()) optional.emplace_back("notes", text(bundle_.notes));
    if (!optional.empty()) fields.emplace_back("optional", map_of(std::move(optional)));
    Fields envelope = clear();
    envelope.emplace_back("recipients", list(recipient_texts(bundle_.recipients)));
    envelope.emplace_back("audience", text(to_hex(ByteSpan(bundle_.audience))));
    fields.emplace_back("envelope", map_of(std::move(envelope)));
    return map_of(std::move(fields));
  }

  // The fields that stand in clear, and once more inside.
  Fields clear() {
    return {{"version", text(std::string(kBundleVersion))},
            {"bundle_id", text(uuid_text(bundle_.bundle_id))},
            {"created_at", text(bundle_.created_at)},
            {"purpose", text(std::string(purpose_name(bundle_.purpose)))},
            {"domain_id", text(to_hex(ByteSpan(bundle_.domain_id())))}};
  }

 private:
  SecretTree text(std::string value) { return SecretTree::of(texts_.emplace_back(std::move(value))); }
  SecretTree list(const std::vector<std::string>& values) {
    SecretTree tree{.kind = SecretTree::Kind::kList};
    for (const std::string& value : values) tree.items.push_back(text(value));
    return tree;
  }

  SecretTree key(SecretTree value) {
    return map_of({{"type", text("ed25519")}, {"encoding", text("base64")}, {"value", std::move(value)}});
  }

  SecretTree authority() {
    Fields domain = {{"domain_id", text(to_hex(ByteSpan(bundle_.domain_id())))},
                     {"root_public_key", key(text(encode_base64(bundle_.chain.latest().root_key.bytes)))}};
    if (!bundle_.root_seed.empty()) {
      seed_ = encode_base64_secret(bundle_.root_seed.span());
      domain.emplace_back("root_private_key", key(SecretTree::of(as_text(seed_.span()))));
    }
    domain.emplace_back("key_created_at", text(bundle_.key_created_at));
    return map_of({{"domain", map_of(std::move(domain))}, {"dam", text(bundle_.chain.encode())}});
  }

  Result<SecretTree> admission() {
    ASL_ASSIGN(const AdmissionRequest request, bundle_request(bundle_));
    Fields fields = {{"requested_scope", list(request.requested_scope.names())}};
    if (request.courtesy_lease)
      fields.emplace_back("courtesy_lease",
                          map_of({{"max_bytes", text(std::to_string(request.courtesy_lease->max_bytes))},
                                  {"days", text(std::to_string(request.courtesy_lease->days))}}));
    fields.emplace_back("admission_request", text(bundle_.admission_request));
    return map_of(std::move(fields));
  }

  const Bundle& bundle_;
  std::deque<std::string> texts_;
  SecretBytes seed_;
};

// The signature's envelope, which holds all of the contents, in protected memory.
SecretBytes signature_text(const SecretBytes& canonical, const EnvelopeSignature& signature) {
  const SecretBytes payload = encode_base64_secret(canonical.span());
  const std::string tail = fmt::format("{}{}{}{}{}", kSealType, to_hex(signature.key_id), kSealSignature,
                                       encode_base64(signature.bytes), kSealEnds);
  SecretBytes text(kSealBegins.size() + payload.size() + tail.size());
  auto at = std::ranges::copy(as_bytes(kSealBegins), text.data()).out;
  at = std::ranges::copy(payload.span(), at).out;
  std::ranges::copy(as_bytes(tail), at);
  return text;
}

Result<void> check_plan(const Bundle& bundle, const Signer& root, std::span<const AgeRecipient> custody) {
  if (root.public_key() != bundle.chain.latest().root_key)
    return broken_rule("bundle-signed", "a bundle is signed by the root key of the domain's newest manifest",
                       to_hex(key_id_of(root.public_key())));
  if (bundle.recipients.empty() || bundle.recipients.size() > kSopsRecipientsMax)
    return fail(ErrorCode::kUsage, fmt::format("a bundle has 1 to {} recipients", kSopsRecipientsMax));
  if (!is_sops_time(bundle.created_at) || !is_sops_time(bundle.key_created_at))
    return fail(ErrorCode::kUsage, "a bundle's times are YYYY-MM-DDTHH:MM:SSZ");
  if (bundle.artifacts.size() > kBundleArtifactsMax || bundle.notes.size() > kBundleNotesMax)
    return fail(ErrorCode::kUsage, "too many artifacts, or too long notes, for a bundle");
  if (!bundle.notes.empty() && !is_free_text(bundle.notes))
    return fail(ErrorCode::kUsage, "notes with control characters");
  if ((bundle.purpose == BundlePurpose::kAdmission) == bundle.admission_request.empty())
    return fail(ErrorCode::kUsage,
                "a request to be admitted belongs into a bundle for admission, and only there");
  if (bundle.purpose != BundlePurpose::kRecovery) {
    if (bundle.root_seed.empty()) return {};
    return broken_rule("bundle-custody", "a root key goes into a bundle for recovery only");
  }
  if (bundle.root_seed.size() != kSeedSize)
    return fail(ErrorCode::kUsage, "a bundle for recovery holds the root key");
  for (const AgeRecipient& recipient : bundle.recipients)
    if (std::ranges::find(custody, recipient) == custody.end())
      return broken_rule("bundle-custody", "the host policy does not list this recipient",
                         to_text(recipient));
  return {};
}

}  // namespace

Result<std::string> seal_bundle(Bundle& bundle, Signer& root, std::span<const AgeRecipient> custody) {
  std::ranges::sort(bundle.recipients, {}, [](const AgeRecipient& r) { return to_text(r); });
  bundle.recipients.erase(std::ranges::unique(bundle.recipients).begin(), bundle.recipients.end());
  ASL_TRY(check_plan(bundle, root, custody));
  Contents contents(bundle);
  ASL_ASSIGN(SecretTree tree, contents.build());
  const SecretBytes canonical = encode_canonical(tree, {});
  bundle.contents_hash = object_hash(Kind::kBundle, as_text(canonical.span()));
  ASL_ASSIGN(const EnvelopeSignature signature, sign_bundle_contents(canonical, root));
  const SecretBytes seal = signature_text(canonical, signature);
  tree.fields.emplace_back("signature", SecretTree::of(as_text(seal.span())));
  Fields fields = contents.clear();
  fields.emplace_back("contents", std::move(tree));
  const SecretTree whole = map_of({{"asl_sops_bundle", map_of(std::move(fields))}});
  return encrypt_sops(whole, {.recipients = bundle.recipients,
                              .last_modified = bundle.created_at,
                              .encrypted_regex = std::string(kBundleRegex),
                              .selected = is_bundle_secret});
}

}  // namespace asl::auth
