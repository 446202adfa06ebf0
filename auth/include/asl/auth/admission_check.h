// Judging another domain's request to be admitted, and changing what it is to this one
// (doc/admission.md).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/admission.h>
#include <asl/auth/authority.h>
#include <asl/auth/authority_session.h>
#include <asl/auth/dam.h>
#include <asl/auth/domain_card.h>
#include <asl/auth/envelope.h>
#include <asl/auth/root_set.h>
#include <asl/engine/error.h>

namespace asl::auth {

// What a domain asks for: its whole chain, its certificates, its policy.
struct AdmissionPlea {
  DomainId audience{};
  RoleSet scope;
  std::optional<LeaseTerms> lease;
  Uuid request_id{};
};
Result<Envelope> make_admission_request(const Authority& applicant, const AdmissionPlea& plea,
                                        SigningKey& root);

// What became of a request, after the checks in their order: the first that fails decides.
struct Judgement {
  Envelope envelope;
  AdmissionRequest request;
  AdmissionDecision decision;     // not signed yet; its epoch is the host's next
  std::optional<DamChain> chain;  // of the applicant, if it verified
  std::string why;                // the failed check in words; empty for ACCEPTED
};
// kMalformed for a request that cannot be read (nothing is decided about such); kRefused (rule
// admission-replay) for one that was decided before.
Result<Judgement> judge_admission(const Authority& authority, std::string_view text);

struct AdmissionOutcome {
  Envelope decision;
  std::optional<Envelope> lease;
  std::optional<Envelope> state;
};
// Signs the decision, and where it admits a lease and the new state, and binds all of it. `start`: the last
// confirmed date.
Result<AdmissionOutcome> decide_admission(AuthoritySession& session, const Judgement& judgement,
                                          std::int64_t start, Signer& signer);

// Suspends, resumes or revokes a domain: signs and binds the change. kRefused (rule admission-state) for one
// that there is not.
enum class StateChange : std::uint8_t { kSuspend, kResume, kRevoke };
Result<Envelope> change_domain_state(AuthoritySession& session, const DomainId& id, StateChange change,
                                     const std::vector<std::string>& reasons, Signer& signer);

// What a card's domain is trusted by: its certificates' root set is not in a card, so the key id of its
// genesis key. Its words are those of that key id.
TrustPin pin_of_card(const DomainCard& card);

}  // namespace asl::auth
