// The authority of one domain: everything that its log binds, read back and verified from the first record on
// (doc/format-authority-log.md). What may be done, and by whom, is decided here and nowhere else.
//
// A value, apart from load(); copyable; any thread may read it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/certificate.h>
#include <asl/auth/dam.h>
#include <asl/auth/env_claim.h>
#include <asl/auth/envelope.h>
#include <asl/auth/peers.h>
#include <asl/auth/policy.h>
#include <asl/auth/root_set.h>
#include <asl/auth/statement.h>
#include <asl/auth/trust_pin.h>
#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/log_record.h>

namespace asl::auth {

// An object that AUTHORITY_BIND records name, with its signatures.
struct BoundObject {
  Kind kind = Kind::kDam;
  std::string payload;
  Digest hash{};
  std::uint64_t logseq = 0;                   // of the record that binds it
  std::vector<EnvelopeSignature> signatures;  // sorted by key id; none for kinds that are not signed

  Envelope envelope() const { return {.kind = kind, .payload = payload, .signatures = signatures}; }
  // The envelope, or the object alone where nothing is signed: as a file holds it.
  std::string text() const;
};

// All of them, in the order of the log; kIntegrity if one is not in the store as its record says,
// kUnsupported for a kind that this version does not know.
Result<std::vector<BoundObject>> read_bound_objects(const Domain& domain);

// What a principal may want to do.
enum class Action : std::uint8_t {
  kPublishSnapshot,
  kEmitReceipt,
  kAttest,
  kSignClaim,    // env claims, log heads, session records
  kAdmitDomain,  // decisions, leases, states of other domains
};
struct ActionSpec {
  Action action;
  std::string_view name;
  Role role;
  Kind kind;  // the kind of object that does it; several for some actions
};
std::span<const ActionSpec> action_table();

struct AuthorityProblem {
  std::uint64_t logseq = 0;
  std::string object;  // kind and hash
  Error error;
};

class Authority {
 public:
  // The domain's authority as of the end of its log. What is bound but breaks a rule has no effect and is in
  // problems(). Errors: those of read_bound_objects.
  static Result<Authority> load(const Domain& domain);
  // Before anything is bound.
  explicit Authority(const GenesisRecord& genesis) : genesis_(genesis) {}

  // Takes one more object, or says which rule it breaks; unchanged then.
  Result<void> apply(const BoundObject& object);
  // A claim may be signed by a key that only the manifest after it lists: fails while that is still to come.
  Result<void> settled() const;

  const GenesisRecord& genesis() const { return genesis_; }
  bool has_manifest() const { return chain_.has_value(); }
  const DamChain& chain() const { return *chain_; }  // has_manifest()
  const Dam& dam() const { return chain_->latest(); }
  const RootSetChain& roots() const { return roots_; }
  // Null if no policy of that hash is bound.
  const Policy* find_policy(const Digest& policy_hash) const;
  const Policy& policy() const { return *find_policy(dam().policy_hash); }  // has_manifest()
  // Of the newest manifest's root key by the newest root set of its time; null if there is none.
  const Envelope* certificate() const;
  // Two valid manifests of one version: the root key is in two hands, and the domain does nothing any more.
  const std::optional<Error>& fork() const { return fork_; }
  std::optional<Digest> latest_claim() const { return latest_claim_; }
  const std::map<DomainId, TrustPin>& pins() const { return pins_; }
  const Peers& peers() const { return peers_; }
  const std::vector<BoundObject>& objects() const { return objects_; }  // those that count
  const std::vector<AuthorityProblem>& problems() const { return problems_; }

  // Whether the holder of this key may do this now: kRefused, naming the first rule that stands in the way.
  Result<void> require(Action action, const PublicKey& key) const;
  // The same for what was signed: some good signature is by a key that may. Returns that key.
  Result<PublicKey> require_signed(Action action, const Envelope& envelope) const;

 private:
  Result<void> take(const BoundObject& object);
  Result<void> take_policy(const Value& value);
  Result<void> take_root_set(const BoundObject& object);
  Result<void> take_dam(const BoundObject& object, const Value& value);
  Result<void> extend_chain(const BoundObject& object);
  Result<void> take_certificate(const BoundObject& object);
  Result<void> take_ratification(const BoundObject& object, const Value& value);
  Result<void> take_claim(const BoundObject& object, const Value& value);
  Result<void> take_pin(const Value& value);
  Result<void> take_statement(const BoundObject& object, const Value& value);
  Result<void> take_publication(const BoundObject& object, const Value& value);
  Result<void> take_session(const BoundObject& object, const Value& value);
  Result<void> take_admission(const BoundObject& object, const Value& value);
  std::size_t dam_versions() const;
  Result<void> require_own_domain(const DomainId& id) const;
  Result<void> require_certified() const;

  GenesisRecord genesis_;
  std::optional<DamChain> chain_;
  std::optional<Error> fork_;
  std::map<Digest, Policy> policies_;
  RootSetChain roots_;
  std::vector<std::pair<Certificate, Envelope>> certificates_;
  std::optional<Digest> latest_claim_;
  std::optional<BoundObject> open_claim_;  // signed by nobody who may, so far
  std::map<DomainId, TrustPin> pins_;
  Peers peers_;
  std::vector<BoundObject> objects_;
  std::set<Digest> hashes_;
  std::vector<AuthorityProblem> problems_;
};

}  // namespace asl::auth
