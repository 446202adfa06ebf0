// A domain's authority: founding, who may do what, manifests that follow each other.
#include "auth_domain_fixture.h"

namespace asl::auth {
namespace {

using test::key_of;
using test::value_of;

TEST_F(DomainAuthority, FoundingBindsEverythingInOneCommit) {
  const std::uint64_t before = domain_->state()->last_logseq();
  const GenesisReport report = found();
  EXPECT_FALSE(report.card_error.has_value());
  EXPECT_TRUE(report.commit.notices.empty());
  EXPECT_EQ(report.commit.tree.id, 1U);

  std::vector<std::uint32_t> types;
  std::size_t commits = 0;
  value_of(list_log(*domain_, {.since_logseq = before + 1, .last_commits = {}},
                    [&](const ListedCommit& commit) -> Result<void> {
                      ++commits;
                      for (const LogRecord& record : commit.records) types.push_back(record.type);
                      return {};
                    }));
  EXPECT_EQ(commits, 1U);
  EXPECT_EQ(types, (std::vector<std::uint32_t>{kLogSegmentSeal, kLogSnapshotAnchor, kLogSnapshotLabel,
                                               kLogAuthorityBind, kLogAuthorityBind, kLogAuthorityBind,
                                               kLogAuthorityBind, kLogAuthorityBind, kLogDate, kLogCommit}));

  const Authority made = authority();
  EXPECT_TRUE(made.problems().empty());
  EXPECT_EQ(made.dam().version, 1U);
  EXPECT_EQ(made.dam().principals.size(), 1U);
  EXPECT_EQ(made.latest_claim(), report.claim_hash);
  ASL_EXPECT_OK(made.require(Action::kPublishSnapshot, worker_key().public_key()));
  // The claim was made over the log as it was before.
  const auto claim = value_of(env_claim_of(value_of(decode_canonical(made.objects()[1].payload))));
  EXPECT_EQ(claim.log_head.logseq, before);
  EXPECT_EQ(claim.previous, std::nullopt);
  EXPECT_EQ(value_of(domain_->snapshot(1)).claim.digest, report.claim_hash);
  EXPECT_TRUE(value_of(audit_domain(*domain_)).sound());

  SigningKey root = key_of(KeyClass::kDomainRoot, kRoot);
  SigningKey worker = worker_key();
  EXPECT_EQ(found_domain(*domain_, root_->directory(), root, worker, {}).error().code, ErrorCode::kRefused);
}

TEST_F(DomainAuthority, TheAuthorityTreeHoldsWhatAStrangerNeeds) {
  found();
  const auto files = authority_tree(authority());
  const auto content = [&](const std::string& path) {
    const auto at = std::ranges::find(files, path, &SmallFile::path);
    return at == files.end() ? std::string() : at->content;
  };
  EXPECT_EQ(content("domain.id"), to_hex(domain_->id()) + "\n");
  EXPECT_EQ(value_of(decode_public_key_file(content("domain.pubkey"))).key,
            key_of(KeyClass::kDomainRoot, kRoot).public_key());
  EXPECT_EQ(value_of(DamChain::decode(content("attestations/dam.chain"))).latest_hash(),
            authority().chain().latest_hash());
  const std::string policy = content("policies/" + policy_file_name(authority().policy()));
  EXPECT_EQ(policy_hash(value_of(decode_policy(policy))), authority().dam().policy_hash);
  const std::string worker = to_hex(key_id_of(worker_key().public_key()));
  EXPECT_EQ(value_of(decode_public_key_file(content("authorities/" + worker + ".pub"))).key,
            worker_key().public_key());
  // The same as files, for people.
  for (const char* copy : {"/dam/dam-1.json", "/dam/dam-1.json.sig", "/domain.card"})
    EXPECT_TRUE(test::fs::exists(summary_.directory + copy)) << copy;
}

TEST_F(DomainAuthority, WithoutAManifestNobodyMayDoAnything) {
  for (const ActionSpec& action : action_table())
    EXPECT_TRUE(breaks(authority().require(action.action, worker_key().public_key()), "authority-unbound"));
  const DomainSummary local = value_of(root_->create_local_domain("local"));
  const auto domain = test::open_domain(*io_, local.directory);
  EXPECT_TRUE(breaks(value_of(Authority::load(*domain)).require(Action::kAttest, worker_key().public_key()),
                     "authority-unbound"));
}

TEST_F(DomainAuthority, RolesAreEnforced) {
  GenesisPlan plan;
  plan.principals = {{.key = worker_key(11).public_key(), .roles = {Role::kProduce}}};
  found(plan);
  const std::uint64_t id = make_snapshot();
  const auto publish = [&](SigningKey key) {
    AuthoritySession open = session();
    return publish_snapshot(open, id, key);
  };
  EXPECT_TRUE(breaks(publish(worker_key(12)), "authority-principal"));
  EXPECT_TRUE(breaks(publish(worker_key(11)), "authority-role"));
  EXPECT_TRUE(
      breaks(authority().require(Action::kEmitReceipt, worker_key(11).public_key()), "authority-role"));
  EXPECT_TRUE(
      breaks(authority().require(Action::kAdmitDomain, worker_key(11).public_key()), "authority-role"));
  SigningKey root = key_of(KeyClass::kDomainRoot, kRoot);
  EXPECT_TRUE(
      breaks(authority().require(Action::kPublishSnapshot, root.public_key()), "authority-principal"));
  // Nothing of it is in the log.
  EXPECT_TRUE(domain_->state()->published().empty());
  EXPECT_TRUE(publish(worker_key()).has_value());
}

TEST_F(DomainAuthority, ThePolicyIsEnforced) {
  GenesisPlan plan;
  plan.policy.publication.allowed_roles = {Role::kAudit};
  plan.policy.execution.allowed_roles = {};
  found(plan);
  const PublicKey key = worker_key().public_key();
  EXPECT_TRUE(breaks(authority().require(Action::kPublishSnapshot, key), "authority-policy"));
  EXPECT_TRUE(breaks(authority().require(Action::kEmitReceipt, key), "authority-policy"));
  EXPECT_TRUE(breaks(authority().require(Action::kAttest, key), "authority-policy"));
  ASL_EXPECT_OK(authority().require(Action::kAdmitDomain, key));
}

TEST_F(DomainAuthority, TheScopeIsEnforced) {
  found();
  Dam next = value_of(next_dam(authority().dam(), authority().chain().latest_hash(), {}));
  next.scope = RoleSet{Role::kExecute};
  ASL_ASSERT_OK(bind(sealed(Kind::kDam, to_value(next), KeyClass::kDomainRoot, {kRoot})));
  const PublicKey key = worker_key().public_key();
  EXPECT_TRUE(breaks(authority().require(Action::kPublishSnapshot, key), "authority-scope"));
  EXPECT_TRUE(breaks(authority().require(Action::kAdmitDomain, key), "authority-scope"));
  ASL_EXPECT_OK(authority().require(Action::kAttest, key));
}

TEST_F(DomainAuthority, OnceARootSetIsBoundItMustCertify) {
  found();
  const PublicKey key = worker_key().public_key();
  const Envelope roots =
      sealed(Kind::kRootSet, to_value(root_set({20, 21, 22}, 2)), KeyClass::kOfflineRoot, {20, 21});
  AuthoritySession open = session();
  EXPECT_TRUE(breaks(bind_text(open, encode_envelope(roots), ""), "root-set-pinned"));
  EXPECT_TRUE(breaks(bind_text(open, encode_envelope(roots), fingerprint(Digest{})), "root-set-pinned"));
  EXPECT_EQ(value_of(bind_text(open, encode_envelope(roots), fingerprint(roots.object_hash()))).bound.size(),
            1U);
  value_of(open.commit());
  {
    const AuthoritySession closing = std::move(open);
  }

  EXPECT_TRUE(breaks(authority().require(Action::kPublishSnapshot, key), "authority-certificate"));
  const Digest issuer = roots.object_hash();
  EXPECT_TRUE(breaks(bind(certificate({20}, issuer)), "threshold-reached"));
  ASL_ASSERT_OK(bind(certificate({20, 22}, issuer)));
  ASL_EXPECT_OK(authority().require(Action::kPublishSnapshot, key));

  // Another policy is not covered; deleting the copies changes nothing.
  Policy policy;
  policy.version = 2;
  open = session();
  ASL_ASSERT_OK(open.bind_unsigned(Kind::kPolicy, encode_policy(policy)));
  std::vector<SigningKey> root;
  root.push_back(key_of(KeyClass::kDomainRoot, kRoot));
  value_of(issue_dam(open, {.set = {}, .remove = {}, .root_key = {}, .policy_hash = policy_hash(policy)},
                     root, nullptr, machine()));
  value_of(open.commit());
  {
    const AuthoritySession closing = std::move(open);
  }
  test::fs::remove_all(summary_.directory + "/certs");
  EXPECT_TRUE(breaks(authority().require(Action::kPublishSnapshot, key), "authority-certificate"));
  EXPECT_TRUE(value_of(audit_domain(*domain_)).sound());
}

TEST_F(DomainAuthority, ARootSetThatWasReplacedCertifiesNothingNew) {
  found();
  const Envelope first =
      sealed(Kind::kRootSet, to_value(root_set({20, 21}, 2)), KeyClass::kOfflineRoot, {20, 21});
  ASL_ASSERT_OK(bind(first));
  ASL_ASSERT_OK(bind(certificate({20, 21}, first.object_hash())));
  RootSet second = root_set({22}, 1);
  second.version = 2;
  second.previous = first.object_hash();
  EXPECT_TRUE(breaks(bind(sealed(Kind::kRootSet, to_value(second), KeyClass::kOfflineRoot, {22})),
                     "root-set-signed"));
  ASL_ASSERT_OK(bind(sealed(Kind::kRootSet, to_value(second), KeyClass::kOfflineRoot, {20, 21, 22})));
  // What was certified stays so; the old keys, which may be stolen by now, certify no more.
  ASL_EXPECT_OK(authority().require(Action::kAttest, worker_key().public_key()));
  ASL_ASSERT_OK(issue(
      {.set = {}, .remove = {}, .root_key = key_of(KeyClass::kDomainRoot, 5).public_key(), .policy_hash = {}},
      {kRoot, 5}));
  EXPECT_TRUE(breaks(bind(certificate({20, 21}, first.object_hash())), "certificate-issuer"));
  EXPECT_TRUE(
      breaks(authority().require(Action::kAttest, worker_key().public_key()), "authority-certificate"));
}

TEST_F(DomainAuthority, ManifestsFollowEachOtherInTheFiveWays) {
  found();
  const KeyId first = key_id_of(worker_key().public_key());
  const Principal second{.key = worker_key(11).public_key(), .roles = {Role::kPublish}};
  const auto change = [](std::vector<Principal> set, std::vector<KeyId> remove = {},
                         std::optional<PublicKey> root = {}) {
    return DamChange{.set = std::move(set), .remove = std::move(remove), .root_key = root, .policy_hash = {}};
  };
  ASL_ASSERT_OK(issue(change({second})));  // add
  ASL_EXPECT_OK(authority().require(Action::kPublishSnapshot, second.key));
  ASL_ASSERT_OK(issue(change({{.key = second.key, .roles = {Role::kAudit}}})));  // other roles
  EXPECT_TRUE(breaks(authority().require(Action::kPublishSnapshot, second.key), "authority-role"));
  ASL_ASSERT_OK(issue(change({}, {key_id_of(second.key)})));  // remove
  EXPECT_TRUE(breaks(authority().require(Action::kPublishSnapshot, second.key), "authority-principal"));
  ASL_ASSERT_OK(
      issue(change({{.key = worker_key(13).public_key(), .roles = RoleSet::all()}}, {first})));  // key
  EXPECT_TRUE(breaks(authority().require(Action::kAttest, worker_key().public_key()), "authority-principal"));
  ASL_EXPECT_OK(authority().require(Action::kAttest, worker_key(13).public_key()));
  const PublicKey new_root = key_of(KeyClass::kDomainRoot, 5).public_key();
  EXPECT_TRUE(breaks(issue(change({}, {}, new_root), {kRoot}), "dam-signed"));
  EXPECT_TRUE(breaks(issue(change({}, {}, new_root), {5}), "dam-signed"));
  ASL_ASSERT_OK(issue(change({}, {}, new_root), {kRoot, 5}));  // root
  EXPECT_TRUE(breaks(issue(change({second}), {kRoot}), "dam-signed"));
  ASL_ASSERT_OK(issue(change({second}), {5}));
  EXPECT_EQ(authority().dam().version, 7U);
  EXPECT_EQ(authority().dam().domain_id, domain_->id());
  // A claim before each, each naming the one before; a tree after each.
  EXPECT_EQ(domain_->state()->current_snapshot()->id, 7U);
  EXPECT_EQ(value_of(domain_->snapshot(7)).parent_id, 6U);
  const AuditReport report = value_of(audit_domain(*domain_));
  EXPECT_TRUE(report.sound());
  EXPECT_EQ(report.bound.at("env-claim"), 7U);
}

}  // namespace
}  // namespace asl::auth
