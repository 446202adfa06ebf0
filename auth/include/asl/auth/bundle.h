// Bundles: SOPS files that carry a domain's authority to another machine (doc/format-bundle.md). Transport
// only: a bundle is never an artifact, never bound, and holds no key that anything works with.
//
// Pure functions, any thread, but for those that write files. A root key that a bundle holds is in protected
// memory all the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/admission.h>
#include <asl/auth/age.h>
#include <asl/auth/authority.h>
#include <asl/auth/authority_session.h>
#include <asl/auth/dam.h>
#include <asl/auth/key_file.h>
#include <asl/auth/policy.h>
#include <asl/auth/secret.h>
#include <asl/auth/signing_key.h>
#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/log_record.h>

namespace asl::auth {

inline constexpr std::size_t kBundleFileMax = std::size_t{1} << 20;  // bytes
inline constexpr std::size_t kBundleArtifactsMax = 256;
inline constexpr std::size_t kBundleNotesMax = 4096;       // bytes
inline constexpr std::size_t kCustodyRecipientsMax = 64;   // as many as a bundle has recipients
inline constexpr std::size_t kIdentityFileMax = 64 << 10;  // bytes: hundreds of identities

enum class BundlePurpose : std::uint8_t { kAdmission, kRescue, kRecovery };
std::string_view purpose_name(BundlePurpose purpose);
std::optional<BundlePurpose> purpose_of_name(std::string_view name);

struct Bundle {
  Uuid bundle_id{};
  std::string created_at{};  // YYYY-MM-DDTHH:MM:SSZ, as some clock said
  BundlePurpose purpose = BundlePurpose::kRescue;
  DomainId audience{};  // the domain that it is for; its own, but for admission
  DamChain chain{};
  Policy policy{};
  std::string key_created_at{};
  std::vector<AgeRecipient> recipients{};  // sorted by their text, each once
  std::string admission_request{};         // an envelope; purpose admission only
  std::vector<std::string> artifacts{};    // envelopes that may help; nothing depends on them
  std::string notes{};
  SecretBytes root_seed{};  // purpose recovery only
  Digest contents_hash{};   // the object hash of what is signed; its words are the bundle's words
  bool known_here = false;  // opened: by what the host knows of the domain, not by the bundle alone

  const DomainId& domain_id() const { return chain.latest().domain_id; }
};

// Where a bundle is opened.
struct BundleHost {
  const Authority* authority = nullptr;  // what this host knows of domains; null: nothing
  std::vector<Uuid> used{};              // bundles that were used up here
};
BundleHost bundle_host(const Authority& authority, const Domain& domain);

// Every rule, in this order: structure, decryption, MAC, signature, what was signed of the envelope, policy
// and keys, request, used once. The first that fails decides.
Result<Bundle> open_bundle(std::string_view text, std::span<const AgeIdentity> identities,
                           const BundleHost& host);

// Signs and seals `bundle` (contents_hash is filled in) as YAML. `custody`: the recipients to whom a root key
// may go, as the host policy lists them.
Result<std::string> seal_bundle(Bundle& bundle, Signer& root, std::span<const AgeRecipient> custody);

// "asl-<purpose>-<first 12 digits of the domain id>.sops.yaml".
std::string bundle_file_name(const Bundle& bundle);
// "8-4-4-4-12" lower-case hex digits, and back.
std::string uuid_text(const Uuid& id);
std::optional<Uuid> uuid_of_text(std::string_view text);

// Writes what a bundle carries, except a root key, as new files into `directory`, which is made if there is
// none: root.pub, dam.chain, policy-<hash>.json, admission-request.sig, artifact-<n>.sig. Returns their
// paths.
Result<std::vector<std::string>> write_bundle_parts(const Bundle& bundle, const std::string& directory);
// The root key of a bundle for recovery as a new key file of the session's domain, and the bundle used up in
// its log: both, or neither. kRefused (rules bundle-custody, bundle-once) or if there is such a file.
Result<std::string> reinstall_root(AuthoritySession& session, const Bundle& bundle,
                                   const SecretBytes& pass_phrase, const KdfCost& cost);
// Fails by rule bundle-once for a bundle that the session's log has used up, else adds the record that does.
Result<void> use_up_bundle(AuthoritySession& session, const Bundle& bundle);
// The bundle as a new file and its SHA-256 beside it ("<path>.sha256", as sha256sum writes it).
Result<void> write_bundle_file(const std::string& path, std::string_view text);

// The signature over a bundle's contents by a key of class domain root, made and then verified; the only way
// to sign what holds a secret.
Result<EnvelopeSignature> sign_bundle_contents(const SecretBytes& canonical, Signer& signer);

// age identities, one a line; lines that are empty or begin with '#' are skipped.
Result<std::vector<AgeIdentity>> parse_identities(const SecretBytes& text);
// Canonical JSON {"custody_recipients":[...],"kind":"host-policy","v":1}; the recipients.
Result<std::vector<AgeRecipient>> parse_host_policy(std::string_view text);

}  // namespace asl::auth
