// SOPS files and bundles: the public vectors, every rule of bundles, what strangers can do to a file.
#include <gtest/gtest.h>
#include <map>

#include <asl/auth/admission_check.h>
#include <asl/auth/bundle.h>
#include <asl/auth/text_rules.h>

#include "auth_domain_fixture.h"
#include "bundle/layout.h"
#include "sops/sops_file.h"

namespace asl::auth {
namespace {

SecretBytes secret_of(std::string_view text) {
  SecretBytes secret(text.size());
  std::ranges::copy(as_bytes(text), secret.data());
  return secret;
}

AgeIdentity identity_of(std::uint8_t fill) {
  SecretBytes scalar(32);
  std::ranges::fill(scalar.span(), std::byte{fill});
  return AgeIdentity(std::move(scalar));
}

std::vector<std::string> leaves(const SecretTree& tree) {
  std::vector<std::string> all;
  if (tree.kind == SecretTree::Kind::kText) all.emplace_back(tree.text);
  for (const auto& item : tree.items) std::ranges::copy(leaves(item), std::back_inserter(all));
  for (const auto& [name, below] : tree.fields) std::ranges::copy(leaves(below), std::back_inserter(all));
  return all;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  if (at == text.npos) throw std::runtime_error("not in the text: " + what);
  return text.replace(at, what.size(), with);
}

bool is_text_sealed(std::span<const std::string> path) {
  return path.size() >= 2 && path[1] == "contents";
}

// ---- The codec.

TEST(SopsVectors, OpensWhatStockSopsWrote) {
  const auto folder = test::vectors("sops/stock");
  if (!folder) GTEST_SKIP() << "public vectors are not here (ASL_VECTORS)";
  const auto identities = value_of(parse_identities(secret_of(test::read_file(*folder + "/identity.txt"))));
  for (const std::string name : {"3.9.0", "3.10.2", "3.13.3"}) {
    for (const std::string kind : {"yaml", "json"}) {
      const std::string text = test::read_file(*folder + "/sops-" + name + "." + kind);
      const SopsFile file = value_of(parse_sops(text, {.encrypted_regex = kBundleRegex}));
      const SopsPlaintext plain = value_of(decrypt_sops(file, identities, is_text_sealed));
      const auto& tree = *plain.tree.field("asl_sops_bundle")->field("contents");
      EXPECT_EQ(tree.text_at("policy.count"), "7");
      EXPECT_EQ(tree.field("policy")->field("count")->type, SopsType::kInteger);
      EXPECT_EQ(tree.text_at("policy.required"), "True");
      EXPECT_EQ(tree.text_at("optional.notes"), "line one\nline two: ünïcode");
      EXPECT_EQ(leaves(*tree.field("optional")->field("artifacts")),
                (std::vector<std::string>{"first", "second"}));
      // A bundle it is not.
      const auto bundle = open_bundle(text, identities, {});
      EXPECT_TRUE(breaks(bundle, "bundle-layout")) << name << kind;
    }
  }
}

TEST(SopsVectors, OpensWhatAnotherImplementationWrote) {
  const auto folder = test::vectors("sops");
  if (!folder) GTEST_SKIP() << "public vectors are not here (ASL_VECTORS)";
  const auto identities = value_of(parse_identities(
      secret_of("AGE-SECRET-KEY-1EQUCGFZH8UZKSZ0Z5N5T234YRNDT4U9H7QNYXWRRNJYDDVXE6FWSCPGNJ7\n")));
  const std::map<std::string, SopsSelection> files = {
      {"age_encrypted_regex",
       [](auto path) {
         return std::ranges::any_of(path, [](const auto& k) { return k.starts_with("encrypted"); });
       }},
      {"age_unencrypted_suffix",
       [](auto path) {
         return std::ranges::none_of(path, [](const auto& k) { return k.ends_with("_unencrypted"); });
       }},
      {"age_example", [](auto) { return true; }}};
  for (const auto& [name, selected] : files) {
    const std::string text = test::read_file(*folder + "/" + name + ".yaml");
    const SopsFile file = value_of(parse_sops(text, {}));
    const SopsPlaintext plain = value_of(decrypt_sops(file, identities, selected));
    const YamlNode expected =
        value_of(parse_strict_yaml(test::read_file(*folder + "/" + name + "_plaintext.yaml")));
    std::vector<std::string> wanted;
    const std::function<void(const YamlNode&)> collect = [&](const YamlNode& node) {
      if (node.kind == YamlNode::Kind::kScalar)
        wanted.push_back(node.plain && node.scalar == "true"    ? "True"
                         : node.plain && node.scalar == "false" ? "False"
                                                                : node.scalar);
      for (const auto& item : node.items) collect(item);
      for (const auto& [key, below] : node.fields) collect(below);
    };
    collect(expected);
    EXPECT_EQ(leaves(plain.tree), wanted) << name;
    // Strictly, it has no version and an unquoted time.
    EXPECT_FALSE(parse_sops(text, {.encrypted_regex = kBundleRegex}).has_value());
  }
}

TEST(SopsValue, HasOneSpelling) {
  const SecretBytes key = random_secret(kSopsKeySize);
  const EncValue value = encrypt_enc_value(as_bytes(std::string_view("text")), SopsType::kText, key, "a:b:");
  const std::string text = to_text(value);
  const EncValue again = value_of(parse_enc_value(text));
  std::string plain(4, 0);
  const auto into = std::as_writable_bytes(std::span(plain));
  ASL_ASSERT_OK(decrypt_enc_value(again, key, "a:b:", into));
  EXPECT_EQ(plain, "text");
  const auto elsewhere = decrypt_enc_value(again, key, "a:c:", into);
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(plain, std::string(4, 0));
  for (const std::string& bad : {text + " ", " " + text, replaced(text, "AES256_GCM", "AES128_GCM"),
                                 replaced(text, "type:str", "type:bytes"), replaced(text, ",iv:", ",iv :"),
                                 replaced(text, "data:", "data:="), std::string("ENC[]"),
                                 std::string("ENC[AES256_GCM,data:,iv:,tag:,type:str]")})
    EXPECT_FALSE(parse_enc_value(bad)) << bad;
}

TEST(SopsTime, IsAMomentThatThereIs) {
  for (const char* good : {"2026-11-21T20:00:00Z", "2024-02-29T23:59:59Z", "0000-01-01T00:00:00Z"})
    EXPECT_TRUE(is_sops_time(good)) << good;
  for (const char* bad :
       {"2026-11-21T20:00:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-11-21T24:00:00Z", "2026-11-21 20:00:00Z", "2026-11-21T20:00:00+00:00", ""})
    EXPECT_FALSE(is_sops_time(bad)) << bad;
}

TEST(BundleId, HasOneText) {
  const std::string text = "7a0c1f6e-6f7b-4a52-9e0e-0f3a9d2c5b11";
  EXPECT_EQ(uuid_text(uuid_of_text(text).value()), text);
  for (const char* bad : {"7A0c1f6e-6f7b-4a52-9e0e-0f3a9d2c5b11", "7a0c1f6e6f7b4a529e0e0f3a9d2c5b11",
                          "7a0c1f6e-6f7b-4a52-9e0e-0f3a9d2c5b1", "7a0c1f6e-6f7b-4a52-9e0e-0f3a9d2c5b1g"})
    EXPECT_FALSE(uuid_of_text(bad)) << bad;
}

// ---- Bundles.

class Bundles : public DomainAuthority {
 protected:
  Bundles() {
    found();
    identities_.push_back(identity_of(1));
  }

