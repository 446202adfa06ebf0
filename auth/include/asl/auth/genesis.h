// Making a keyed domain, in one ceremony (doc/format-authority-log.md, "Making a domain").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/authority_session.h>
#include <asl/auth/dam.h>
#include <asl/auth/env_claim.h>
#include <asl/auth/key_file.h>
#include <asl/auth/policy.h>
#include <asl/auth/root_set.h>
#include <asl/auth/signing_key.h>
#include <asl/engine/domain.h>
#include <asl/engine/host_root.h>

namespace asl::auth {

// Where a domain of this host keeps its own keys: <domain>/certs/root.priv.enc and dam-signer.priv.enc, each
// with its .pub.
std::string root_key_path(const std::string& domain_directory);
std::string signer_key_path(const std::string& domain_directory);

// A key that is to lie on this host.
struct NewKey {
  const SigningKey* key = nullptr;  // null: it lies elsewhere, and only its public half comes here
  PublicKey public_key;
  std::string_view name;  // "root" or "dam-signer"
  std::string comment;
};

// Makes an empty keyed domain. The private key files are written, read back and tried before the domain's
// first log record names a key: no domain is ever without its keys. A crash in between leaves them in
// host/ceremony-<domain id>/. Takes as long as the pass phrase costs. Errors: write_key_file's,
// create_domain's.
Result<DomainSummary> make_keyed_domain(HostRoot& root, const std::string& alias,
                                        const std::vector<NewKey>& keys, const SecretBytes& pass_phrase,
                                        const KdfCost& cost);
// Brings the key files of a crashed ceremony to their place; does nothing if there are none.
Result<void> recover_ceremony_keys(HostRoot& root, const DomainSummary& domain);

struct GenesisPlan {
  Policy policy;
  std::vector<Principal> principals;  // beside the operational key: requesters hold the role produce
  RoleSet roles = RoleSet::all();     // of the operational key
  DateRecord date;
  EnvClaim machine;    // what describe_machine said; the store's state is filled in
  RootSetChain roots;  // empty: nobody certifies this domain yet
  std::vector<TrustPin> pins;
};
struct GenesisReport {
  AuthorityCommit commit;
  Digest claim_hash{};
  std::optional<Error> card_error;  // the domain is made all the same
  std::string card_path;
};
// Gives an empty keyed domain its authority, as one commit: policy, environment claim, manifest 1, date, root
// set and pins, and snapshot 1, the authority tree; then writes domain.card. kRefused if it has a manifest.
Result<GenesisReport> found_domain(Domain& domain, const std::string& host_directory, SigningKey& root,
                                   Signer& operational, const GenesisPlan& plan);

// The claim that comes before a manifest: `machine` over where the session's log stands now.
EnvClaim claim_for(const AuthoritySession& session, EnvClaim machine);

// A log head over the domain as it is now, signed.
Result<Envelope> sign_log_head(const Domain& domain, Signer& operational);
// The card of the domain as it is now; `path` is replaced.
Result<void> write_domain_card(const Domain& domain, const Authority& authority, Signer& operational,
                               const std::string& path);
std::string domain_card_path(const std::string& domain_directory);

}  // namespace asl::auth
