// Judging and deciding requests to be admitted; what other domains are to this one.
#include <gtest/gtest.h>

#include <asl/auth/admission_check.h>
#include <asl/auth/audit.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/genesis.h>

#include "auth_support.h"
#include "store_fixture.h"

namespace asl::auth {
namespace {

using test::key_of;
using test::value_of;

bool breaks(const auto& result, std::string_view rule) {
  return !result && result.error().message.find("(rule " + std::string(rule) + ")") != std::string::npos;
}

constexpr std::int64_t kDay = 1795219200;  // 2026-11-21

SigningKey root_key(std::uint8_t fill) {
  return key_of(KeyClass::kDomainRoot, fill);
}
SigningKey worker_key(std::uint8_t fill) {
  return key_of(KeyClass::kOperational, fill);
}

Envelope sealed(Kind kind, const Value& value, KeyClass key_class, std::vector<std::uint8_t> fills) {
  std::vector<SigningKey> keys;
  for (const std::uint8_t fill : fills) keys.push_back(key_of(key_class, fill));
  return value_of(seal_object(kind, encode_canonical(value), keys));
}

// Two domains of one host: the host's own, 0, and the applicant's, 1.
class Admission : public ::testing::Test {
 protected:
  Admission() : io_(io::make_default_io()), root_(value_of(HostRoot::init(*io_, directory_ / "root"))) {
    for (const std::uint8_t fill : {std::uint8_t{0}, std::uint8_t{1}}) domains_.push_back(make(fill, {}));
  }

  std::unique_ptr<Domain> make(std::uint8_t fill, GenesisPlan plan) {
    SigningKey root = root_key(fill);
    SigningKey worker = worker_key(static_cast<std::uint8_t>(fill + 10));
    const PublicKey key = root.public_key();
    const DomainSummary made =
        value_of(root_.create_domain("domain-" + std::to_string(fill), domain_id_of(key), key.bytes));
    auto domain = test::open_domain(*io_, made.directory);
    plan.date = {.unix_seconds = kDay, .correction = false, .words = "test"};
    plan.machine.kernel = "Linux of the tests";
    value_of(found_domain(*domain, root_.directory(), root, worker, plan));
    return domain;
  }

  Authority authority(std::size_t which = 0) { return value_of(Authority::load(*domains_[which])); }
  DomainId id(std::size_t which) const { return domains_[which]->id(); }
  AuthoritySession session() { return value_of(AuthoritySession::open(*domains_[0], root_.directory())); }

  AdmissionRequest request(std::uint8_t number) {
    SigningKey key = root_key(1);
    AdmissionPlea plea{.audience = id(0), .scope = {Role::kProduce}, .lease = {}, .request_id = {}};
    plea.request_id.fill(std::byte{number});
    plea.lease = LeaseTerms{.max_bytes = 1 << 20, .days = 30};
    const Envelope envelope = value_of(make_admission_request(authority(1), plea, key));
    return value_of(admission_request_of(value_of(decode_canonical(envelope.payload))));
  }
  static std::string signed_text(const AdmissionRequest& request, std::uint8_t root = 1) {
    return encode_envelope(sealed(Kind::kAdmissionRequest, to_value(request), KeyClass::kDomainRoot, {root}));
  }
  Judgement judge(const AdmissionRequest& request, std::uint8_t root = 1) {
    return value_of(judge_admission(authority(), signed_text(request, root)));
  }
  // The decision, as "REJECTED audience".
  std::string verdict(const AdmissionRequest& request, std::uint8_t root = 1) {
    const Judgement judgement = judge(request, root);
    std::string text(decision_name(judgement.decision.decision));
    for (const std::string& code : judgement.decision.reasons) text += " " + code;
    return text;
  }

  AdmissionOutcome decide(const AdmissionRequest& request) {
    SigningKey key = worker_key(10);
    AuthoritySession open = session();
    const Judgement judgement = value_of(judge_admission(open.authority(), signed_text(request)));
    AdmissionOutcome outcome = value_of(decide_admission(open, judgement, kDay, key));
    value_of(open.commit());
    return outcome;
  }

  void pin(std::vector<Digest> fingerprints, const Digest& policy) {
    AuthoritySession open = session();
    const TrustPin made{
        .domain_id = id(1), .policy_hash = policy, .root_fingerprints = std::move(fingerprints)};
    ASL_ASSERT_OK(open.bind_unsigned(Kind::kTrustPin, encode_canonical(to_value(made))));
    value_of(open.commit());
  }
  void pin_applicant() { pin({key_id_of(root_key(1).public_key())}, authority(1).dam().policy_hash); }

