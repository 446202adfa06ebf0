#include <fmt/format.h>

#include <asl/engine/log_record.h>

namespace asl {
namespace {

template <typename Record>
Result<void> check_as(ByteSpan payload) {
  ASL_TRY(Record::decode(payload));
  return {};
}

struct TypeRow {
  std::uint32_t type;
  std::string_view name;
  Result<void> (*check)(ByteSpan payload);
};

// The one table of record types (doc/format-log.md).
constexpr TypeRow kTypes[] = {
    {kLogSegmentSeal, "SEGMENT_SEAL", check_as<SegmentSealRecord>},
    {kLogSnapshotAnchor, "SNAPSHOT_ANCHOR", check_as<SnapshotAnchorRecord>},
    {kLogSnapshotForget, "SNAPSHOT_FORGET", check_as<SnapshotForgetRecord>},
    {kLogSnapshotLabel, "SNAPSHOT_LABEL", check_as<SnapshotLabelRecord>},
    {kLogSnapshotHold, "SNAPSHOT_HOLD", check_as<SnapshotHoldRecord>},
    {kLogGenesis, "GENESIS", check_as<GenesisRecord>},
    {kLogTombstone, "TOMBSTONE", check_as<TombstoneRecord>},
    {kLogTombstoneLift, "TOMBSTONE_LIFT", check_as<TombstoneLiftRecord>},
    {kLogPublish, "PUBLISH", check_as<PublishRecord>},
    {kLogUnpublish, "UNPUBLISH", check_as<UnpublishRecord>},
    {kLogArtifactUnpin, "ARTIFACT_UNPIN", check_as<ArtifactUnpinRecord>},
    {kLogAuthorityBind, "AUTHORITY_BIND", check_as<AuthorityBindRecord>},
    {kLogExecution, "EXECUTION", check_as<ExecutionRecord>},
    {kLogRequest, "REQUEST", check_as<RequestRecord>},
    {kLogRefusal, "REFUSAL", check_as<RefusalRecord>},
    {kLogResponse, "RESPONSE", check_as<ResponseRecord>},
    {kLogDomainState, "DOMAIN_STATE", check_as<DomainStateRecord>},
    {kLogDate, "DATE", check_as<DateRecord>},
    {kLogBundle, "BUNDLE", check_as<BundleRecord>},
    {kLogSegmentRetire, "SEGMENT_RETIRE", check_as<SegmentRetireRecord>},
    {kLogCommit, "COMMIT", check_as<CommitRecord>},
};

const TypeRow* row_of(std::uint32_t type) {
  for (const TypeRow& row : kTypes)
    if (row.type == type) return &row;
  return nullptr;
}

}  // namespace

std::string_view log_type_name(std::uint32_t type) {
  const TypeRow* row = row_of(type);
  return row != nullptr ? row->name : "UNKNOWN";
}

bool log_type_known(std::uint32_t type) {
  return row_of(type) != nullptr;
}

Result<void> check_payload(std::uint32_t type, ByteSpan payload) {
  if (payload.size() > kLogPayloadMax)
    return fail(ErrorCode::kIntegrity, fmt::format("log record of {} bytes is too long", payload.size()));
  const TypeRow* row = row_of(type);
  return row != nullptr ? row->check(payload) : Result<void>{};
}

std::string_view tombstone_reason_name(TombstoneReason reason) {
  switch (reason) {
    case TombstoneReason::kNone:
      return "none";
    case TombstoneReason::kLegal:
      return "legal";
    case TombstoneReason::kSecret:
      return "secret";
    case TombstoneReason::kDamaged:
      return "damaged";
    case TombstoneReason::kPolicy:
      return "policy";
  }
  return "unknown";
}

std::string_view domain_standing_name(DomainStanding standing) {
  switch (standing) {
    case DomainStanding::kUnrecognized:
      return "UNRECOGNIZED";
    case DomainStanding::kCourtesy:
      return "COURTESY";
    case DomainStanding::kFull:
      return "FULL";
    case DomainStanding::kSuspended:
      return "SUSPENDED";
    case DomainStanding::kRevoked:
      return "REVOKED";
  }
  return "UNKNOWN";
}

}  // namespace asl