  Bundle plan(BundlePurpose purpose = BundlePurpose::kRescue) {
    const Authority now = authority();
    Bundle bundle{.created_at = "2026-11-21T20:00:00Z",
                  .purpose = purpose,
                  .audience = now.genesis().domain_id,
                  .chain = now.chain(),
                  .policy = now.policy(),
                  .key_created_at = "2026-11-21T00:00:00Z"};
    bundle.bundle_id.fill(std::byte{7});
    bundle.recipients = {identity_of(1).recipient(), identity_of(2).recipient()};
    bundle.notes = "for the tests: \"quoted\", ünïcode";
    if (purpose == BundlePurpose::kRecovery) bundle.root_seed = root_key().seed();
    if (purpose == BundlePurpose::kAdmission) {
      bundle.audience.fill(std::byte{9});
      SigningKey root = root_key();
      bundle.admission_request = encode_envelope(value_of(make_admission_request(
          now, {.audience = bundle.audience, .scope = {Role::kProduce}, .lease = LeaseTerms{1000, 7}},
          root)));
    }
    return bundle;
  }
  static SigningKey root_key() { return test::key_of(KeyClass::kDomainRoot, kRoot); }
  std::string seal(Bundle bundle) {
    SigningKey root = root_key();
    return value_of(seal_bundle(bundle, root, bundle.recipients));
  }
  Result<Bundle> open(const std::string& text) { return open_bundle(text, identities_, {}); }

