// Kinds, envelopes, signing by type, envelope files.
#include <gtest/gtest.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/envelope.h>
#include <asl/auth/files.h>
#include <asl/auth/policy.h>
#include <asl/auth/rules.h>
#include <asl/auth/text_rules.h>
#include <asl/engine/reference.h>

#include "auth_support.h"
#include "objects/object_table.h"

namespace asl::auth {
namespace {

using test::key_of;
using test::value_of;

std::string ratification() {
  return encode_canonical(
      to_value(PolicyRatification{.policy_hash = policy_hash(Policy{}),
                                  .domain_id = domain_id_of(key_of(KeyClass::kDomainRoot, 0).public_key())}));
}

TEST(Kinds, NamesTagsAndTypesAreUnique) {
  std::set<std::string_view> names;
  std::set<std::uint32_t> tags;
  for (const KindSpec& spec : kind_table()) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    EXPECT_TRUE(tags.insert(spec.type_tag).second) << spec.name;
    EXPECT_GE(spec.type_tag, kTagAuthorityFirst);
    EXPECT_LE(spec.type_tag, kTagAuthorityLast);
    EXPECT_EQ(find_kind(spec.name), &spec);
    EXPECT_EQ(find_kind(spec.type_tag), &spec);
    EXPECT_EQ(kind_of_payload_type(payload_type(spec.kind)), &spec);
    EXPECT_EQ(&spec_of(spec.kind), &spec);
  }
  EXPECT_EQ(kind_of_payload_type("application/vnd.asl.dam.v1+jso"), nullptr);
  EXPECT_EQ(kind_of_payload_type("application/vnd.asl..v1+json"), nullptr);
  EXPECT_EQ(kind_of_payload_type("application/vnd.asl.v1+json"), nullptr);
}

TEST(Kinds, TheDocumentedTableIsTheCode) {
  const std::string page = test::read_file(ASL_DOC_DIR "/format-kinds.md");
  const std::string script = test::read_file(ASL_DOC_DIR "/check_envelope.py");
  for (const KindSpec& spec : kind_table()) {
    char row[256];
    std::snprintf(row, sizeof row, "| `%s` | 0x%08X | %s | %s | %s |", std::string(spec.name).c_str(),
                  spec.type_tag, std::string(spec.signer ? key_class_name(*spec.signer) : "-").c_str(),
                  std::string(spec.signed_by).c_str(), std::string(spec.held_in).c_str());
    EXPECT_NE(page.find(row), std::string::npos) << "doc/format-kinds.md has no row\n" << row;
    std::snprintf(row, sizeof row, "'%s': 0x%02x", std::string(spec.name).c_str(), spec.type_tag & 0xFFU);
    EXPECT_NE(script.find(row), std::string::npos) << "doc/check_envelope.py has no " << row;
  }
}

TEST(Rules, TheDocumentedTableIsTheCode) {
  const std::string page = test::read_file(ASL_DOC_DIR "/authority-rules.md");
  for (const RuleSpec& rule : rule_table()) {
    const std::string row = "| `" + std::string(rule.name) + "` | " + std::to_string(exit_code(rule.code)) +
                            " | " + std::string(rule.meaning) + " |";
    EXPECT_NE(page.find(row), std::string::npos) << "doc/authority-rules.md has no row\n" << row;
  }
}

// DSSE's own test vector (protocol.md of DSSE v1).
TEST(Envelope, PreAuthenticationEncodingIsThatOfDsse) {
  EXPECT_EQ(pre_authentication_encoding("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  EXPECT_EQ(pre_authentication_encoding("", ""), "DSSEv1 0  0 ");
}

TEST(Envelope, OneSignatureRoundTrips) {
  auto root = key_of(KeyClass::kOfflineRoot, 1);
  const Envelope envelope = value_of(seal_object(Kind::kPolicyRatification, ratification(), root));
  const std::string text = encode_envelope(envelope);
  const Envelope decoded = value_of(decode_envelope(text));
  EXPECT_EQ(decoded.payload, envelope.payload);
  EXPECT_EQ(decoded.signatures, envelope.signatures);
  EXPECT_EQ(encode_envelope(decoded), text);
  const PublicKey known[] = {root.public_key()};
  EXPECT_EQ(value_of(verify_envelope(decoded, known)), std::vector(std::begin(known), std::end(known)));
  EXPECT_EQ(decoded.object_hash(), typed_reference(0x00A5001C, as_bytes(decoded.payload)).digest);
}

TEST(Envelope, UnknownKeysAreIgnoredAndKnownBadOnesAreNot) {
  auto first = key_of(KeyClass::kOfflineRoot, 1);
  auto second = key_of(KeyClass::kOfflineRoot, 2);
  Envelope envelope = value_of(seal_object(Kind::kPolicyRatification, ratification(), first));
  ASL_ASSERT_OK(add_signature(envelope, second));
  auto& of_second = *std::ranges::find(envelope.signatures, second.key_id(), &EnvelopeSignature::key_id);
  of_second.bytes[5] ^= std::byte{1};
  const PublicKey only_first[] = {first.public_key()};
  EXPECT_EQ(value_of(verify_envelope(envelope, only_first)).size(), 1U);
  const PublicKey both[] = {first.public_key(), second.public_key()};
  const auto verified = verify_envelope(envelope, both);
  ASSERT_FALSE(verified.has_value());
  EXPECT_EQ(verified.error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(value_of(verify_envelope(envelope, {})).size(), 0U);
}

TEST(Envelope, AKeySignsOnce) {
  auto root = key_of(KeyClass::kOfflineRoot, 1);
  Envelope envelope = value_of(seal_object(Kind::kPolicyRatification, ratification(), root));
  const auto again = add_signature(envelope, root);
  ASSERT_FALSE(again.has_value());
  EXPECT_NE(again.error().message.find("rule signature-once"), std::string::npos);
  for (std::uint8_t fill = 2; envelope.signatures.size() < kSignaturesMax; ++fill) {
    auto other = key_of(KeyClass::kOfflineRoot, fill);
    ASL_ASSERT_OK(add_signature(envelope, other));
  }
  auto one_more = key_of(KeyClass::kOfflineRoot, 99);
  EXPECT_FALSE(add_signature(envelope, one_more).has_value());
  EXPECT_TRUE(decode_envelope(encode_envelope(envelope)).has_value());
}

TEST(Signing, AKeySignsOnlyTheKindsOfItsClass) {
  for (const KindSpec& spec : kind_table())
    for (const KeyClass key_class : {KeyClass::kOfflineRoot, KeyClass::kDomainRoot, KeyClass::kOperational}) {
      if (may_sign(key_class, spec)) continue;
      auto key = key_of(key_class, 7);
      const std::string payload = spec.names_itself ? "{\"kind\":\"" + std::string(spec.name) + "\",\"v\":1}"
                                                    : std::string("{\"request_type\":\"rescue\"}");
      const auto refused = sign_object(spec.kind, payload, key);
      ASSERT_FALSE(refused.has_value()) << spec.name;
      EXPECT_EQ(refused.error().code, ErrorCode::kRefused) << spec.name;
      EXPECT_NE(refused.error().message.find("rule signer-class"), std::string::npos) << spec.name;
    }
}

// Which class signs what, written down a second time.
TEST(Signing, TheClassesAreWrittenDownTwice) {
  const std::map<KeyClass, std::set<std::string_view>> wanted = {
      {KeyClass::kOfflineRoot, {"certificate", "root-set", "policy-ratification"}},
      {KeyClass::kDomainRoot, {"dam", "admission-request", "certificate-request", "bundle", "request"}},
      {KeyClass::kOperational,
       {"admission-decision", "lease", "domain-state", "env-claim", "log-head", "request", "response",
        "refusal", "receipt", "statement", "snapshot-publish", "session-record"}}};
  for (const auto& [key_class, names] : wanted)
    for (const KindSpec& spec : kind_table())
      EXPECT_EQ(may_sign(key_class, spec), names.contains(spec.name))
          << key_class_name(key_class) << " " << spec.name;
}

TEST(Signing, ARequestsTypeDecidesWhoseItIs) {
  auto domain_root = key_of(KeyClass::kDomainRoot, 1);
  auto worker = key_of(KeyClass::kOperational, 2);
  const auto refused = [](const auto& result) {
    return !result && result.error().message.find("rule signer-class") != std::string::npos;
  };
  EXPECT_TRUE(refused(sign_object(Kind::kRequest, R"({"request_type":"rescue"})", domain_root)));
  EXPECT_TRUE(refused(sign_object(Kind::kRequest, R"({"request_type":1})", domain_root)));
  EXPECT_TRUE(refused(sign_object(Kind::kRequest, R"({"request_type":"admission"})", worker)));
  EXPECT_FALSE(refused(sign_object(Kind::kRequest, R"({"request_type":"admission"})", domain_root)));
  EXPECT_FALSE(refused(sign_object(Kind::kRequest, R"({"request_type":"rescue"})", worker)));
}

TEST(Signing, NothingIsSignedThatCannotBeRead) {
  auto root = key_of(KeyClass::kOfflineRoot, 1);
  std::string payload = ratification();
  EXPECT_FALSE(sign_object(Kind::kPolicyRatification, payload + " ", root).has_value());
  EXPECT_FALSE(sign_object(Kind::kPolicyRatification, "hello", root).has_value());
  EXPECT_FALSE(sign_object(Kind::kCertificate, payload, root).has_value());
  EXPECT_FALSE(
      sign_object(Kind::kPolicyRatification, R"({"kind":"policy-ratification","v":1})", root).has_value());
  auto worker = key_of(KeyClass::kOperational, 1);
  const auto unknown = sign_object(Kind::kLease, R"({"kind":"lease","v":1})", worker);
  if (!can_check(Kind::kLease)) {
    EXPECT_EQ(unknown.error().code, ErrorCode::kUnsupported);
  }
}

TEST(Envelope, SizeIsThatOfItsKind) {
  const auto sized = [](std::string_view kind, std::size_t size) {
    const std::string payload =
        "{\"kind\":\"" + std::string(kind) + "\",\"text\":\"" + std::string(size, 'x') + "\",\"v\":1}";
    return encode_canonical(Value::Object{
        {"payload", encode_base64(as_bytes(payload))},
        {"payloadType", "application/vnd.asl." + std::string(kind) + ".v1+json"},
        {"signatures",
         Value::Array{Value::Object{{"keyid", std::string(64, '0')}, {"sig", encode_base64(Bytes(64))}}}}});
  };
  EXPECT_TRUE(decode_envelope(sized("dam", 700'000)).has_value());
  EXPECT_FALSE(decode_envelope(sized("dam", 800'000)).has_value());
  EXPECT_FALSE(decode_envelope(sized("dam", 800'000), Kind::kDam).has_value());
  EXPECT_TRUE(decode_envelope(sized("receipt", 800'000)).has_value());
  EXPECT_TRUE(decode_envelope(sized("receipt", 11'000'000)).has_value());
  EXPECT_FALSE(decode_envelope(sized("receipt", 13'000'000)).has_value());
}

TEST(Envelope, EveryFileOfTheRejectCorpusGivesItsError) {
  const PublicKey known[] = {key_of(KeyClass::kOfflineRoot, 0).public_key(),
                             key_of(KeyClass::kOfflineRoot, 1).public_key()};
  test::check_reject_corpus("envelope", [&](const std::string& text) -> Result<void> {
    ASL_ASSIGN(const Envelope envelope, decode_envelope(text));
    ASL_TRY(verify_envelope(envelope, known));
    return {};
  });
}

// The first block of that language in a page that begins as given.
std::string example(const std::string& page, const std::string& begins) {
  const std::string text = test::read_file(std::string(ASL_DOC_DIR) + "/" + page);
  const std::size_t at = text.find("```json\n" + begins);
  if (at == text.npos) return {};
  const std::size_t start = at + 8;
  return text.substr(start, text.find('\n', start) - start);
}

TEST(Envelope, TheExamplesOfTheFormatPagesAreWhatIsWritten) {
  EXPECT_EQ(example("format-canonical-json.md", "{\"domain_id\""), ratification());
  auto root = key_of(KeyClass::kOfflineRoot, 0);
  const Envelope envelope = value_of(seal_object(Kind::kPolicyRatification, ratification(), root));
  EXPECT_EQ(example("format-envelope.md", "{\"payload\":\"ey"), encode_envelope(envelope));
  EXPECT_NE(
      test::read_file(ASL_DOC_DIR "/format-envelope.md").find("`" + to_hex(envelope.object_hash()) + "`"),
      std::string::npos);
}

TEST(EnvelopeFiles, AreReplacedOnlyByASuperset) {
  const test::TempDirectory dir;
  auto first = key_of(KeyClass::kOfflineRoot, 1);
  auto second = key_of(KeyClass::kOfflineRoot, 2);
  const Envelope one = value_of(seal_object(Kind::kPolicyRatification, ratification(), first));
  const Envelope other = value_of(seal_object(Kind::kPolicyRatification, ratification(), second));
  Envelope both = one;
  ASL_ASSERT_OK(add_signature(both, second));
  const std::string path = dir / "r.sig";
  ASL_ASSERT_OK(write_envelope_file(path, one));
  EXPECT_EQ(test::read_file(path), encode_envelope(one));
  EXPECT_FALSE(write_envelope_file(path, other).has_value());
  ASL_ASSERT_OK(write_envelope_file(path, both));
  const auto fewer = write_envelope_file(path, one);
  ASSERT_FALSE(fewer.has_value());
  EXPECT_EQ(fewer.error().code, ErrorCode::kRefused);
  EXPECT_EQ(fewer.error().path, path);
  EXPECT_NE(fewer.error().message.find("(rule signature-superset)"), std::string::npos);
  EXPECT_EQ(test::read_file(path), encode_envelope(both));
  EXPECT_EQ(value_of(read_envelope_file(path)).signatures.size(), 2U);
  // Nothing else is left behind.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

}  // namespace
}  // namespace asl::auth
