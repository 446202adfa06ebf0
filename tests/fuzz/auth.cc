// What is signed, and what comes with it: canonical JSON, YAML, envelopes, objects, keys, age files.
#include <algorithm>
#include <string>

#include <asl/auth/admission.h>
#include <asl/auth/age.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/certificate.h>
#include <asl/auth/dam.h>
#include <asl/auth/domain_card.h>
#include <asl/auth/env_claim.h>
#include <asl/auth/envelope.h>
#include <asl/auth/explain.h>
#include <asl/auth/key_file.h>
#include <asl/auth/log_head.h>
#include <asl/auth/policy.h>
#include <asl/auth/public_key.h>
#include <asl/auth/root_set.h>
#include <asl/auth/session_record.h>
#include <asl/auth/statement.h>
#include <asl/auth/stored_signature.h>
#include <asl/auth/strict_yaml.h>
#include <asl/auth/trust_pin.h>
#include <asl/auth/words.h>

#include "age/armor.h"
#include "age/bech32.h"
#include "age/header.h"
#include "bundle/layout.h"
#include "fuzz.h"
#include "sops/sops_file.h"

namespace asl::fuzz {
namespace {

using namespace asl::auth;

bool same(const YamlNode& a, const YamlNode& b) {
  return a.kind == b.kind && a.scalar == b.scalar && a.plain == b.plain &&
         std::ranges::equal(a.items, b.items, same) &&
         std::ranges::equal(a.fields, b.fields, [](const auto& x, const auto& y) {
           return x.first == y.first && same(x.second, y.second);
         });
}

// An object that its reader accepts is written back as the same bytes.
template <typename Read, typename Write>
void check_round_trip(const Value& value, std::string_view text, Read&& read, Write&& write) {
  const auto object = read(value);
  if (object) require(encode_canonical(write(*object)) == text, "an object is written as it was read");
}

ByteSource source_of(std::string_view text, std::size_t step) {
  return [text, step](MutableByteSpan into) mutable -> Result<std::size_t> {
    const std::size_t take = std::min({into.size(), text.size(), step});
    std::ranges::copy(as_bytes(text.substr(0, take)), into.begin());
    text.remove_prefix(take);
    return take;
  };
}

Result<std::string> read_all(const ByteSource& source) {
  std::string text;
  std::array<std::byte, 100> buffer;
  while (true) {
    ASL_ASSIGN(const std::size_t got, source(buffer));
    if (got == 0) return text;
    text += as_text(ByteSpan(buffer).first(got));
  }
}

}  // namespace

void fuzz_canonical_json(ByteSpan input) {
  const std::string_view text = as_text(input);
  const auto value = decode_canonical(text);
  if (!value) {
    require(value.error().code == ErrorCode::kMalformed, "what is not canonical is malformed");
    return;
  }
  require(encode_canonical(*value) == text, "what is accepted is the one encoding");
  require(decode_canonical(text, {.keys = KeyRule::kEnvelope}).has_value(), "an envelope may have any key");
  for (const auto& [path, leaf] : flat_fields(*value)) require(!path.empty(), "every leaf has a path");
}

void fuzz_strict_yaml(ByteSpan input) {
  const std::string_view text = as_text(input);
  const auto strict = parse_strict_yaml(text);
  const auto lenient = parse_strict_yaml(text, {.comments = true});
  if (!strict) return;
  require(lenient.has_value() && same(*strict, *lenient), "allowing comments changes nothing else");
  require(strict->kind == YamlNode::Kind::kMap, "the outermost value is a map");
}

void fuzz_envelope(ByteSpan input) {
  const std::string_view text = as_text(input);
  const auto envelope = decode_envelope(text);
  if (!envelope) return;
  require(encode_envelope(*envelope) == text, "an envelope is written as it was read");
  require(must(verify_envelope(*envelope, {}), "without known keys nothing fails").empty(), "nor verifies");
  must(check_superset(*envelope, *envelope), "an envelope may replace itself");
  must(explain_envelope(*envelope), "what is read can be explained");
}

void fuzz_object(ByteSpan input) {
  const std::string_view text = as_text(input);
  const auto value = decode_canonical(text);
  if (!value) return;
  const auto write = [](const auto& object) { return to_value(object); };
  check_round_trip(*value, text, dam_of, write);
  check_round_trip(*value, text, policy_of, write);
  check_round_trip(*value, text, certificate_of, write);
  check_round_trip(*value, text, root_set_of, write);
  check_round_trip(*value, text, ratification_of, write);
  check_round_trip(*value, text, certificate_request_of, certificate_request_value);
  check_round_trip(*value, text, log_head_of, write);
  check_round_trip(*value, text, env_claim_of, write);
  check_round_trip(*value, text, statement_of, write);
  check_round_trip(*value, text, snapshot_publish_of, write);
  check_round_trip(*value, text, stored_signature_of, write);
  check_round_trip(*value, text, trust_pin_of, write);
  check_round_trip(*value, text, session_record_of, write);
  check_round_trip(*value, text, admission_request_of, write);
  check_round_trip(*value, text, admission_decision_of, write);
  check_round_trip(*value, text, lease_of, write);
  check_round_trip(*value, text, domain_state_of, write);
}

void fuzz_chain(ByteSpan input) {
  const std::string_view text = as_text(input);
  if (const auto chain = DamChain::decode(text))
    require(chain->encode() == text, "a chain is written as it was read");
  if (const auto roots = RootSetChain::decode(text))
    require(roots->encode() == text, "a root set chain is written as it was read");
}

void fuzz_domain_card(ByteSpan input) {
  const std::string_view text = as_text(input);
  if (const auto card = decode_domain_card(text))
    require(must(encode_domain_card(card->chain, card->policy, card->head_envelope),
                 "a card can be written") == text,
            "a card is written as it was read");
}

void fuzz_key_text(ByteSpan input) {
  const std::string_view text = as_text(input);
  if (const auto file = decode_public_key_file(text))
    require(encode_public_key_file(*file) == text, "a public key file is written as it was read");
  if (const auto recipient = parse_age_recipient(text))
    require(to_text(*recipient) == text, "a recipient has one spelling");
  if (const auto identity = AgeIdentity::parse(text))
    require(as_text(identity->text().span()) == text, "an identity has one spelling");
  // Opening one would take a second each; its facts are read without.
  static_cast<void>(inspect_key_file(text));
  static_cast<void>(check_fingerprint(text, Digest{}));
}

void fuzz_age_header(ByteSpan input) {
  const std::string_view text = as_text(input);
  const auto header = decode_age_header(text);
  if (!header) {
    require(header.error().code == ErrorCode::kMalformed, "what is no header is malformed");
    return;
  }
  require(text.starts_with(header->authenticated), "the MAC is over the beginning");
  const std::string again = encode_age_header(header->stanzas, SecretBytes(kAgeFileKeySize));
  require(again.starts_with(header->authenticated + " "), "stanzas are written as they were read");
}

void fuzz_age_armor(ByteSpan input) {
  const auto decoded = read_all(armor_decoder(source_of(as_text(input), 4096)));
  const auto by_bytes = read_all(armor_decoder(source_of(as_text(input), 1)));
  require_same(decoded, by_bytes, "how much is read at a time does not matter");
  if (!decoded) return;
  std::string again;
  ArmorEncoder encoder([&again](ByteSpan bytes) -> Result<void> {
    again += as_text(bytes);
    return {};
  });
  must(encoder.write(as_bytes(*decoded)), "armor can be written");
  must(encoder.finish(), "armor can be ended");
  require(must(read_all(armor_decoder(source_of(again, 7))), "our armor is armor") == *decoded,
          "armor comes back as it was");
}

void fuzz_sops(ByteSpan input) {
  const std::string_view text = as_text(input);
  if (const auto value = parse_enc_value(text))
    require(to_text(*value) == text, "a sealed value has one spelling");
  if (const auto id = uuid_of_text(text)) require(uuid_text(*id) == text, "a bundle id has one spelling");
  const auto lenient = parse_sops(text, {});
  const auto strict = parse_sops(text, {.encrypted_regex = kBundleRegex});
  require(!strict || lenient.has_value(), "a bundle's metadata are any SOPS file's");
  if (!strict) return;
  require(!strict->seals.empty() && strict->seals.size() <= kSopsRecipientsMax, "it is for somebody");
  require(is_sops_time(strict->last_modified), "it was modified at some time");
  // Nobody's key opens it, and that is said before anything else of its secrets.
  const auto opened = decrypt_sops(*strict, {}, is_bundle_secret);
  require(!opened && opened.error().code == ErrorCode::kRefused, "without an identity nothing opens");
  static_cast<void>(value_of_yaml(strict->tree, bundle_schema()));
}

}  // namespace asl::fuzz