  // What the holder of the data key can do who has no signing key: the same bundle, sealed anew.
  std::string resealed(const std::string& text, const std::function<void(SecretTree&)>& change,
                       std::vector<AgeRecipient> recipients = {}) {
    const SopsFile file = value_of(parse_sops(text, {.encrypted_regex = kBundleRegex}));
    SopsPlaintext plain = value_of(decrypt_sops(file, identities_, is_bundle_secret));
    change(plain.tree.fields.front().second);
    if (recipients.empty())
      for (const SopsSeal& seal : file.seals) recipients.push_back(seal.recipient);
    return value_of(encrypt_sops(plain.tree, {.recipients = recipients,
                                              .last_modified = "2026-11-22T00:00:00Z",
                                              .encrypted_regex = std::string(kBundleRegex),
                                              .selected = is_bundle_secret}));
  }
  static SecretTree& at(SecretTree& tree, std::string_view path) {
    SecretTree* here = &tree;
    while (!path.empty()) {
      const std::string_view name = path.substr(0, path.find('.'));
      path.remove_prefix(std::min(path.size(), name.size() + 1));
      here = const_cast<SecretTree*>(here->field(name));
    }
    return *here;
  }

  std::vector<AgeIdentity> identities_;
};

TEST_F(Bundles, ComeBackAsTheyWere) {
  for (const auto purpose : {BundlePurpose::kAdmission, BundlePurpose::kRescue, BundlePurpose::kRecovery}) {
    Bundle made = plan(purpose);
    SigningKey root = root_key();
    const std::string text = value_of(seal_bundle(made, root, made.recipients));
    const Bundle bundle = value_of(open(text));
    EXPECT_FALSE(bundle.known_here);
    EXPECT_EQ(bundle.contents_hash, made.contents_hash);
    EXPECT_EQ(bundle.notes, made.notes);
    EXPECT_EQ(bundle.admission_request, made.admission_request);
    EXPECT_EQ(bundle.chain.encode(), made.chain.encode());
    EXPECT_EQ(bundle.recipients, made.recipients);
    EXPECT_EQ(bundle.audience, made.audience);
    EXPECT_TRUE(equal_secrets(bundle.root_seed.span(), made.root_seed.span()));
    EXPECT_EQ(text.find(made.notes), text.npos);
    EXPECT_EQ(bundle_file_name(bundle),
              "asl-" + std::string(purpose_name(purpose)) + "-bd09c28bbda4.sops.yaml");
    // Sealed anew to the same recipients it is still the same bundle.
    EXPECT_EQ(value_of(open(resealed(text, [](SecretTree&) {}))).contents_hash, made.contents_hash);
  }
}

TEST_F(Bundles, RefuseWhatTheDataKeyAloneCanChange) {
  const std::string text = seal(plan());
  const auto set = [&](std::string_view path, std::string_view value) {
    return open(resealed(text, [&](SecretTree& bundle) { at(bundle, path).text = value; }));
  };
  EXPECT_TRUE(breaks(set("contents.optional.notes", "other"), "bundle-signed"));
  EXPECT_TRUE(breaks(set("contents.policy.policy_hash", std::string(64, '0')), "bundle-signed"));
  EXPECT_TRUE(breaks(set("purpose", "recovery"), "bundle-layout"));
  EXPECT_TRUE(breaks(set("version", "0.2"), "bundle-layout"));
  EXPECT_TRUE(breaks(set("bundle_id", "7a0c1f6e-6f7b-4a52-9e0e-0f3a9d2c5b11"), "bundle-envelope"));
  EXPECT_TRUE(breaks(set("created_at", "2027-01-01T00:00:00Z"), "bundle-envelope"));
  EXPECT_TRUE(breaks(set("domain_id", std::string(40, '0')), "bundle-domain"));
  EXPECT_TRUE(
      breaks(open(resealed(text, [](SecretTree&) {}, {identity_of(1).recipient()})), "bundle-envelope"));
  EXPECT_TRUE(breaks(
      open(resealed(text, [](SecretTree&) {},
                    {identity_of(1).recipient(), identity_of(2).recipient(), identity_of(3).recipient()})),
      "bundle-envelope"));
  EXPECT_TRUE(breaks(open(resealed(text,
                                   [](SecretTree& bundle) {
                                     at(bundle, "contents.optional.notes").type = SopsType::kInteger;
                                     at(bundle, "contents.optional.notes").text = "7";
                                   })),
                     "bundle-layout"));
}

TEST_F(Bundles, AreSignedByTheDomainsRootKeyAlone) {
  Bundle bundle = plan();
  SigningKey other = test::key_of(KeyClass::kDomainRoot, 5);
  EXPECT_TRUE(breaks(seal_bundle(bundle, other, {}), "bundle-signed"));
  SigningKey worker = worker_key(kRoot);  // the same bytes, another class
  EXPECT_TRUE(breaks(seal_bundle(bundle, worker, {}), "signer-class"));
}

TEST_F(Bundles, GiveTheRootKeyToCustodyOnly) {
  Bundle bundle = plan(BundlePurpose::kRecovery);
  SigningKey root = root_key();
  const std::vector<AgeRecipient> custody = {identity_of(1).recipient()};
  EXPECT_TRUE(breaks(seal_bundle(bundle, root, custody), "bundle-custody"));
  EXPECT_TRUE(breaks(seal_bundle(bundle, root, {}), "bundle-custody"));
  Bundle rescue = plan();
  rescue.root_seed = root.seed();
  EXPECT_TRUE(breaks(seal_bundle(rescue, root, rescue.recipients), "bundle-custody"));
  EXPECT_EQ(value_of(parse_host_policy("{\"custody_recipients\":[\"" + to_text(custody.front()) +
                                       "\"],\"kind\":\"host-policy\",\"v\":1}\n")),
            custody);
  EXPECT_TRUE(
      breaks(parse_host_policy("{\"custody_recipients\":[],\"kind\":\"host-policy\"}"), "object-fields"));
}

TEST_F(Bundles, AreJudgedByWhatTheHostKnows) {
  const std::string text = seal(plan());
  const Authority now = authority();
  EXPECT_TRUE(value_of(open_bundle(text, identities_, bundle_host(now, *domain_))).known_here);
  // A history that the log does not know, signed by the same root.
  Bundle forged = plan();
  SigningKey root = root_key();
  DamChange change{.set = {{worker_key(77).public_key(), RoleSet::all()}},
                   .remove = {},
                   .root_key = {},
                   .policy_hash = {}};
  const Dam next = value_of(next_dam(forged.chain.latest(), forged.chain.latest_hash(), change));
  ASL_ASSERT_OK(
      forged.chain.append(value_of(seal_object(Kind::kDam, encode_canonical(to_value(next)), root))));
  const std::string other = seal(std::move(forged));
  EXPECT_TRUE(open(other).has_value());
  value_of(issue({.set = {},
                  .remove = {},
                  .root_key = test::key_of(KeyClass::kDomainRoot, 3).public_key(),
                  .policy_hash = {}},
                 {kRoot, 3}));
  const Authority later = authority();
  EXPECT_TRUE(breaks(open_bundle(other, identities_, bundle_host(later, *domain_)), "bundle-domain"));
  // The retired root key signs nothing any more that is opened here.
  EXPECT_TRUE(breaks(open_bundle(text, identities_, bundle_host(later, *domain_)), "bundle-signed"));
}

TEST_F(Bundles, AreUsedOnce) {
  const Bundle bundle = value_of(open(seal(plan(BundlePurpose::kRecovery))));
  const SecretBytes phrase = secret_of("pass phrase");
  {
    AuthoritySession open_session = session();
    EXPECT_TRUE(breaks(reinstall_root(open_session, value_of(open(seal(plan()))), phrase, kKdfFloor),
                       "bundle-custody"));
  }
  {
    // The root key of an older manifest.
    Bundle retired = value_of(open(seal(plan(BundlePurpose::kRecovery))));
    retired.root_seed = test::key_of(KeyClass::kDomainRoot, 3).seed();
    AuthoritySession open_session = session();
    EXPECT_TRUE(breaks(reinstall_root(open_session, retired, phrase, kKdfFloor), "bundle-domain"));
  }
  AuthoritySession first = session();
  const std::string path = value_of(reinstall_root(first, bundle, phrase, kKdfFloor));
  EXPECT_EQ(value_of(decrypt_key(value_of(read_key_file(path)), phrase)).public_key(),
            root_key().public_key());
  ASSERT_EQ(domain_->state()->bundles().size(), 1U);
  EXPECT_EQ(domain_->state()->bundles().front().record.object_hash, bundle.contents_hash);
  const Authority now = authority();
  EXPECT_TRUE(
      breaks(open_bundle(seal(plan(BundlePurpose::kRecovery)), identities_, bundle_host(now, *domain_)),
             "bundle-once"));
}

TEST_F(Bundles, SaysWhatIsWrongWithAFile) {
  const std::string text = seal(plan());
  const auto expect = [&](const std::string& changed, ErrorCode code, const std::string& message) {
    const auto result = open(changed);
    ASSERT_FALSE(result) << message;
    EXPECT_EQ(result.error().code, code) << result.error().to_string();
    EXPECT_NE(result.error().to_string().find(message), std::string::npos) << result.error().to_string();
  };
  const auto malformed = ErrorCode::kMalformed;
  const std::string regex = "    encrypted_regex: \"^contents$\"\n";
  expect(replaced(text, regex, regex + "    mac_only_encrypted: true\n"), malformed,
         "sops.mac_only_encrypted");
  expect(replaced(text, regex, regex + "    key_groups: []\n"), malformed, "sops.key_groups");
  expect(replaced(text, regex, "    encrypted_suffix: \"s\"\n"), malformed, "selected by encrypted_suffix");
  expect(replaced(text, regex, "    encrypted_regex: \"contents\"\n"), malformed, "encrypted_regex is not");
  expect(replaced(text, regex, regex + "    pgp:\n        - fp: \"x\"\n"), malformed, "beside its age");
  EXPECT_TRUE(open(replaced(text, regex, regex + "    kms: []\n    pgp: null\n")).has_value());
  const std::string ages = text.substr(text.find("    age:\n"), text.find(regex) - text.find("    age:\n"));
  expect(replaced(text, ages, "    pgp:\n        - fp: \"x\"\n"), ErrorCode::kUnsupported,
         "for keys of sops.pgp only");
  expect(replaced(text, ages, "    age: []\n"), malformed, "no age recipient");
  expect(replaced(text, "2026-11-21T20:00:00Z\"\n    mac", "2026-11-21T20:00:01Z\"\n    mac"),
         ErrorCode::kIntegrity, "SOPS MAC: it, or sops.lastmodified");
  expect(replaced(text, "purpose: \"rescue\"", "purpose: \"recovery\""), ErrorCode::kIntegrity,
         "SOPS MAC: a value");
  expect(replaced(text, "version: \"3.9.0\"", "version: \"3.9\""), malformed, "sops.version");
  expect("# comment\n" + text, malformed, "comment");
  expect("---\n" + text, malformed, "document marker");
  expect("\xEF\xBB\xBF" + text, malformed, "byte order mark");
  expect(replaced(text, "sops:\n", "more: \"x\"\nsops:\n"), malformed, "rule bundle-layout");
  expect("{\"sops\":{},\"sops\":{}}", malformed, "twice");
  expect("{\"sops\":{}} {}", malformed, "not JSON");
  expect(std::string(kSopsFileMax + 1, 'x'), malformed, "larger than");
  identities_.clear();
  identities_.push_back(identity_of(3));
  expect(text, ErrorCode::kRefused, "no identity opens");
}

TEST_F(Bundles, RefuseClearValuesInTheContents) {
  const std::string text = seal(plan());
  const auto from = text.find("notes: ") + 7;
  const std::string sealed = text.substr(from, text.find('\n', from) - from);
  for (const std::string clear : {"\"clear\"", "null", "7"}) {
    const auto result = open(replaced(text, sealed, clear));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kMalformed);
    EXPECT_NE(result.error().message.find("SOPS value asl_sops_bundle.contents.optional.notes"),
              std::string::npos)
        << result.error().message;
  }
}

TEST(Bundle, RejectCorpus) {
  std::vector<AgeIdentity> identities;
  identities.push_back(identity_of(1));
  test::check_reject_corpus("bundle",
                            [&](const std::string& text) { return open_bundle(text, identities, {}); });
}

// Made by tests/bad/auth/make-bundle-corpus, in Python: opened for ever.
TEST(Bundle, OpensWhatWasMadeOnce) {
  std::vector<AgeIdentity> identities;
  identities.push_back(identity_of(2));
  for (const std::string kind : {"yaml", "json"}) {
    const Bundle bundle = value_of(open_bundle(
        test::read_file(ASL_SOURCE_TREE "/tests/compat/auth/recovery.sops." + kind), identities, {}));
    EXPECT_EQ(uuid_text(bundle.bundle_id), "7a0c1f6e-6f7b-4a52-9e0e-0f3a9d2c5b11");
    EXPECT_EQ(to_hex(bundle.domain_id()), "bd09c28bbda440f86d133ad43e75caf7cffd69d4");
    EXPECT_EQ(bundle.notes, "for the tests");
    EXPECT_EQ(SigningKey(KeyClass::kDomainRoot, bundle.root_seed).public_key(),
              test::key_of(KeyClass::kDomainRoot, 0).public_key());
  }
}

// tests/compat/auth/recovery.sops.yaml after the program sops 3.10.2 had it: rotate, rotate -i of the JSON,
// decrypt and encrypt to the same recipients in the other order, as YAML and JSON.
TEST(Bundle, OpensWhatStockSopsWroteAnew) {
  std::vector<AgeIdentity> identities;
  identities.push_back(identity_of(1));
  const std::string folder = ASL_SOURCE_TREE "/tests/compat/auth/";
  const Bundle before = value_of(open_bundle(test::read_file(folder + "recovery.sops.yaml"), identities, {}));
  for (const std::string name : {"rotated.yaml", "rotated.json", "encrypted.yaml", "encrypted.json"}) {
    const Bundle bundle =
        value_of(open_bundle(test::read_file(folder + "stock-sops/" + name), identities, {}));
    EXPECT_EQ(bundle.contents_hash, before.contents_hash) << name;
    EXPECT_EQ(bundle.recipients, before.recipients) << name;
    EXPECT_TRUE(equal_secrets(bundle.root_seed.span(), before.root_seed.span())) << name;
  }
}

// The same bundle after sops set, rotate --add-age, rotate --rm-age, and encrypt without --encrypted-regex.
TEST(Bundle, RefusesWhatStockSopsChanged) {
  std::vector<AgeIdentity> identities;
  identities.push_back(identity_of(1));
  const std::map<std::string, std::string> expected = {{"set.yaml", "(rule bundle-signed)"},
                                                       {"stranger.yaml", "(rule bundle-envelope)"},
                                                       {"fewer.yaml", "(rule bundle-envelope)"},
                                                       {"everything.yaml", "selected by unencrypted_suffix"}};
  for (const auto& [name, message] : expected) {
    const auto result =
        open_bundle(test::read_file(ASL_SOURCE_TREE "/tests/compat/auth/stock-sops/" + name), identities, {});
    ASSERT_FALSE(result) << name;
    EXPECT_NE(result.error().to_string().find(message), std::string::npos) << result.error().to_string();
  }
}

TEST(BundleIdentities, NeverShowALine) {
  const auto bad = parse_identities(secret_of("# mine\nAGE-SECRET-KEY-1SECRET\n"));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().to_string().find("SECRET-KEY-1SECRET"), std::string::npos);
  EXPECT_FALSE(parse_identities(secret_of("# nothing\n")).has_value());
  const auto plugin = parse_identities(secret_of("AGE-PLUGIN-YUBIKEY-1SECRET\n"));
  ASSERT_FALSE(plugin);
  EXPECT_EQ(plugin.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(plugin.error().to_string().find("1SECRET"), std::string::npos);
}

}  // namespace
}  // namespace asl::auth
