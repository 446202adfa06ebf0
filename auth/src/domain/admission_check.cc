#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/admission_check.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/certificate.h>
#include <asl/auth/rules.h>

namespace asl::auth {
namespace {

// One check that failed: what it makes of the request.
struct Verdict {
  Decision decision;
  std::string code;
  std::string why;
};
using Check = std::optional<Verdict>;

Check rejected(std::string code, std::string why) {
  return Verdict{Decision::kRejected, std::move(code), std::move(why)};
}

class Judge {
 public:
  Judge(const Authority& authority, Judgement& judgement)
      : authority_(authority), request_(judgement.request), judgement_(judgement) {}

  // In the order that doc/admission.md gives.
  Check run() {
    for (const auto check : {&Judge::check_audience, &Judge::check_chain, &Judge::check_domain,
                             &Judge::check_possession, &Judge::check_policy, &Judge::check_certificates,
                             &Judge::check_pin, &Judge::check_local_policy, &Judge::check_scope})
      if (Check failed = (this->*check)()) return failed;
    return limit_;
  }

 private:
  Check check_audience() {
    if (request_.audience == authority_.genesis().domain_id) return {};
    return rejected("audience", "it asks another domain, " + to_hex(request_.audience));
  }

  Check check_chain() {
    std::string lines;
    for (const std::string& line : request_.dam_chain) lines += line + "\n";
    auto chain = DamChain::decode(lines);
    if (!chain) return rejected("dam-chain", chain.error().to_string());
    const Peer* known = authority_.peers().find(chain->latest().domain_id);
    if (known != nullptr && chain->latest().version < known->dam_version)
      return rejected("dam-chain", fmt::format("manifest {} of it was accepted before, this is {}",
                                               known->dam_version, chain->latest().version));
    const bool other = known != nullptr && chain->latest().version == known->dam_version &&
                       chain->latest_hash() != known->dam_hash;
    if (other) return rejected("dam-fork", "another manifest of this version was accepted before");
    judgement_.chain = std::move(*chain);
    judgement_.decision.dam_hash = judgement_.chain->latest_hash();
    return {};
  }

  Check check_domain() {
    if (judgement_.chain->latest().domain_id == request_.domain_id) return {};
    return rejected("domain-id", "its manifests are of another domain");
  }

  Check check_possession() {
    const PublicKey root[] = {judgement_.chain->latest().root_key};
    const auto signers = verify_envelope(judgement_.envelope, root);
    if (signers && !signers->empty()) return {};
    return rejected("possession", "it is not signed by the root key of its newest manifest");
  }

  Check check_policy() {
    const auto policy = decode_policy(request_.policy_document);
    if (!policy) return rejected("policy-hash", policy.error().to_string());
    const Digest hash = policy_hash(*policy);
    if (hash == request_.policy_hash && hash == judgement_.chain->latest().policy_hash) return {};
    return rejected("policy-hash", "policy, manifest and request name different hashes");
  }

  // The root sets in the request, and a certificate under the newest of them.
  Result<RootSetChain> read_certificates() const {
    RootSetChain roots;
    bool certified = false;
    for (const std::string& text : request_.certificates) {
      ASL_ASSIGN(Envelope envelope, decode_envelope(text));
      if (envelope.kind == Kind::kRootSet) {
        ASL_TRY(roots.append(std::move(envelope)));
        continue;
      }
      ASL_ASSIGN(const Certificate certificate, verify_certificate(envelope, roots));
      ASL_TRY(check_subject(certificate.subject, judgement_.chain->latest()));
      certified = certified || (certificate.subject.type == SubjectType::kDomainRoot &&
                                certificate.issued_by == roots.latest_hash());
    }
    if (!roots.empty() && !certified)
      return fail(ErrorCode::kRefused,
                  "no certificate of its newest root set covers its root key and policy");
    return roots;
  }

  // Against a pin's fingerprints if there is a pin, else against this domain's root set.
  Check check_certificates() {
    const auto roots = read_certificates();
    if (!roots) return rejected("certificate", roots.error().to_string());
    const auto pin = authority_.pins().find(request_.domain_id);
    if (pin != authority_.pins().end()) {
      const auto& trusted = pin->second.root_fingerprints;
      const bool by_set =
          !roots->empty() && std::ranges::find(trusted, roots->hashes().front()) != trusted.end();
      const bool by_key =
          std::ranges::find(trusted, key_id_of(judgement_.chain->latest().genesis_key)) != trusted.end();
      if (by_set || by_key) return {};
      return rejected("certificate", "neither its root set nor its own root key is what was pinned");
    }
    if (authority_.roots().empty()) return {};
    const bool ours = !roots->empty() && roots->latest_hash() == authority_.roots().latest_hash();
    if (ours) return {};
    return rejected("certificate", "this domain's root set has not certified it, and it is not pinned");
  }

