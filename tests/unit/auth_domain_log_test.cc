// What a domain's log says of its authority, and what it does not get away with: audits, heads, cards.
#include "auth_domain_fixture.h"

namespace asl::auth {
namespace {

using test::key_of;
using test::value_of;

TEST_F(DomainAuthority, AClaimMayBeSignedByAKeyThatTheNextManifestLists) {
  found();
  SigningKey next = worker_key(11);
  std::vector<SigningKey> root;
  root.push_back(key_of(KeyClass::kDomainRoot, kRoot));
  const Principal added{.key = next.public_key(), .roles = RoleSet::all()};
  {
    AuthoritySession open = session();
    value_of(issue_dam(open, {.set = {added}, .remove = {}, .root_key = {}, .policy_hash = {}}, root, &next,
                       machine()));
    value_of(open.commit());
  }
  EXPECT_TRUE(authority().problems().empty());
  SigningKey stranger = worker_key(12);
  AuthoritySession open = session();
  const std::string claim = encode_canonical(to_value(claim_for(open, machine())));
  ASL_ASSERT_OK(open.bind(value_of(seal_object(Kind::kEnvClaim, claim, stranger))));
  EXPECT_TRUE(breaks(open.commit(), "authority-principal"));
}

TEST_F(DomainAuthority, TwoManifestsOfOneVersionEndTheDomain) {
  found();
  const Dam first = authority().dam();
  const Digest hash = authority().chain().latest_hash();
  ASL_ASSERT_OK(issue({.set = {{.key = worker_key(11).public_key(), .roles = {Role::kAudit}}},
                       .remove = {},
                       .root_key = {},
                       .policy_hash = {}}));
  const Dam other = value_of(next_dam(first, hash,
                                      {.set = {{.key = worker_key(12).public_key(), .roles = {Role::kAudit}}},
                                       .remove = {},
                                       .root_key = {},
                                       .policy_hash = {}}));
  // One that is not signed as it must be is nothing.
  EXPECT_TRUE(breaks(bind(sealed(Kind::kDam, to_value(other), KeyClass::kDomainRoot, {9})), "dam-signed"));
  ASL_EXPECT_OK(authority().require(Action::kAttest, worker_key().public_key()));
  ASL_ASSERT_OK(bind(sealed(Kind::kDam, to_value(other), KeyClass::kDomainRoot, {kRoot})));
  EXPECT_TRUE(breaks(authority().require(Action::kAttest, worker_key().public_key()), "dam-fork"));
  const AuditReport report = value_of(audit_domain(*domain_));
  EXPECT_EQ(report.bound.at("dam"), 3U);  // both are kept
  EXPECT_FALSE(report.sound());
}

TEST_F(DomainAuthority, WhatIsForcedIntoTheLogHasNoEffect) {
  found();
  Dam forged = value_of(next_dam(authority().dam(), authority().chain().latest_hash(),
                                 {.set = {{.key = worker_key(66).public_key(), .roles = RoleSet::all()}},
                                  .remove = {},
                                  .root_key = {},
                                  .policy_hash = {}}));
  const std::string payload = encode_canonical(to_value(forged));
  const Envelope envelope = sealed(Kind::kDam, to_value(forged), KeyClass::kDomainRoot, {9});
  const std::string signature = encode_canonical(to_value(StoredSignature{
      .kind = Kind::kDam, .object_hash = envelope.object_hash(), .signature = envelope.signatures.front()}));
  force({bind_record(Kind::kDam, payload), bind_record(Kind::kSignature, signature)},
        {{spec_of(Kind::kDam).type_tag, payload}, {spec_of(Kind::kSignature).type_tag, signature}});
  const Authority now = authority();
  EXPECT_EQ(now.dam().version, 1U);
  ASSERT_EQ(now.problems().size(), 1U);
  EXPECT_NE(now.problems().front().error.message.find("(rule dam-signed)"), std::string::npos);
  EXPECT_TRUE(breaks(now.require(Action::kAttest, worker_key(66).public_key()), "authority-principal"));
  EXPECT_FALSE(value_of(audit_domain(*domain_)).sound());
}

TEST_F(DomainAuthority, APublicationWithoutASignatureIsFound) {
  found();
  const std::uint64_t id = make_snapshot();
  force({new_record(
            PublishRecord{.snapshot_id = id, .publication = {.hash_id = kHashIdAsl1, .digest = Digest{}}})},
        {});
  const AuditReport report = value_of(audit_domain(*domain_));
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_NE(report.problems.front().error.message.find("(rule publish-snapshot)"), std::string::npos);
}

TEST_F(DomainAuthority, APublicationOfAnotherSnapshotIsFound) {
  found();
  const std::uint64_t id = make_snapshot();
  SigningKey key = worker_key();
  Digest publication{};
  {
    AuthoritySession open = session();
    publication = value_of(publish_snapshot(open, id, key)).object_hash();
    value_of(open.commit());
  }
  EXPECT_TRUE(value_of(audit_domain(*domain_)).sound());
  force({new_record(
            PublishRecord{.snapshot_id = 1, .publication = {.hash_id = kHashIdAsl1, .digest = publication}})},
        {});
  EXPECT_FALSE(value_of(audit_domain(*domain_)).sound());
}

TEST_F(DomainAuthority, WithoutWhatTheLogBindsNothingGoesOn) {
  found();
  Policy policy;
  policy.version = 9;
  const std::string payload = encode_policy(policy);
  force({bind_record(Kind::kPolicy, payload)}, {});  // bound, and not there
  EXPECT_EQ(Authority::load(*domain_).error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(audit_domain(*domain_).error().code, ErrorCode::kIntegrity);
}

TEST_F(DomainAuthority, OnlyWhatBelongsThereIsBound) {
  found();
  const auto worker_signs = [](Kind kind, const Value& value) {
    return sealed(kind, value, KeyClass::kOperational, {kWorker});
  };
  const LogHead head{.domain_id = domain_->id(), .point = {.logseq = 1, .record_hash = {}}};
  EXPECT_TRUE(breaks(bind(worker_signs(Kind::kLogHead, to_value(head))), "bound-kind"));
  Statement statement{.domain_id = DomainId{},
                      .subject = domain_->state()->find_snapshot(1)->reference,
                      .claim = Claim::kSnapshotRepresents,
                      .value = "x",
                      .pel_program_hash = {}};
  EXPECT_TRUE(breaks(bind(worker_signs(Kind::kStatement, to_value(statement))), "bound-domain"));
  statement.domain_id = domain_->id();
  ASL_EXPECT_OK(bind(worker_signs(Kind::kStatement, to_value(statement))));
  SnapshotPublish publish{.domain_id = domain_->id(),
                          .snapshot_id = 1,
                          .snapshot = statement.subject,
                          .policy_hash = Digest{},
                          .dam_hash = authority().chain().latest_hash(),
                          .receipt_hash = {}};
  EXPECT_TRUE(breaks(bind(worker_signs(Kind::kSnapshotPublish, to_value(publish))), "publish-policy"));
  publish.policy_hash = authority().dam().policy_hash;
  publish.dam_hash = Digest{};
  EXPECT_TRUE(breaks(bind(worker_signs(Kind::kSnapshotPublish, to_value(publish))), "publish-policy"));
  Dam next = value_of(next_dam(authority().dam(), authority().chain().latest_hash(), {}));
  next.policy_hash = Digest{};
  EXPECT_TRUE(
      breaks(bind(sealed(Kind::kDam, to_value(next), KeyClass::kDomainRoot, {kRoot})), "policy-bound"));
  AuthoritySession open = session();
  EXPECT_TRUE(
      breaks(bind_text(open, encode_envelope(worker_signs(Kind::kStatement, to_value(statement))), ""),
             "bound-kind"));
  EnvClaim claim = claim_for(open, machine());
  claim.previous.reset();
  EXPECT_TRUE(breaks(open.bind_unsigned(Kind::kEnvClaim, encode_canonical(to_value(claim))), "claim-link"));
}

TEST_F(DomainAuthority, AManifestOfAnotherDomainIsNotBound) {
  AuthoritySession open = session();
  ASL_ASSERT_OK(open.bind_unsigned(Kind::kPolicy, encode_policy({})));
  const Dam foreign = first_dam(key_of(KeyClass::kDomainRoot, 7).public_key(), {}, policy_hash({}));
  EXPECT_TRUE(
      breaks(open.bind(sealed(Kind::kDam, to_value(foreign), KeyClass::kDomainRoot, {7})), "bound-domain"));
}

TEST_F(DomainAuthority, LogHeadsShowWhetherTheLogGoesOn) {
  found();
  SigningKey key = worker_key();
  const Envelope head = value_of(sign_log_head(*domain_, key));
  const std::string saved = directory_ / "saved";
  test::fs::copy(summary_.directory, saved, test::fs::copy_options::recursive);
  make_snapshot();
  const HeadCheck check = value_of(check_log_head(*domain_, authority(), head));
  EXPECT_TRUE(check.current);
  EXPECT_GT(check.records_since, 0U);
  const Envelope newer = value_of(sign_log_head(*domain_, key));

  const auto old = test::open_domain(*io_, saved);
  EXPECT_TRUE(breaks(check_log_head(*old, value_of(Authority::load(*old)), newer), "head-continues"));
  LogHead lie = check.head;
  lie.point.record_hash = Digest{};
  EXPECT_TRUE(breaks(check_log_head(*domain_, authority(),
                                    sealed(Kind::kLogHead, to_value(lie), KeyClass::kOperational, {kWorker})),
                     "head-continues"));
  EXPECT_TRUE(
      breaks(check_log_head(*domain_, authority(),
                            sealed(Kind::kLogHead, to_value(check.head), KeyClass::kOperational, {11})),
             "authority-principal"));
  lie = check.head;
  lie.domain_id = DomainId{};
  EXPECT_TRUE(breaks(check_log_head(*domain_, authority(),
                                    sealed(Kind::kLogHead, to_value(lie), KeyClass::kOperational, {kWorker})),
                     "bound-domain"));
  // A key that was taken out since is shown as such.
  ASL_ASSERT_OK(issue({.set = {{.key = worker_key(11).public_key(), .roles = RoleSet::all()}},
                       .remove = {key_id_of(key.public_key())},
                       .root_key = {},
                       .policy_hash = {}}));
  EXPECT_FALSE(value_of(check_log_head(*domain_, authority(), head)).current);
}

TEST_F(DomainAuthority, CardsAreCheckedByWhoeverGetsThem) {
  found();
  const std::string text = test::read_file(domain_card_path(summary_.directory));
  const DomainCard card = value_of(decode_domain_card(text));
  EXPECT_EQ(card.chain.latest_hash(), authority().chain().latest_hash());
  EXPECT_EQ(value_of(encode_domain_card(card.chain, card.policy, card.head_envelope)), text);
  Policy other = card.policy;
  other.version = 2;
  EXPECT_TRUE(breaks(encode_domain_card(card.chain, other, card.head_envelope), "card-whole"));
  const Envelope head = sealed(Kind::kLogHead, to_value(card.head), KeyClass::kOperational, {11});
  EXPECT_TRUE(breaks(encode_domain_card(card.chain, card.policy, head), "card-whole"));
  LogHead foreign = card.head;
  foreign.domain_id = DomainId{};
  EXPECT_TRUE(
      breaks(encode_domain_card(card.chain, card.policy,
                                sealed(Kind::kLogHead, to_value(foreign), KeyClass::kOperational, {kWorker})),
             "card-whole"));
}

TEST_F(DomainAuthority, KeysAreOnTheDiskBeforeTheDomainIs) {
  const SigningKey root = key_of(KeyClass::kDomainRoot, 3);
  const SigningKey signer = worker_key(4);
  const std::vector<NewKey> keys = {
      {.key = &root, .public_key = root.public_key(), .name = "root", .comment = "r"},
      {.key = &signer, .public_key = signer.public_key(), .name = "dam-signer", .comment = "s"}};
  SecretBytes phrase(4);
  std::ranges::fill(phrase.span(), std::byte{'p'});
  const DomainSummary made = value_of(make_keyed_domain(*root_, "second", keys, phrase, kKdfFloor));
  EXPECT_EQ(made.id, domain_id_of(root.public_key()));
  const std::string sealed_root = value_of(read_key_file(root_key_path(made.directory)));
  EXPECT_EQ(value_of(decrypt_key(sealed_root, phrase)).public_key(), root.public_key());
  EXPECT_FALSE(test::fs::exists(root_->directory() + "/host/ceremony-" + to_hex(made.id)));
  // A name that is taken, or is none, leaves nothing behind.
  const SigningKey third = key_of(KeyClass::kDomainRoot, 5);
  std::vector<NewKey> others = keys;
  others[0] = {.key = nullptr, .public_key = third.public_key(), .name = "root", .comment = ""};
  others[1].key = nullptr;
  for (const char* name : {"second", "no name"})
    EXPECT_FALSE(make_keyed_domain(*root_, name, others, phrase, kKdfFloor).has_value());
  for (const auto& entry : test::fs::directory_iterator(root_->directory() + "/host"))
    EXPECT_FALSE(entry.path().filename().string().starts_with("ceremony-")) << entry.path();
  // Nor is what a ceremony with this root key left in the way of the next one.
  const std::string left = root_->directory() + "/host/ceremony-" + to_hex(domain_id_of(third.public_key()));
  test::fs::create_directory(left);
  test::write_text(left + "/dam-signer.priv.enc", "of a domain that never was");
  value_of(make_keyed_domain(*root_, "third", others, phrase, kKdfFloor));
  EXPECT_FALSE(test::fs::exists(left));
  // A crash between the first log record and the key files' last place: they are brought there later.
  const std::string staged = root_->directory() + "/host/ceremony-" + to_hex(made.id);
  test::fs::create_directory(staged);
  test::fs::rename(root_key_path(made.directory), staged + "/root.priv.enc");
  ASL_ASSERT_OK(recover_ceremony_keys(*root_, made));
  EXPECT_TRUE(test::fs::exists(root_key_path(made.directory)));
  EXPECT_FALSE(test::fs::exists(staged));
}

TEST(CeremonyDate, IsADayAndDoesNotGoBack) {
  EXPECT_EQ(value_of(parse_date("2026-11-21")), 1795219200);
  EXPECT_EQ(date_text(1795219200), "2026-11-21");
  for (const char* text :
       {"", "2026-11-2", "2026-13-01", "2026-02-30", "1999-12-31", "2026/11/21", "2026-11-21 ", "+026-11-21"})
    EXPECT_EQ(parse_date(text).error().code, ErrorCode::kUsage) << text;
  const auto confirm = [](std::vector<std::string> typed, std::string reason = {}) {
    return confirm_date({.typed = typed, .reason = std::move(reason), .words = "w"}, 1795219200);
  };
  EXPECT_TRUE(confirm({"2026-11-21"}).has_value());
  EXPECT_TRUE(breaks(confirm({"2026-11-20"}), "date-order"));
  const DateRecord corrected = value_of(confirm({"2026-11-20"}, "the clock was a day ahead"));
  EXPECT_TRUE(corrected.correction);
  EXPECT_EQ(corrected.words, "the clock was a day ahead");
  EXPECT_TRUE(confirm({"2027-12-26"}).has_value());
  EXPECT_TRUE(breaks(confirm({"2027-12-27"}), "date-leap"));
  EXPECT_TRUE(confirm({"2027-12-27", "2027-12-27"}).has_value());
  EXPECT_EQ(confirm({"2027-12-27", "2027-12-28"}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(confirm({}).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace asl::auth
