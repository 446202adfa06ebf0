// The objects of admission: how one domain asks another to take its data, and what that one answers
// (doc/format-admission.md). What is checked, and in which order, is in admission_check.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <asl/auth/roles.h>
#include <asl/auth/value.h>
#include <asl/engine/bytes.h>
#include <asl/engine/domain_id.h>
#include <asl/engine/error.h>
#include <asl/engine/log_record.h>

namespace asl::auth {

inline constexpr std::size_t kRequestEnvelopesMax = 4096;  // of a chain, and of certificates
inline constexpr std::size_t kReasonsMax = 32;
inline constexpr std::uint32_t kLeaseDaysMax = 3660;  // ten years

struct LeaseTerms {
  std::uint64_t max_bytes = 0;  // 1 or more
  std::uint32_t days = 0;       // 1 to kLeaseDaysMax
  bool operator==(const LeaseTerms&) const = default;
};

struct AdmissionRequest {
  Uuid request_id{};
  DomainId audience{};                    // the domain that is asked
  DomainId domain_id{};                   // the domain that asks
  std::vector<std::string> dam_chain;     // envelopes, version 1 first
  std::vector<std::string> certificates;  // envelopes: root sets in order, then certificates
  std::string policy_document;            // canonical JSON
  RoleSet requested_scope;
  std::optional<LeaseTerms> courtesy_lease;
  Digest policy_hash{};
  bool operator==(const AdmissionRequest&) const = default;
};
Value to_value(const AdmissionRequest& request);
Result<AdmissionRequest> admission_request_of(const Value& value);

enum class Decision : std::uint8_t { kAccepted, kAcceptedLimited, kDeferred, kRejected };
std::string_view decision_name(Decision decision);

struct AdmissionDecision {
  Digest request_hash{};
  DomainId domain_id{};
  Digest dam_hash{};  // the newest manifest of the request; zeros where none could be read
  Digest policy_hash{};
  RoleSet admitted_scope;
  Decision decision = Decision::kRejected;
  std::vector<std::string> reasons;  // codes, sorted; none for ACCEPTED
  std::uint64_t decision_epoch = 0;  // counts this host's decisions, from 1
  bool operator==(const AdmissionDecision&) const = default;
};
Value to_value(const AdmissionDecision& decision);
Result<AdmissionDecision> admission_decision_of(const Value& value);

struct Lease {
  DomainId domain_id{};
  std::uint64_t max_bytes = 0;
  std::int64_t start = 0;  // unix seconds, as the operator confirmed the date
  std::uint32_t days = 0;
  Digest decision_hash{};
  bool operator==(const Lease&) const = default;
};
Value to_value(const Lease& lease);
Result<Lease> lease_of(const Value& value);
// The first second at which it no longer holds.
std::int64_t lease_end(const Lease& lease);

struct DomainStateChange {
  DomainId issuer{};
  DomainId domain_id{};
  DomainStanding from = DomainStanding::kUnrecognized;
  DomainStanding to = DomainStanding::kUnrecognized;
  Digest decision_hash{};   // the decision that admitted the domain
  std::uint64_t epoch = 0;  // counts the changes of this domain's state, from 1
  std::vector<std::string> reasons;
  bool operator==(const DomainStateChange&) const = default;
};
Value to_value(const DomainStateChange& change);
Result<DomainStateChange> domain_state_of(const Value& value);
// UNRECOGNIZED to COURTESY or FULL; COURTESY to FULL; either to SUSPENDED, and back to what it was before;
// any to REVOKED, which is final. `before_suspension` is what a suspended domain was.
bool may_follow(DomainStanding from, DomainStanding to, DomainStanding before_suspension);

}  // namespace asl::auth
