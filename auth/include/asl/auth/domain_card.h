// Domain cards: what somebody needs to send a domain requests and to check its answers
// (doc/format-domain-card.md).
#pragma once

#include <string>
#include <string_view>

#include <asl/auth/canonical_json.h>
#include <asl/auth/dam.h>
#include <asl/auth/envelope.h>
#include <asl/auth/log_head.h>
#include <asl/auth/policy.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kDomainCardMax = kCanonicalSizeMaxLists;  // bytes: a chain, base64

struct DomainCard {
  DamChain chain;
  Policy policy;
  Envelope head_envelope;
  LogHead head;
};
// From what was verified; the card is checked like a stranger's before it is returned.
Result<std::string> encode_domain_card(const DamChain& chain, const Policy& policy, const Envelope& log_head);
// Verifies the chain, the policy's hash, and the log head's signature by a principal with the role execute
// (rule card-whole). Whether it is the right domain, only its words can tell.
Result<DomainCard> decode_domain_card(std::string_view text);

}  // namespace asl::auth