  Result<Envelope> change(StateChange change, std::uint8_t worker = 10) {
    SigningKey key = worker_key(worker);
    AuthoritySession open = session();
    ASL_ASSIGN(Envelope envelope, change_domain_state(open, id(1), change, {"test"}, key));
    ASL_TRY(open.commit());
    return envelope;
  }
  DomainStanding standing() {
    const Authority now = authority();
    const Peer* peer = now.peers().find(id(1));
    return peer == nullptr ? DomainStanding::kUnrecognized : peer->standing;
  }

  test::TempDirectory directory_{test::memory_directory()};
  std::unique_ptr<io::Io> io_;
  HostRoot root_;
  std::vector<std::unique_ptr<Domain>> domains_;
};

TEST_F(Admission, EachCheckHasItsCode) {
  EXPECT_EQ(verdict(request(1)), "ACCEPTED_LIMITED trust-pin");
  AdmissionRequest bad = request(1);
  bad.courtesy_lease.reset();
  EXPECT_EQ(verdict(bad), "DEFERRED trust-pin");
  bad = request(1);
  bad.audience = DomainId{};
  EXPECT_EQ(verdict(bad), "REJECTED audience");
  bad = request(1);
  bad.dam_chain = {"{}"};
  EXPECT_EQ(verdict(bad), "REJECTED dam-chain");
  bad = request(1);
  bad.domain_id = domain_id_of(root_key(7).public_key());
  EXPECT_EQ(verdict(bad), "REJECTED domain-id");
  EXPECT_EQ(verdict(request(1), 7), "REJECTED possession");
  bad = request(1);
  bad.policy_hash = Digest{};
  EXPECT_EQ(verdict(bad), "REJECTED policy-hash");
  bad = request(1);
  Policy policy;
  policy.version = 2;
  bad.policy_document = encode_policy(policy);
  EXPECT_EQ(verdict(bad), "REJECTED policy-hash");
  bad.policy_document = "{}";
  EXPECT_EQ(verdict(bad), "REJECTED policy-hash");
  bad = request(1);
  bad.certificates = {"{}"};
  EXPECT_EQ(verdict(bad), "REJECTED certificate");
  // What fails first decides, whatever else is wrong.
  bad.audience = DomainId{};
  bad.dam_chain = {"{}"};
  EXPECT_EQ(verdict(bad, 7), "REJECTED audience");
}

TEST_F(Admission, WhatCannotBeReadIsNotDecided) {
  const std::string text = signed_text(request(1));
  EXPECT_EQ(judge_admission(authority(), text + "\n").error().code, ErrorCode::kMalformed);
  EXPECT_EQ(judge_admission(authority(), text.substr(1)).error().code, ErrorCode::kMalformed);
  const Envelope other = authority(1).chain().envelopes().front();
  EXPECT_EQ(judge_admission(authority(), encode_envelope(other)).error().code, ErrorCode::kMalformed);
}

TEST_F(Admission, APinDecidesByKeyAndPolicy) {
  pin_applicant();
  EXPECT_EQ(verdict(request(1)), "ACCEPTED");
  EXPECT_EQ(judge(request(1)).decision.admitted_scope, RoleSet{Role::kProduce});
  pin({key_id_of(root_key(1).public_key())}, Digest{});
  EXPECT_EQ(verdict(request(1)), "REJECTED trust-pin");
  pin({key_id_of(root_key(7).public_key())}, authority(1).dam().policy_hash);
  EXPECT_EQ(verdict(request(1)), "REJECTED certificate");
}

TEST_F(Admission, ARootSetCertifiesTheApplicant) {
  RootSet set{.version = 1,
              .keys = {key_of(KeyClass::kOfflineRoot, 20).public_key()},
              .threshold = 1,
              .previous = {}};
  const Envelope roots = sealed(Kind::kRootSet, to_value(set), KeyClass::kOfflineRoot, {20});
  const Certificate certificate{.subject = domain_root_subject(authority(1).dam(), 1),
                                .issued_by = roots.object_hash()};
  const Envelope certified = sealed(Kind::kCertificate, to_value(certificate), KeyClass::kOfflineRoot, {20});
  AdmissionRequest asked = request(1);
  asked.certificates = {encode_envelope(roots)};
  EXPECT_EQ(verdict(asked), "REJECTED certificate");  // a root set, and nothing under it
  asked.certificates = {encode_envelope(certified), encode_envelope(roots)};
  EXPECT_EQ(verdict(asked), "REJECTED certificate");  // nothing above it yet
  asked.certificates = {encode_envelope(roots), encode_envelope(certified)};
  EXPECT_EQ(verdict(asked), "ACCEPTED_LIMITED trust-pin");
  pin({roots.object_hash()}, authority(1).dam().policy_hash);
  EXPECT_EQ(verdict(asked), "ACCEPTED");
  EXPECT_EQ(verdict(request(1)), "REJECTED certificate");  // the pinned root set is not there
  // One threshold higher, and one signature is not enough.
  set.keys.push_back(key_of(KeyClass::kOfflineRoot, 21).public_key());
  std::ranges::sort(set.keys);
  set.threshold = 2;
  const Envelope two = sealed(Kind::kRootSet, to_value(set), KeyClass::kOfflineRoot, {20, 21});
  const Certificate under_two{.subject = certificate.subject, .issued_by = two.object_hash()};
  asked.certificates = {encode_envelope(two), encode_envelope(sealed(Kind::kCertificate, to_value(under_two),
                                                                     KeyClass::kOfflineRoot, {20}))};
  EXPECT_EQ(verdict(asked), "REJECTED certificate");
}

TEST_F(Admission, FromGuestToMemberToRevoked) {
  using enum DomainStanding;
  EXPECT_EQ(change(StateChange::kSuspend).error().code, ErrorCode::kNotFound);
  const AdmissionOutcome guest = decide(request(1));
  EXPECT_EQ(standing(), kCourtesy);
  const Authority now = authority();
  const Peer* peer = now.peers().find(id(1));
  ASSERT_NE(peer, nullptr);
  EXPECT_TRUE(peer->admitted_scope.empty());
  ASSERT_TRUE(peer->lease.has_value());
  EXPECT_EQ(lease_end(*peer->lease), kDay + 30 * 86400);
  EXPECT_TRUE(breaks(judge_admission(authority(), signed_text(request(1))), "admission-replay"));

  ASL_ASSERT_OK(change(StateChange::kSuspend));
  EXPECT_EQ(verdict(request(2)), "DEFERRED suspended");
  EXPECT_TRUE(breaks(change(StateChange::kSuspend), "admission-state"));
  ASL_ASSERT_OK(change(StateChange::kResume));
  EXPECT_EQ(standing(), kCourtesy);
  EXPECT_TRUE(breaks(change(StateChange::kResume), "admission-state"));

  pin_applicant();
  const AdmissionOutcome member = decide(request(3));
  EXPECT_EQ(standing(), kFull);
  EXPECT_FALSE(member.lease.has_value());
  EXPECT_FALSE(decide(request(4)).state.has_value());  // it is that already
  ASL_ASSERT_OK(change(StateChange::kSuspend));
  ASL_ASSERT_OK(change(StateChange::kResume));
  EXPECT_EQ(standing(), kFull);
  ASL_ASSERT_OK(change(StateChange::kRevoke));
  EXPECT_EQ(standing(), kRevoked);
  EXPECT_TRUE(breaks(change(StateChange::kResume), "admission-state"));
  EXPECT_EQ(verdict(request(5)), "REJECTED revoked");
  const AdmissionOutcome refused = decide(request(5));
  EXPECT_FALSE(refused.state.has_value());
  EXPECT_EQ(standing(), kRevoked);

  const AuditReport report = value_of(audit_domain(*domains_[0]));
  EXPECT_TRUE(report.sound());
  EXPECT_EQ(report.bound.at("admission-decision"), 4U);
  EXPECT_EQ(report.bound.at("domain-state"), 7U);
  EXPECT_EQ(domains_[0]->state()->domain_states().back().record.standing, kRevoked);
}

TEST_F(Admission, OnlyAPrincipalWhoMayDecides) {
  SigningKey stranger = worker_key(99);
  AuthoritySession open = session();
  const Judgement judgement = value_of(judge_admission(open.authority(), signed_text(request(1))));
  EXPECT_TRUE(breaks(decide_admission(open, judgement, kDay, stranger), "authority-principal"));
}

TEST_F(Admission, AnOlderManifestIsNotAcceptedAgain) {
  pin_applicant();
  const AdmissionRequest old = request(1);
  AdmissionRequest later = request(2);
  {
    SigningKey root = root_key(1);
    std::vector<SigningKey> roots;
    roots.push_back(root_key(1));
    AuthoritySession open = value_of(AuthoritySession::open(*domains_[1], ""));
    const Dam next =
        value_of(next_dam(open.authority().dam(), open.authority().chain().latest_hash(),
                          {.set = {{.key = worker_key(30).public_key(), .roles = {Role::kAudit}}},
                           .remove = {},
                           .root_key = {},
                           .policy_hash = {}}));
    ASL_ASSERT_OK(open.bind(value_of(seal_object(Kind::kDam, encode_canonical(to_value(next)), roots))));
    value_of(open.commit());
  }
  later = request(2);
  EXPECT_EQ(later.dam_chain.size(), 2U);
  decide(later);
  EXPECT_EQ(verdict(old), "REJECTED dam-chain");
  // Another second version, as valid: the root key is in two hands.
  const Dam first = authority(1).chain().dams().front();
  const Dam fork = value_of(next_dam(first, authority(1).chain().envelopes().front().object_hash(),
                                     {.set = {{.key = worker_key(31).public_key(), .roles = {Role::kAudit}}},
                                      .remove = {},
                                      .root_key = {},
                                      .policy_hash = {}}));
  AdmissionRequest forked = request(3);
  forked.dam_chain[1] = encode_envelope(sealed(Kind::kDam, to_value(fork), KeyClass::kDomainRoot, {1}));
  EXPECT_EQ(verdict(forked), "REJECTED dam-fork");
}

TEST_F(Admission, PolicyAndScopeOfTheHostHold) {
  GenesisPlan plan;
  plan.policy.federation.trusted_domains = {DomainId{}};
  domains_[0] = make(2, plan);
  AdmissionRequest asked = request(1);
  EXPECT_EQ(verdict(asked), "REJECTED local-policy");

  domains_[0] = make(3, {});
  {
    AuthoritySession open = session();
    Dam next = value_of(next_dam(open.authority().dam(), open.authority().chain().latest_hash(), {}));
    next.scope = RoleSet{Role::kFederate};
    ASL_ASSERT_OK(open.bind(sealed(Kind::kDam, to_value(next), KeyClass::kDomainRoot, {3})));
    value_of(open.commit());
  }
  EXPECT_EQ(verdict(request(1)), "REJECTED scope");
}

TEST_F(Admission, ForgedAndReorderedObjectsDoNotCount) {
  decide(request(1));
  const Authority now = authority();
  const Digest decision = now.peers().find(id(1))->decision_hash;
  const auto bind = [&](Kind kind, const Value& value, std::uint8_t worker = 10) {
    AuthoritySession open = session();
    return open.bind(sealed(kind, value, KeyClass::kOperational, {worker}));
  };
  AdmissionDecision next{.request_hash = Digest{},
                         .domain_id = id(1),
                         .dam_hash = {},
                         .policy_hash = {},
                         .admitted_scope = {},
                         .decision = Decision::kAccepted,
                         .reasons = {},
                         .decision_epoch = 2};
  EXPECT_TRUE(breaks(bind(Kind::kAdmissionDecision, to_value(next)), "admission-link"));
  Lease lease{.domain_id = id(1), .max_bytes = 1, .start = kDay, .days = 1, .decision_hash = Digest{}};
  EXPECT_TRUE(breaks(bind(Kind::kLease, to_value(lease)), "admission-link"));
  lease.decision_hash = decision;
  lease.domain_id = id(0);
  EXPECT_TRUE(breaks(bind(Kind::kLease, to_value(lease)), "admission-link"));
  DomainStateChange change{.issuer = id(0),
                           .domain_id = id(1),
                           .from = DomainStanding::kCourtesy,
                           .to = DomainStanding::kFull,
                           .decision_hash = decision,
                           .epoch = 2,
                           .reasons = {}};
  EXPECT_TRUE(
      breaks(bind(Kind::kDomainState, to_value(change)), "admission-state"));  // the decision was limited
  change.to = DomainStanding::kSuspended;
  EXPECT_TRUE(breaks(bind(Kind::kDomainState, to_value(change), 99), "authority-principal"));
  change.epoch = 3;
  EXPECT_TRUE(breaks(bind(Kind::kDomainState, to_value(change)), "admission-state"));
  change.epoch = 2;
  change.issuer = id(1);
  EXPECT_TRUE(breaks(bind(Kind::kDomainState, to_value(change)), "bound-domain"));
  change.issuer = id(0);
  ASL_EXPECT_OK(bind(Kind::kDomainState, to_value(change)));
}

}  // namespace
}  // namespace asl::auth
