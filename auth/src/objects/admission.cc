#include <algorithm>

#include <asl/auth/admission.h>
#include <asl/auth/canonical_json.h>

#include "objects/object_reader.h"

namespace asl::auth {
namespace {

constexpr std::string_view kDecisions[] = {"ACCEPTED", "ACCEPTED_LIMITED", "DEFERRED", "REJECTED"};
constexpr std::string_view kStandings[] = {"UNRECOGNIZED", "COURTESY", "FULL", "SUSPENDED", "REVOKED"};
constexpr std::int64_t kSecondsPerDay = 86400;

Value::Array values_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

std::string_view standing_name(DomainStanding standing) {
  return kStandings[static_cast<std::size_t>(standing)];
}

LeaseTerms read_terms(ObjectReader& reader) {
  return {.max_bytes = static_cast<std::uint64_t>(reader.integer("max_bytes", 1, kCanonicalIntegerMax)),
          .days = static_cast<std::uint32_t>(reader.integer("days", 1, kLeaseDaysMax))};
}

}  // namespace

std::string_view decision_name(Decision decision) {
  return kDecisions[static_cast<std::size_t>(decision)];
}

Value to_value(const AdmissionRequest& request) {
  Value::Object fields{{"kind", "admission-request"},
                       {"v", 1},
                       {"request_id", to_hex(request.request_id)},
                       {"audience", to_hex(request.audience)},
                       {"domain_id", to_hex(request.domain_id)},
                       {"dam_chain", values_of(request.dam_chain)},
                       {"certificates", values_of(request.certificates)},
                       {"policy_document", request.policy_document},
                       {"requested_scope", request.requested_scope.to_value()},
                       {"policy_hash", to_hex(request.policy_hash)}};
  if (request.courtesy_lease)
    fields.emplace("courtesy_lease", Value::Object{{"max_bytes", request.courtesy_lease->max_bytes},
                                                   {"days", request.courtesy_lease->days}});
  return fields;
}

Result<AdmissionRequest> admission_request_of(const Value& value) {
  ObjectReader reader(value, "admission-request");
  AdmissionRequest request;
  reader.names_itself("admission-request");
  reader.hex("request_id", request.request_id);
  reader.hex("audience", request.audience);
  reader.hex("domain_id", request.domain_id);
  request.dam_chain = reader.documents("dam_chain", kRequestEnvelopesMax, kCanonicalSizeMax);
  request.certificates = reader.documents("certificates", kRequestEnvelopesMax, kCanonicalSizeMax);
  request.policy_document = reader.document("policy_document", kCanonicalSizeMax);
  request.requested_scope = reader.roles("requested_scope");
  if (reader.has("courtesy_lease")) {
    ObjectReader lease = reader.object("courtesy_lease");
    request.courtesy_lease = read_terms(lease);
    static_cast<void>(lease.finish());
  }
  request.policy_hash = reader.digest("policy_hash");
  ASL_TRY(reader.finish());
  reader.require(!request.dam_chain.empty(), "object-value", "has no manifest");
  reader.require(request.audience != request.domain_id, "object-value", "asks its own domain");
  ASL_TRY(reader.finish());
  return request;
}

Value to_value(const AdmissionDecision& decision) {
  return Value::Object{{"kind", "admission-decision"},
                       {"v", 1},
                       {"request_hash", to_hex(decision.request_hash)},
                       {"domain_id", to_hex(decision.domain_id)},
                       {"dam_hash", to_hex(decision.dam_hash)},
                       {"policy_hash", to_hex(decision.policy_hash)},
                       {"admitted_scope", decision.admitted_scope.to_value()},
                       {"decision", decision_name(decision.decision)},
                       {"reasons", values_of(decision.reasons)},
                       {"decision_epoch", decision.decision_epoch}};
}

Result<AdmissionDecision> admission_decision_of(const Value& value) {
  ObjectReader reader(value, "admission-decision");
  AdmissionDecision decision;
  reader.names_itself("admission-decision");
  decision.request_hash = reader.digest("request_hash");
  reader.hex("domain_id", decision.domain_id);
  decision.dam_hash = reader.digest("dam_hash");
  decision.policy_hash = reader.digest("policy_hash");
  decision.admitted_scope = reader.roles("admitted_scope");
  decision.decision = static_cast<Decision>(reader.choice("decision", kDecisions));
  decision.reasons = reader.codes("reasons", kReasonsMax);
  decision.decision_epoch =
      static_cast<std::uint64_t>(reader.integer("decision_epoch", 1, kCanonicalIntegerMax));
  ASL_TRY(reader.finish());
  const bool admits =
      decision.decision == Decision::kAccepted || decision.decision == Decision::kAcceptedLimited;
  reader.require(decision.decision == Decision::kAccepted || !decision.reasons.empty(), "object-value",
                 "gives no reason");
  reader.require(admits || decision.admitted_scope.empty(), "object-value", "admits nobody, to some scope");
  ASL_TRY(reader.finish());
  return decision;
}

Value to_value(const Lease& lease) {
  return Value::Object{{"kind", "lease"},
                       {"v", 1},
                       {"domain_id", to_hex(lease.domain_id)},
                       {"max_bytes", lease.max_bytes},
                       {"start", lease.start},
                       {"days", lease.days},
                       {"decision_hash", to_hex(lease.decision_hash)}};
}

Result<Lease> lease_of(const Value& value) {
  ObjectReader reader(value, "lease");
  Lease lease;
  reader.names_itself("lease");
  reader.hex("domain_id", lease.domain_id);
  const LeaseTerms terms = read_terms(reader);
  lease.max_bytes = terms.max_bytes;
  lease.days = terms.days;
  lease.start = reader.integer("start", 0, kCanonicalIntegerMax);
  lease.decision_hash = reader.digest("decision_hash");
  ASL_TRY(reader.finish());
  return lease;
}

std::int64_t lease_end(const Lease& lease) {
  return lease.start + std::int64_t{lease.days} * kSecondsPerDay;
}

Value to_value(const DomainStateChange& change) {
  return Value::Object{{"kind", "domain-state"},
                       {"v", 1},
                       {"issuer", to_hex(change.issuer)},
                       {"domain_id", to_hex(change.domain_id)},
                       {"from", standing_name(change.from)},
                       {"to", standing_name(change.to)},
                       {"decision_hash", to_hex(change.decision_hash)},
                       {"epoch", change.epoch},
                       {"reasons", values_of(change.reasons)}};
}

Result<DomainStateChange> domain_state_of(const Value& value) {
  ObjectReader reader(value, "domain-state");
  DomainStateChange change;
  reader.names_itself("domain-state");
  reader.hex("issuer", change.issuer);
  reader.hex("domain_id", change.domain_id);
  change.from = static_cast<DomainStanding>(reader.choice("from", kStandings));
  change.to = static_cast<DomainStanding>(reader.choice("to", kStandings));
  change.decision_hash = reader.digest("decision_hash");
  change.epoch = static_cast<std::uint64_t>(reader.integer("epoch", 1, kCanonicalIntegerMax));
  change.reasons = reader.codes("reasons", kReasonsMax);
  ASL_TRY(reader.finish());
  // What can be told without knowing what the domain was before it was suspended.
  const bool possible = may_follow(change.from, change.to, DomainStanding::kCourtesy) ||
                        may_follow(change.from, change.to, DomainStanding::kFull);
  reader.require(possible, "object-value", "is a change that there is not");
  ASL_TRY(reader.finish());
  return change;
}

bool may_follow(DomainStanding from, DomainStanding to, DomainStanding before_suspension) {
  using enum DomainStanding;
  if (from == kRevoked || from == to) return false;
  if (to == kRevoked) return true;
  if (from == kUnrecognized) return to == kCourtesy || to == kFull;
  if (to == kSuspended) return true;
  if (from == kCourtesy) return to == kFull;
  return from == kSuspended && to == before_suspension;
}

}  // namespace asl::auth