  Check check_pin() {
    const auto pin = authority_.pins().find(request_.domain_id);
    if (pin == authority_.pins().end()) {
      // Nobody has compared its words: a guest at most.
      const bool guest = request_.courtesy_lease.has_value();
      limit_ = Verdict{guest ? Decision::kAcceptedLimited : Decision::kDeferred, "trust-pin",
                       "the domain is not pinned"};
      return guest ? Check() : limit_;
    }
    if (pin->second.policy_hash == request_.policy_hash) return {};
    return rejected("trust-pin", "it was pinned under another policy");
  }

  Check check_local_policy() {
    const auto& trusted = authority_.policy().federation.trusted_domains;
    if (!trusted.empty() && std::ranges::find(trusted, request_.domain_id) == trusted.end())
      return rejected("local-policy", "this domain's policy lists other domains, and not this one");
    const Peer* known = authority_.peers().find(request_.domain_id);
    if (known != nullptr && known->standing == DomainStanding::kRevoked)
      return rejected("revoked", "the domain was revoked, for good");
    if (known != nullptr && known->standing == DomainStanding::kSuspended)
      return Verdict{Decision::kDeferred, "suspended", "the domain is suspended"};
    return {};
  }

  Check check_scope() {
    const auto& scope = authority_.dam().scope;
    if (!scope || scope->contains_all(request_.requested_scope)) return {};
    return rejected("scope", "it asks for roles beyond this domain's own scope");
  }

