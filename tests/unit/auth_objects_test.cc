// Policies, manifests and their chains, certificates, root sets; every object against the reject corpus.
#include <gtest/gtest.h>

#include <asl/auth/admission.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/certificate.h>
#include <asl/auth/dam.h>
#include <asl/auth/policy.h>
#include <asl/auth/root_set.h>

#include "auth_support.h"
#include "objects/object_table.h"

namespace asl::auth {
namespace {

using test::key_of;
using test::value_of;

bool breaks(const auto& result, std::string_view rule) {
  return !result && result.error().message.find("(rule " + std::string(rule) + ")") != std::string::npos;
}

Principal worker(std::uint8_t fill, RoleSet roles = RoleSet::all()) {
  return {.key = key_of(KeyClass::kOperational, fill).public_key(), .roles = roles};
}

Envelope sealed(const Dam& dam, std::vector<std::uint8_t> roots) {
  auto first = key_of(KeyClass::kDomainRoot, roots[0]);
  Envelope envelope = value_of(seal_object(Kind::kDam, encode_canonical(to_value(dam)), first));
  for (std::size_t i = 1; i < roots.size(); ++i) {
    auto other = key_of(KeyClass::kDomainRoot, roots[i]);
    value_of(add_signature(envelope, other));
  }
  return envelope;
}

Dam genesis() {
  return first_dam(key_of(KeyClass::kDomainRoot, 0).public_key(), {worker(10), worker(11, {Role::kProduce})},
                   policy_hash(Policy{}));
}

DamChain genesis_chain() {
  return value_of(DamChain::verify({sealed(genesis(), {0})}));
}

TEST(Objects, EveryFileOfTheRejectCorpusGivesItsError) {
  test::check_reject_corpus("objects", [](const std::string& text) -> Result<void> {
    ASL_ASSIGN(const Value value, decode_canonical(text));
    const KindSpec* spec = find_kind(*value.member("kind")->text());
    if (spec == nullptr) return fail(ErrorCode::kMalformed, "no such kind");
    return check_object(spec->kind, value);
  });
}

// tests/fuzz/corpus/object has one good object of nearly every kind.
TEST(Objects, EveryFieldIsReadAndMostAreNeeded) {
  const std::set<std::string> optional = {
      "previous", "scope", "image_sha256", "pel_program_hash", "courtesy_lease", "receipt_hash", "root_hash"};
  std::set<Kind> seen;
  for (const auto& entry : std::filesystem::directory_iterator(ASL_SOURCE_TREE "/tests/fuzz/corpus/object")) {
    const std::string text = test::read_file(entry.path().string());
    const auto value = decode_canonical(text);
    if (!value || value->member("kind") == nullptr) continue;  // what fuzzing added
    const KindSpec* spec = find_kind(*value->member("kind")->text());
    if (spec == nullptr || !check_object(spec->kind, *value)) continue;
    seen.insert(spec->kind);
    for (const auto& [name, field] : *value->object()) {
      Value::Object less = *value->object();
      less.erase(name);
      const auto checked = check_object(spec->kind, less);
      if (optional.contains(name)) {
        EXPECT_TRUE(checked.has_value() || name == "previous") << spec->name << " without " << name;
      } else {
        EXPECT_TRUE(breaks(checked, "object-fields")) << spec->name << " without " << name;
      }
      less.insert_or_assign(name, Value::Array{Value(true)});
      EXPECT_FALSE(check_object(spec->kind, less).has_value()) << spec->name << " with a strange " << name;
    }
  }
  EXPECT_GE(seen.size(), 14U);
}

TEST(Admission, StatesFollowEachOtherAsTheyMay) {
  using enum DomainStanding;
  const DomainStanding all[] = {kUnrecognized, kCourtesy, kFull, kSuspended, kRevoked};
  std::size_t allowed = 0;
  for (const DomainStanding from : all)
    for (const DomainStanding to : all) allowed += may_follow(from, to, kCourtesy) ? 1 : 0;
  // To COURTESY, FULL, REVOKED; to FULL, SUSPENDED, REVOKED; to SUSPENDED, REVOKED; to COURTESY, REVOKED.
  EXPECT_EQ(allowed, 3U + 3U + 2U + 2U);
  EXPECT_FALSE(may_follow(kSuspended, kFull, kCourtesy));
  EXPECT_TRUE(may_follow(kSuspended, kFull, kFull));
  EXPECT_FALSE(may_follow(kRevoked, kFull, kFull));
  EXPECT_FALSE(may_follow(kFull, kCourtesy, kCourtesy));
}

TEST(Policy, HashOfThePublishedVector) {
  const Policy policy;
  EXPECT_EQ(policy_hash_input(policy).size(), 41U);
  EXPECT_EQ(to_hex(policy_hash(policy)), "f22a0e3df9cf6b102c33d1906aeced8fabc5e3918217935146671504add1eab2");
  EXPECT_EQ(policy_file_name(policy),
            "policy-f22a0e3df9cf6b102c33d1906aeced8fabc5e3918217935146671504add1eab2.json");
}

TEST(Policy, RoundTripsAndEveryFieldChangesTheHash) {
  std::vector<Policy> policies(13);
  policies[1].version = 2;
  policies[2].publication.require_signature = false;
  policies[3].publication.allowed_roles = {Role::kPublish, Role::kAudit};
  policies[4].publication.snapshot_required = false;
  policies[5].execution.per_signature_required = false;
  policies[6].execution.allowed_roles = {};
  policies[7].execution.deterministic_only = false;
  policies[8].federation.trusted_domains = {DomainId{},
                                            domain_id_of(key_of(KeyClass::kDomainRoot, 0).public_key())};
  policies[9].retention.gc_unpublished_allowed = true;
  policies[10].retention.min_snapshot_retention = 8;
  policies[11].visibility.internal_hidden = false;
  policies[12].visibility.published_read_only = false;
  std::set<Digest> hashes;
  for (const Policy& policy : policies) {
    const Policy decoded = value_of(decode_policy(encode_policy(policy)));
    EXPECT_EQ(encode_policy(decoded), encode_policy(policy));
    EXPECT_EQ(policy_hash(decoded), policy_hash(policy));
    EXPECT_TRUE(hashes.insert(policy_hash(policy)).second);
  }
}

TEST(Roles, AreSortedByNameInObjectsAndByCodeInHashes) {
  const RoleSet roles = {Role::kProduce, Role::kAudit, Role::kExecute};
  EXPECT_EQ(roles.names(), (std::vector<std::string>{"audit", "execute", "produce"}));
  EXPECT_EQ(roles.list(), (std::vector{Role::kProduce, Role::kExecute, Role::kAudit}));
  EXPECT_TRUE(RoleSet::all().contains_all(roles));
  EXPECT_FALSE(roles.contains_all(RoleSet::all()));
}

TEST(DamChain, GenesisAndTheFiveChanges) {
  DamChain chain = genesis_chain();
  const auto append = [&](const DamChange& change, std::vector<std::uint8_t> roots) {
    const Dam next = value_of(next_dam(chain.latest(), chain.latest_hash(), change));
    value_of(chain.append(sealed(next, std::move(roots))));
  };
  append({.set = {worker(12)}, .remove = {}, .root_key = {}, .policy_hash = {}}, {0});  // add
  EXPECT_EQ(chain.latest().principals.size(), 3U);
  append({.set = {}, .remove = {key_id_of(worker(11).key)}, .root_key = {}, .policy_hash = {}},
         {0});  // remove
  EXPECT_EQ(chain.latest().principals.size(), 2U);
  append({.set = {worker(12, {Role::kAudit})}, .remove = {}, .root_key = {}, .policy_hash = {}},
         {0});  // role
  EXPECT_EQ(chain.latest().principal(key_id_of(worker(12).key))->roles, RoleSet{Role::kAudit});
  append({.set = {worker(13)}, .remove = {key_id_of(worker(10).key)}, .root_key = {}, .policy_hash = {}},
         {0});  // key
  const PublicKey new_root = key_of(KeyClass::kDomainRoot, 5).public_key();
  append({.set = {}, .remove = {}, .root_key = new_root, .policy_hash = {}}, {0, 5});  // root
  append({.set = {}, .remove = {}, .root_key = {}, .policy_hash = Digest{}},
         {5});  // policy, by the new root alone
  EXPECT_EQ(chain.latest().version, 7U);
  EXPECT_EQ(chain.latest().domain_id, genesis().domain_id);
  EXPECT_EQ(chain.latest().genesis_key, genesis().root_key);

  const DamChain again = value_of(DamChain::decode(chain.encode()));
  EXPECT_EQ(again.latest_hash(), chain.latest_hash());
  EXPECT_EQ(again.encode(), chain.encode());
}

TEST(DamChain, ARefusedVersionLeavesTheChainAsItWas) {
  DamChain chain = genesis_chain();
  const Digest before = chain.latest_hash();
  const PublicKey new_root = key_of(KeyClass::kDomainRoot, 5).public_key();
  const Dam next = value_of(
      next_dam(chain.latest(), before, {.set = {}, .remove = {}, .root_key = new_root, .policy_hash = {}}));
  EXPECT_TRUE(breaks(chain.append(sealed(next, {0})), "dam-signed"));
  EXPECT_TRUE(breaks(chain.append(sealed(next, {5})), "dam-signed"));
  EXPECT_EQ(chain.latest_hash(), before);
  EXPECT_EQ(chain.dams().size(), 1U);
  EXPECT_EQ(chain.signers_of_next(new_root).size(), 2U);
  EXPECT_EQ(chain.signers_of_next(genesis().root_key).size(), 1U);
}

TEST(DamChain, ImpossibleChangesAreRefusedBeforeAnybodySigns) {
  const DamChain chain = genesis_chain();
  const auto change = [&](const DamChange& wanted) {
    return next_dam(chain.latest(), chain.latest_hash(), wanted);
  };
  EXPECT_EQ(change({.set = {}, .remove = {Digest{}}, .root_key = {}, .policy_hash = {}}).error().code,
            ErrorCode::kNotFound);
  EXPECT_TRUE(breaks(change({.set = {worker(12, {})}, .remove = {}, .root_key = {}, .policy_hash = {}}),
                     "dam-principal"));
  EXPECT_TRUE(breaks(change({.set = {}, .remove = {}, .root_key = worker(10).key, .policy_hash = {}}),
                     "dam-principal"));
}

TEST(DamChain, EveryFileOfTheRejectCorpusGivesItsError) {
  test::check_reject_corpus("dam-chain", [](const std::string& text) { return DamChain::decode(text); });
}

RootSet two_of_three(std::uint8_t a, std::uint8_t b, std::uint8_t c) {
  RootSet set{.version = 1, .keys = {}, .threshold = 2, .previous = {}};
  for (const std::uint8_t fill : {a, b, c})
    set.keys.push_back(key_of(KeyClass::kOfflineRoot, fill).public_key());
  std::ranges::sort(set.keys);
  return set;
}

Envelope by_roots(Kind kind, const Value& value, std::vector<std::uint8_t> roots) {
  auto first = key_of(KeyClass::kOfflineRoot, roots[0]);
  Envelope envelope = value_of(seal_object(kind, encode_canonical(value), first));
  for (std::size_t i = 1; i < roots.size(); ++i) {
    auto other = key_of(KeyClass::kOfflineRoot, roots[i]);
    value_of(add_signature(envelope, other));
  }
  return envelope;
}

TEST(RootSets, RotateByBothThresholds) {
  RootSetChain chain;
  const RootSet first = two_of_three(20, 21, 22);
  EXPECT_TRUE(breaks(chain.append(by_roots(Kind::kRootSet, to_value(first), {20})), "root-set-signed"));
  EXPECT_TRUE(breaks(chain.append(by_roots(Kind::kRootSet, to_value(first), {20, 30})), "root-set-signed"));
  ASL_ASSERT_OK(chain.append(by_roots(Kind::kRootSet, to_value(first), {20, 22})));
  RootSet second = two_of_three(22, 23, 24);
  second.version = 2;
  second.previous = chain.latest_hash();
  EXPECT_TRUE(breaks(chain.append(by_roots(Kind::kRootSet, to_value(second), {22, 23})), "root-set-signed"));
  EXPECT_TRUE(breaks(chain.append(by_roots(Kind::kRootSet, to_value(second), {20, 21})), "root-set-signed"));
  // A key of both sets counts for both.
  ASL_ASSERT_OK(chain.append(by_roots(Kind::kRootSet, to_value(second), {20, 22, 23})));
  RootSet skipped = second;
  skipped.version = 4;
  EXPECT_TRUE(breaks(chain.append(by_roots(Kind::kRootSet, to_value(skipped), {22, 23})), "root-set-link"));
  const RootSetChain again = value_of(RootSetChain::decode(chain.encode()));
  EXPECT_EQ(again.latest_hash(), chain.latest_hash());
}

TEST(RootSets, EveryFileOfTheRejectCorpusGivesItsError) {
  test::check_reject_corpus("root-set-chain",
                            [](const std::string& text) { return RootSetChain::decode(text); });
}

class Certificates : public ::testing::Test {
 protected:
  void SetUp() override {
    value_of(roots_.append(by_roots(Kind::kRootSet, to_value(two_of_three(20, 21, 22)), {20, 21})));
  }
  DamChain domain_ = genesis_chain();
  RootSetChain roots_;
};

TEST_F(Certificates, FromRequestToThreshold) {
  const CertificateSubject asked = domain_root_subject(domain_.latest(), 1);
  auto root = key_of(KeyClass::kDomainRoot, 0);
  const Envelope request = value_of(
      seal_object(Kind::kCertificateRequest, encode_canonical(certificate_request_value(asked)), root));
  EXPECT_EQ(value_of(verify_certificate_request(request, domain_)), asked);
  const Certificate certificate{.subject = asked, .issued_by = roots_.latest_hash()};
  EXPECT_TRUE(breaks(verify_certificate(by_roots(Kind::kCertificate, to_value(certificate), {20}), roots_),
                     "threshold-reached"));
  EXPECT_TRUE(
      breaks(verify_certificate(by_roots(Kind::kCertificate, to_value(certificate), {20, 30}), roots_),
             "threshold-reached"));
  EXPECT_EQ(
      value_of(verify_certificate(by_roots(Kind::kCertificate, to_value(certificate), {20, 22}), roots_))
          .subject,
      asked);
  const Certificate foreign{.subject = asked, .issued_by = Digest{}};
  EXPECT_TRUE(breaks(verify_certificate(by_roots(Kind::kCertificate, to_value(foreign), {20, 22}), roots_),
                     "certificate-issuer"));
}

TEST_F(Certificates, ARequestAsksForWhatTheManifestSays) {
  auto root = key_of(KeyClass::kDomainRoot, 0);
  auto stranger = key_of(KeyClass::kDomainRoot, 9);
  const auto request = [&](const CertificateSubject& subject, SigningKey& key) {
    return value_of(
        seal_object(Kind::kCertificateRequest, encode_canonical(certificate_request_value(subject)), key));
  };
  const CertificateSubject principal =
      value_of(principal_subject(domain_.latest(), key_id_of(worker(11).key), 3));
  EXPECT_EQ(value_of(verify_certificate_request(request(principal, root), domain_)), principal);
  EXPECT_TRUE(
      breaks(verify_certificate_request(request(principal, stranger), domain_), "certificate-possession"));
  CertificateSubject more = principal;
  more.roles = RoleSet::all();
  EXPECT_TRUE(breaks(verify_certificate_request(request(more, root), domain_), "certificate-match"));
  CertificateSubject elsewhere = domain_root_subject(domain_.latest(), 1);
  elsewhere.policy_hash = Digest{};
  EXPECT_TRUE(breaks(verify_certificate_request(request(elsewhere, root), domain_), "certificate-match"));
  EXPECT_EQ(principal_subject(domain_.latest(), Digest{}, 1).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace asl::auth
