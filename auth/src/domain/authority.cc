#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/authority.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/rules.h>
#include <asl/auth/session_record.h>

#include "objects/object_table.h"

namespace asl::auth {
namespace {

AuthorityProblem problem_with(const BoundObject& object, Error error) {
  return {.logseq = object.logseq,
          .object = fmt::format("{} asl1:{}", spec_of(object.kind).name, to_hex(object.hash)),
          .error = std::move(error)};
}

}  // namespace

Result<Authority> Authority::load(const Domain& domain) {
  Authority authority(*domain.state()->genesis());
  ASL_ASSIGN(const std::vector<BoundObject> objects, read_bound_objects(domain));
  for (const BoundObject& object : objects)
    if (auto taken = authority.apply(object); !taken)
      authority.problems_.push_back(problem_with(object, std::move(taken).error()));
  if (auto settled = authority.settled(); !settled)
    authority.problems_.push_back(problem_with(*authority.open_claim_, std::move(settled).error()));
  return authority;
}

Result<void> Authority::settled() const {
  if (!open_claim_) return {};
  auto signer = require_signed(Action::kSignClaim, open_claim_->envelope());
  if (!signer) return fail(std::move(signer).error());
  return {};
}

Result<void> Authority::apply(const BoundObject& object) {
  if (hashes_.contains(object.hash)) return {};
  ASL_TRY(take(object));
  hashes_.insert(object.hash);
  objects_.push_back(object);
  return {};
}

Result<void> Authority::take(const BoundObject& object) {
  ASL_ASSIGN(const Value value,
             decode_canonical(object.payload, {.size_max = spec_of(object.kind).size_max}));
  ASL_TRY(check_object(object.kind, value));
  switch (object.kind) {
    case Kind::kPolicy:
      return take_policy(value);
    case Kind::kRootSet:
      return take_root_set(object);
    case Kind::kDam:
      return take_dam(object, value);
    case Kind::kCertificate:
      return take_certificate(object);
    case Kind::kPolicyRatification:
      return take_ratification(object, value);
    case Kind::kEnvClaim:
      return take_claim(object, value);
    case Kind::kTrustPin:
      return take_pin(value);
    case Kind::kStatement:
      return take_statement(object, value);
    case Kind::kSnapshotPublish:
      return take_publication(object, value);
    case Kind::kSessionRecord:
      return take_session(object, value);
    case Kind::kAdmissionRequest:
    case Kind::kAdmissionDecision:
    case Kind::kLease:
    case Kind::kDomainState:
      return take_admission(object, value);
    default:
      return broken_rule("bound-kind", fmt::format("a {} is not bound in a log", spec_of(object.kind).name),
                         to_hex(object.hash));
  }
}

Result<void> Authority::take_policy(const Value& value) {
  ASL_ASSIGN(Policy policy, policy_of(value));
  const Digest hash = policy_hash(policy);
  policies_.emplace(hash, std::move(policy));
  return {};
}

Result<void> Authority::take_root_set(const BoundObject& object) {
  if (object.signatures.empty()) return broken_rule("root-set-signed", "nobody has signed it");
  return roots_.append(object.envelope());
}

Result<void> Authority::take_dam(const BoundObject& object, const Value& value) {
  ASL_ASSIGN(const Dam dam, dam_of(value));
  if (genesis_.local) return broken_rule("dam-domain", "a local domain never has a manifest");
  ASL_TRY(require_own_domain(dam.domain_id));
  if (genesis_.root_public_key != dam.genesis_key.bytes)
    return broken_rule("dam-domain", "its genesis key is not the one in the log's first record");
  if (!policies_.contains(dam.policy_hash))
    return broken_rule("policy-bound", "the policy that it names is not bound", to_hex(dam.policy_hash));
  if (chain_ && dam.version <= dam_versions()) {
    // A manifest of a version that there is: valid or not, it changes nothing; valid, it ends the domain.
    std::vector<Envelope> other(chain_->envelopes().begin(), chain_->envelopes().begin() + dam.version - 1);
    other.push_back(object.envelope());
    ASL_TRY(DamChain::verify(std::move(other)));
    fork_ = broken_rule("dam-fork", fmt::format("there are two valid manifests of version {}", dam.version),
                        to_hex(object.hash))
                .error();
    return {};
  }
  return extend_chain(object);
}

Result<void> Authority::extend_chain(const BoundObject& object) {
  if (chain_) {
    ASL_TRY(chain_->append(object.envelope()));
  } else {
    ASL_ASSIGN(chain_, DamChain::verify({object.envelope()}));
  }
  if (!open_claim_) return {};
  if (auto settled_now = settled(); !settled_now)
    problems_.push_back(problem_with(*open_claim_, std::move(settled_now).error()));
  open_claim_.reset();
  return {};
}

std::size_t Authority::dam_versions() const {
  return chain_->dams().size();
}

Result<void> Authority::take_certificate(const BoundObject& object) {
  if (roots_.empty())
    return broken_rule("certificate-issuer", "no root set is bound that could have issued it");
  ASL_ASSIGN(Certificate certificate, verify_certificate(object.envelope(), roots_));
  if (certificate.issued_by != roots_.latest_hash())
    return broken_rule("certificate-issuer", "it was issued by a root set that was replaced since",
                       to_hex(certificate.issued_by));
  ASL_TRY(require_own_domain(certificate.subject.domain_id));
  certificates_.emplace_back(std::move(certificate), object.envelope());
  return {};
}

Result<void> Authority::take_ratification(const BoundObject& object, const Value& value) {
  if (roots_.empty())
    return broken_rule("threshold-reached", "no root set is bound that could have signed it");
  ASL_ASSIGN(const PolicyRatification ratification, ratification_of(value));
  ASL_TRY(require_own_domain(ratification.domain_id));
  return require_threshold(object.envelope(), roots_.latest());
}

// A claim is made before the manifest that it stands for: then it may be signed after it, or not at all.
Result<void> Authority::take_claim(const BoundObject& object, const Value& value) {
  ASL_ASSIGN(const EnvClaim claim, env_claim_of(value));
  ASL_TRY(require_own_domain(claim.domain_id));
  if (claim.previous != latest_claim_)
    return broken_rule("claim-link", "it does not name the claim before it", to_hex(object.hash));
  latest_claim_ = object.hash;
  open_claim_.reset();
  const bool is_open =
      !object.signatures.empty() && !(chain_ && require_signed(Action::kSignClaim, object.envelope()));
  if (is_open) open_claim_ = object;
  return {};
}

Result<void> Authority::take_pin(const Value& value) {
  ASL_ASSIGN(TrustPin pin, trust_pin_of(value));
  const DomainId id = pin.domain_id;
  pins_.insert_or_assign(id, std::move(pin));
  return {};
}

Result<void> Authority::take_statement(const BoundObject& object, const Value& value) {
  ASL_ASSIGN(const Statement statement, statement_of(value));
  ASL_TRY(require_own_domain(statement.domain_id));
  ASL_TRY(require_signed(Action::kAttest, object.envelope()));
  return {};
}

Result<void> Authority::take_publication(const BoundObject& object, const Value& value) {
  ASL_ASSIGN(const SnapshotPublish publish, snapshot_publish_of(value));
  ASL_TRY(require_own_domain(publish.domain_id));
  ASL_TRY(require_signed(Action::kPublishSnapshot, object.envelope()));
  if (publish.policy_hash != dam().policy_hash)
    return broken_rule("publish-policy", "it names another policy than the domain's",
                       to_hex(publish.policy_hash));
  if (publish.dam_hash != chain_->latest_hash())
    return broken_rule("publish-policy", "it names another manifest than the domain's newest",
                       to_hex(publish.dam_hash));
  return {};
}

Result<void> Authority::take_session(const BoundObject& object, const Value& value) {
  ASL_TRY(session_record_of(value));
  if (!object.signatures.empty()) ASL_TRY(require_signed(Action::kSignClaim, object.envelope()));
  return {};
}

// A request is bound with the decision about it, whatever that is; its own signature is judged there.
Result<void> Authority::take_admission(const BoundObject& object, const Value& value) {
  if (object.kind == Kind::kAdmissionRequest) {
    ASL_ASSIGN(const AdmissionRequest request, admission_request_of(value));
    return peers_.take(request, object.hash);
  }
  ASL_TRY(require_signed(Action::kAdmitDomain, object.envelope()));
  if (object.kind == Kind::kAdmissionDecision) {
    ASL_ASSIGN(const AdmissionDecision decision, admission_decision_of(value));
    return peers_.take(decision, object.hash);
  }
  if (object.kind == Kind::kLease) {
    ASL_ASSIGN(const Lease lease, lease_of(value));
    return peers_.take(lease);
  }
  ASL_ASSIGN(const DomainStateChange change, domain_state_of(value));
  ASL_TRY(require_own_domain(change.issuer));
  return peers_.take(change);
}

const Policy* Authority::find_policy(const Digest& policy_hash) const {
  const auto at = policies_.find(policy_hash);
  return at == policies_.end() ? nullptr : &at->second;
}

const Envelope* Authority::certificate() const {
  for (auto at = certificates_.rbegin(); at != certificates_.rend(); ++at)
    if (at->first.subject.type == SubjectType::kDomainRoot && check_subject(at->first.subject, dam()))
      return &at->second;
  return nullptr;
}

Result<void> Authority::require_own_domain(const DomainId& id) const {
  if (id == genesis_.domain_id) return {};
  return broken_rule("bound-domain", "it is about another domain", to_hex(id));
}

}  // namespace asl::auth