  const Authority& authority_;
  const AdmissionRequest& request_;
  Judgement& judgement_;
  Check limit_;
};

Result<Envelope> seal(Kind kind, const Value& value, Signer& signer) {
  return seal_object(kind, encode_canonical(value), signer);
}

Result<Envelope> bind_state(AuthoritySession& session, const DomainStateChange& change, Signer& signer) {
  ASL_ASSIGN(Envelope envelope, seal(Kind::kDomainState, to_value(change), signer));
  ASL_TRY(session.bind(envelope));
  session.add_record(
      new_record(DomainStateRecord{.domain_id = change.domain_id,
                                   .standing = change.to,
                                   .reference = {.hash_id = kHashIdAsl1, .digest = envelope.object_hash()}}));
  return envelope;
}

// The state that a decision leads to; nothing where it is that already, or more.
std::optional<DomainStanding> next_standing(const Peer& peer, Decision decision) {
  using enum DomainStanding;
  const DomainStanding wanted = decision == Decision::kAccepted ? kFull : kCourtesy;
  if (!may_follow(peer.standing, wanted, kUnrecognized)) return std::nullopt;
  return wanted;
}

}  // namespace

Result<Envelope> make_admission_request(const Authority& applicant, const AdmissionPlea& plea,
                                        SigningKey& root) {
  if (!applicant.has_manifest()) return fail(applicant.require(Action::kAdmitDomain, {}).error());
  AdmissionRequest request{.request_id = plea.request_id,
                           .audience = plea.audience,
                           .domain_id = applicant.genesis().domain_id,
                           .dam_chain = {},
                           .certificates = {},
                           .policy_document = encode_policy(applicant.policy()),
                           .requested_scope = plea.scope,
                           .courtesy_lease = plea.lease,
                           .policy_hash = applicant.dam().policy_hash};
  for (const Envelope& envelope : applicant.chain().envelopes())
    request.dam_chain.push_back(encode_envelope(envelope));
  for (const Envelope& envelope : applicant.roots().envelopes())
    request.certificates.push_back(encode_envelope(envelope));
  if (const Envelope* certificate = applicant.certificate())
    request.certificates.push_back(encode_envelope(*certificate));
  ASL_ASSIGN(Envelope envelope, seal(Kind::kAdmissionRequest, to_value(request), root));
  if (root.public_key() != applicant.dam().root_key)
    return fail(Error{.code = ErrorCode::kRefused,
                      .message = "a request is signed by the domain's newest root key, this is another",
                      .object = to_hex(root.key_id())});
  return envelope;
}

Result<Judgement> judge_admission(const Authority& authority, std::string_view text) {
  Judgement judgement;
  ASL_ASSIGN(judgement.envelope, decode_envelope(text, Kind::kAdmissionRequest));
  ASL_ASSIGN(const Value value, decode_canonical(judgement.envelope.payload));
  ASL_ASSIGN(judgement.request, admission_request_of(value));
  const AdmissionRequest& request = judgement.request;
  Peers trial = authority.peers();
  ASL_TRY(trial.take(request, judgement.envelope.object_hash()));
  judgement.decision = {.request_hash = judgement.envelope.object_hash(),
                        .domain_id = request.domain_id,
                        .dam_hash = {},
                        .policy_hash = request.policy_hash,
                        .admitted_scope = {},
                        .decision = Decision::kAccepted,
                        .reasons = {},
                        .decision_epoch = authority.peers().decisions() + 1};
  if (Check failed = Judge(authority, judgement).run()) {
    judgement.decision.decision = failed->decision;
    judgement.decision.reasons = {failed->code};
    judgement.why = failed->why;
  } else {
    judgement.decision.admitted_scope = request.requested_scope;
  }
  return judgement;
}

Result<AdmissionOutcome> decide_admission(AuthoritySession& session, const Judgement& judgement,
                                          std::int64_t start, Signer& signer) {
  ASL_TRY(session.authority().require(Action::kAdmitDomain, signer.public_key()));
  ASL_TRY(session.bind(judgement.envelope));
  AdmissionOutcome outcome;
  ASL_ASSIGN(outcome.decision, seal(Kind::kAdmissionDecision, to_value(judgement.decision), signer));
  ASL_TRY(session.bind(outcome.decision));
  const Decision decision = judgement.decision.decision;
  if (decision != Decision::kAccepted && decision != Decision::kAcceptedLimited) return outcome;
  const DomainId id = judgement.request.domain_id;
  const Digest hash = outcome.decision.object_hash();
  if (const auto& terms = judgement.request.courtesy_lease; terms && decision == Decision::kAcceptedLimited) {
    const Lease lease{.domain_id = id,
                      .max_bytes = terms->max_bytes,
                      .start = start,
                      .days = terms->days,
                      .decision_hash = hash};
    ASL_ASSIGN(outcome.lease, seal(Kind::kLease, to_value(lease), signer));
    ASL_TRY(session.bind(*outcome.lease));
  }
  const Peer peer = *session.authority().peers().find(id);
  const auto to = next_standing(peer, decision);
  if (!to) return outcome;
  const DomainStateChange change{.issuer = session.domain().id(),
                                 .domain_id = id,
                                 .from = peer.standing,
                                 .to = *to,
                                 .decision_hash = hash,
                                 .epoch = peer.epoch + 1,
                                 .reasons = judgement.decision.reasons};
  ASL_ASSIGN(outcome.state, bind_state(session, change, signer));
  return outcome;
}

Result<Envelope> change_domain_state(AuthoritySession& session, const DomainId& id, StateChange change,
                                     const std::vector<std::string>& reasons, Signer& signer) {
  using enum DomainStanding;
  ASL_TRY(session.authority().require(Action::kAdmitDomain, signer.public_key()));
  const Peer* peer = session.authority().peers().find(id);
  if (peer == nullptr)
    return fail(Error{
        .code = ErrorCode::kNotFound, .message = "no such domain was ever admitted", .object = to_hex(id)});
  DomainStanding to = kRevoked;
  if (change == StateChange::kSuspend) to = kSuspended;
  // Where it is not suspended, going back to where it is breaks the rule.
  if (change == StateChange::kResume)
    to = peer->standing == kSuspended ? peer->before_suspension : peer->standing;
  if (!may_follow(peer->standing, to, peer->before_suspension))
    return broken_rule(
        "admission-state",
        fmt::format("the domain is {}: this cannot follow", domain_standing_name(peer->standing)),
        to_hex(id));
  return bind_state(session,
                    {.issuer = session.domain().id(),
                     .domain_id = id,
                     .from = peer->standing,
                     .to = to,
                     .decision_hash = peer->decision_hash,
                     .epoch = peer->epoch + 1,
                     .reasons = reasons},
                    signer);
}

TrustPin pin_of_card(const DomainCard& card) {
  const Dam& dam = card.chain.latest();
  return {.domain_id = dam.domain_id,
          .policy_hash = dam.policy_hash,
          .root_fingerprints = {key_id_of(dam.genesis_key)}};
}

}  // namespace asl::auth
