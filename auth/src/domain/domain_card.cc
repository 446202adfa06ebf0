#include <asl/auth/canonical_json.h>
#include <asl/auth/domain_card.h>
#include <asl/auth/rules.h>

#include "objects/object_reader.h"

namespace asl::auth {
namespace {

Result<LogHead> check_head(const Envelope& envelope, const Dam& dam) {
  ASL_ASSIGN(const Value value, decode_canonical(envelope.payload));
  ASL_ASSIGN(const LogHead head, log_head_of(value));
  std::vector<PublicKey> keys;
  for (const Principal& principal : dam.principals)
    if (principal.roles.contains(Role::kExecute)) keys.push_back(principal.key);
  ASL_ASSIGN(const auto signers, verify_envelope(envelope, keys));
  if (signers.empty() || head.domain_id != dam.domain_id)
    return broken_rule("card-whole", "the log head is not the domain's, or signed by nobody who may");
  return head;
}

}  // namespace

Result<DomainCard> decode_domain_card(std::string_view text) {
  ASL_ASSIGN(const Value value, decode_canonical(text, {.size_max = kDomainCardMax}));
  ObjectReader reader(value, "domain-card");
  std::string lines;
  for (const std::string& envelope : reader.documents("dam_chain", kDamVersionsMax, kCanonicalSizeMax))
    lines += envelope + "\n";
  const std::string policy_text = reader.document("policy_document", kCanonicalSizeMax);
  const std::string head_text = reader.document("log_head", kCanonicalSizeMax);
  ASL_TRY(reader.finish());
  ASL_ASSIGN(DamChain chain, DamChain::decode(lines));
  ASL_ASSIGN(Policy policy, decode_policy(policy_text));
  if (policy_hash(policy) != chain.latest().policy_hash)
    return broken_rule("card-whole", "its policy is not the one that its manifest names",
                       to_hex(policy_hash(policy)));
  ASL_ASSIGN(Envelope envelope, decode_envelope(head_text, Kind::kLogHead));
  ASL_ASSIGN(const LogHead head, check_head(envelope, chain.latest()));
  return DomainCard{.chain = std::move(chain),
                    .policy = std::move(policy),
                    .head_envelope = std::move(envelope),
                    .head = head};
}

Result<std::string> encode_domain_card(const DamChain& chain, const Policy& policy,
                                       const Envelope& log_head) {
  Value::Array envelopes;
  for (const Envelope& envelope : chain.envelopes()) envelopes.emplace_back(encode_envelope(envelope));
  std::string text = encode_canonical(Value::Object{{"dam_chain", std::move(envelopes)},
                                                    {"policy_document", encode_policy(policy)},
                                                    {"log_head", encode_envelope(log_head)}});
  ASL_TRY(decode_domain_card(text));
  return text;
}

}  // namespace asl::auth
