// Records of a domain's log: their types, payloads and what they say in words (doc/format-log.md).
//
// Every payload struct has `kType`, `encode()` and `decode()`. decode accepts exactly what encode gives and
// fails with kIntegrity otherwise (wrong size, a zero field that is not zero, a value outside its list); the
// caller adds path and offset. encode trusts its fields; what is about to be appended is checked by
// LogWriter.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/host_root.h>
#include <asl/engine/reference.h>

namespace asl {

inline constexpr std::uint32_t kLogSegmentSeal = 0x01;
inline constexpr std::uint32_t kLogSnapshotAnchor = 0x02;
inline constexpr std::uint32_t kLogSnapshotForget = 0x03;
inline constexpr std::uint32_t kLogSnapshotLabel = 0x04;
inline constexpr std::uint32_t kLogSnapshotHold = 0x05;
inline constexpr std::uint32_t kLogGenesis = 0x0F;
inline constexpr std::uint32_t kLogTombstone = 0x10;
inline constexpr std::uint32_t kLogTombstoneLift = 0x11;
inline constexpr std::uint32_t kLogPublish = 0x20;
inline constexpr std::uint32_t kLogUnpublish = 0x21;
inline constexpr std::uint32_t kLogArtifactUnpin = 0x22;
inline constexpr std::uint32_t kLogAuthorityBind = 0x30;
inline constexpr std::uint32_t kLogExecution = 0x31;
inline constexpr std::uint32_t kLogRequest = 0x32;
inline constexpr std::uint32_t kLogRefusal = 0x33;
inline constexpr std::uint32_t kLogResponse = 0x34;
inline constexpr std::uint32_t kLogDomainState = 0x35;
inline constexpr std::uint32_t kLogDate = 0x36;
inline constexpr std::uint32_t kLogBundle = 0x37;
inline constexpr std::uint32_t kLogSegmentRetire = 0x40;
inline constexpr std::uint32_t kLogCommit = 0x7F;

// One payload fits one buffered read, so that a wrong length field cannot ask for much memory.
inline constexpr std::size_t kLogPayloadMax = 1 << 20;
// As many ids as one payload holds after its two counters.
inline constexpr std::size_t kLogRetireIdsMax = (kLogPayloadMax - 8) / 8;

// A record as read. The payload points into its reader's buffer and is valid during the callback that gives
// it.
struct LogRecord {
  std::uint64_t logseq = 0;
  std::uint32_t type = 0;
  ByteSpan payload;
  Digest hash{};
};

// A record to append; logseq and hash are given by the writer.
struct NewRecord {
  std::uint32_t type = 0;
  Bytes payload;
};
template <typename Record>
NewRecord new_record(const Record& record) {
  return {Record::kType, record.encode()};
}

using Uuid = std::array<std::byte, 16>;  // request and bundle ids; all zero: none

struct SegmentSealRecord {
  static constexpr std::uint32_t kType = kLogSegmentSeal;
  std::uint64_t segment_id = 0;  // 1 or more
  Digest file_hash{};            // SHA-256 of the whole file
  Bytes encode() const;
  static Result<SegmentSealRecord> decode(ByteSpan payload);
};

struct SnapshotAnchorRecord {
  static constexpr std::uint32_t kType = kLogSnapshotAnchor;
  std::uint64_t snapshot_id = 0;  // 1 or more
  Reference reference;
  Bytes encode() const;
  static Result<SnapshotAnchorRecord> decode(ByteSpan payload);
};

struct SnapshotForgetRecord {
  static constexpr std::uint32_t kType = kLogSnapshotForget;
  std::uint64_t snapshot_id = 0;
  Bytes encode() const;
  static Result<SnapshotForgetRecord> decode(ByteSpan payload);
};

// Labels with this id name the domain itself: its alias.
inline constexpr std::uint64_t kDomainLabelId = 0;

struct SnapshotLabelRecord {
  static constexpr std::uint32_t kType = kLogSnapshotLabel;
  std::uint64_t snapshot_id = 0;
  std::string label;  // empty takes the label away
  Bytes encode() const;
  static Result<SnapshotLabelRecord> decode(ByteSpan payload);
};

struct SnapshotHoldRecord {
  static constexpr std::uint32_t kType = kLogSnapshotHold;
  std::uint64_t snapshot_id = 0;
  bool on = false;
  std::string reason;
  Bytes encode() const;
  static Result<SnapshotHoldRecord> decode(ByteSpan payload);
};

struct GenesisRecord {  // always logseq 1, and only there
  static constexpr std::uint32_t kType = kLogGenesis;
  DomainId domain_id{};
  bool local = false;        // made without a key; the key below is then zero
  Digest root_public_key{};  // Ed25519
  Bytes encode() const;
  static Result<GenesisRecord> decode(ByteSpan payload);
};

enum class TombstoneScope : std::uint32_t { kThis = 0, kReached = 1 };
enum class TombstoneReason : std::uint32_t { kNone = 0, kLegal = 1, kSecret = 2, kDamaged = 3, kPolicy = 4 };
std::string_view tombstone_reason_name(TombstoneReason reason);

struct TombstoneRecord {
  static constexpr std::uint32_t kType = kLogTombstone;
  Reference reference;
  TombstoneScope scope = TombstoneScope::kThis;
  TombstoneReason reason = TombstoneReason::kNone;
  Bytes encode() const;
  static Result<TombstoneRecord> decode(ByteSpan payload);
};

struct TombstoneLiftRecord {
  static constexpr std::uint32_t kType = kLogTombstoneLift;
  Reference reference;
  std::uint64_t tombstone_logseq = 0;
  Bytes encode() const;
  static Result<TombstoneLiftRecord> decode(ByteSpan payload);
};

struct PublishRecord {
  static constexpr std::uint32_t kType = kLogPublish;
  std::uint64_t snapshot_id = 0;
  Reference publication;  // the signed publication
  Bytes encode() const;
  static Result<PublishRecord> decode(ByteSpan payload);
};

struct UnpublishRecord {
  static constexpr std::uint32_t kType = kLogUnpublish;
  std::uint64_t snapshot_id = 0;
  Reference publication;
  Bytes encode() const;
  static Result<UnpublishRecord> decode(ByteSpan payload);
};

struct ArtifactUnpinRecord {
  static constexpr std::uint32_t kType = kLogArtifactUnpin;
  Reference reference;
  Bytes encode() const;
  static Result<ArtifactUnpinRecord> decode(ByteSpan payload);
};

struct AuthorityBindRecord {
  static constexpr std::uint32_t kType = kLogAuthorityBind;
  std::uint32_t type_tag = 0;
  Reference reference;
  Bytes encode() const;
  static Result<AuthorityBindRecord> decode(ByteSpan payload);
};

struct ExecutionRecord {
  static constexpr std::uint32_t kType = kLogExecution;
  Reference receipt;
  Uuid request_id{};
  Digest request_hash{};
  Bytes encode() const;
  static Result<ExecutionRecord> decode(ByteSpan payload);
};

struct RequestRecord {
  static constexpr std::uint32_t kType = kLogRequest;
  Digest requester_key_id{};
  Uuid request_id{};
  Digest request_hash{};
  Bytes encode() const;
  static Result<RequestRecord> decode(ByteSpan payload);
};

struct RefusalRecord {
  static constexpr std::uint32_t kType = kLogRefusal;
  Digest requester_key_id{};
  Uuid request_id{};
  Digest request_hash{};
  std::uint32_t reason = 0;
  Reference refusal;
  Bytes encode() const;
  static Result<RefusalRecord> decode(ByteSpan payload);
};

struct ResponseRecord {
  static constexpr std::uint32_t kType = kLogResponse;
  std::uint64_t sequence = 0;
  Digest response_hash{};
  std::string medium;  // serial LF label: exactly one line feed
  Bytes encode() const;
  static Result<ResponseRecord> decode(ByteSpan payload);
};

enum class DomainStanding : std::uint32_t {
  kUnrecognized = 0,
  kCourtesy = 1,
  kFull = 2,
  kSuspended = 3,
  kRevoked = 4,
};
std::string_view domain_standing_name(DomainStanding standing);

struct DomainStateRecord {
  static constexpr std::uint32_t kType = kLogDomainState;
  DomainId domain_id{};
  DomainStanding standing = DomainStanding::kUnrecognized;
  Reference reference;  // the signed domain-state
  Bytes encode() const;
  static Result<DomainStateRecord> decode(ByteSpan payload);
};

struct DateRecord {
  static constexpr std::uint32_t kType = kLogDate;
  std::int64_t unix_seconds = 0;  // as confirmed by the operator
  bool correction = false;
  std::string words;  // reason of a correction, or ceremony words
  Bytes encode() const;
  static Result<DateRecord> decode(ByteSpan payload);
};

struct BundleRecord {
  static constexpr std::uint32_t kType = kLogBundle;
  Uuid bundle_id{};
  Digest object_hash{};
  Bytes encode() const;
  static Result<BundleRecord> decode(ByteSpan payload);
};

struct SegmentRetireRecord {
  static constexpr std::uint32_t kType = kLogSegmentRetire;
  std::vector<std::uint64_t> segment_ids;  // 1 to kLogRetireIdsMax
  Bytes encode() const;
  static Result<SegmentRetireRecord> decode(ByteSpan payload);
};

struct CommitRecord {
  static constexpr std::uint32_t kType = kLogCommit;
  std::uint32_t records = 0;        // of its group, itself included
  Digest previous_hash{};           // the chain value before the group
  std::uint32_t padding_bytes = 0;  // zeros that make the group end at a multiple of 4096: below 4096
  Bytes encode() const;
  static Result<CommitRecord> decode(ByteSpan payload);
};

// The name in doc/format-log.md ("SEGMENT_SEAL"), or "UNKNOWN".
std::string_view log_type_name(std::uint32_t type);
bool log_type_known(std::uint32_t type);
// Fails with kIntegrity if the payload of a known type does not decode; unknown types only have a size limit.
Result<void> check_payload(std::uint32_t type, ByteSpan payload);

// What a record says: one line for people, and the same facts for JSON.
struct LogField {
  std::string name;
  std::variant<std::string, std::uint64_t, std::int64_t, bool, std::vector<std::uint64_t>> value;
};
struct LogDescription {
  std::string_view name;  // log_type_name
  std::string words;      // control characters escaped: safe on a terminal
  std::vector<LogField> fields;
};
Result<LogDescription> describe(const LogRecord& record);

}  // namespace asl
