#include "objects/object_table.h"

#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/admission.h>
#include <asl/auth/certificate.h>
#include <asl/auth/dam.h>
#include <asl/auth/env_claim.h>
#include <asl/auth/log_head.h>
#include <asl/auth/policy.h>
#include <asl/auth/root_set.h>
#include <asl/auth/session_record.h>
#include <asl/auth/statement.h>
#include <asl/auth/stored_signature.h>
#include <asl/auth/trust_pin.h>

namespace asl::auth {
namespace {

// Keeps the verdict of a reader, drops what it read.
template <auto kReader>
Result<void> check(const Value& object) {
  ASL_TRY(kReader(object));
  return {};
}

struct ReaderRow {
  Kind kind;
  Result<void> (*check)(const Value& object);
};

constexpr ReaderRow kReaders[] = {
    {Kind::kDam, check<dam_of>},
    {Kind::kPolicy, check<policy_of>},
    {Kind::kCertificate, check<certificate_of>},
    {Kind::kCertificateRequest, check<certificate_request_of>},
    {Kind::kRootSet, check<root_set_of>},
    {Kind::kPolicyRatification, check<ratification_of>},
    {Kind::kAdmissionRequest, check<admission_request_of>},
    {Kind::kAdmissionDecision, check<admission_decision_of>},
    {Kind::kLease, check<lease_of>},
    {Kind::kDomainState, check<domain_state_of>},
    {Kind::kEnvClaim, check<env_claim_of>},
    {Kind::kLogHead, check<log_head_of>},
    {Kind::kStatement, check<statement_of>},
    {Kind::kSnapshotPublish, check<snapshot_publish_of>},
    {Kind::kSessionRecord, check<session_record_of>},
    {Kind::kSignature, check<stored_signature_of>},
    {Kind::kTrustPin, check<trust_pin_of>},
};

}  // namespace

bool can_check(Kind kind) {
  return std::ranges::find(kReaders, kind, &ReaderRow::kind) != std::end(kReaders);
}

Result<void> check_object(Kind kind, const Value& object) {
  const auto row = std::ranges::find(kReaders, kind, &ReaderRow::kind);
  if (row == std::end(kReaders))
    return fail(ErrorCode::kUnsupported,
                fmt::format("this version cannot read a {}, and so does not sign one", spec_of(kind).name));
  return row->check(object);
}

}  // namespace asl::auth
