// CURRENT: what a domain's log says now, the sum of all its records in order.
//
// A value: copyable, no I/O, no locks. Memory grows with segments alive, snapshots, tombstones, unpins and
// authority records, never with artifacts.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/log_record.h>
#include <asl/engine/reference.h>

namespace asl {

struct SegmentState {
  std::uint64_t id = 0;
  Digest file_hash{};        // SHA-256 of the whole file
  std::uint64_t logseq = 0;  // of its seal
};

struct SnapshotState {
  std::uint64_t id = 0;
  Reference reference;
  std::uint64_t logseq = 0;  // of its anchor
  std::string label;         // of the last LABEL record; empty if none, or if it moved elsewhere since
  // Of the record that set or took away the label; 0: none yet, so the snapshot artifact's own label holds.
  std::uint64_t label_logseq = 0;
  bool held = false;
  std::string hold_reason;
  bool forgotten = false;
};

struct TombstoneState {
  std::uint64_t logseq = 0;
  TombstoneScope scope = TombstoneScope::kThis;
  TombstoneReason reason = TombstoneReason::kNone;
  std::uint64_t lifted_logseq = 0;  // 0: in force
};

struct PublicationState {
  Reference publication;
  std::uint64_t logseq = 0;
};

// A payload kept whole, with the place it stands at.
template <typename Record>
struct Logged {
  std::uint64_t logseq = 0;
  Record record;
};

class LogState {
 public:
  // Applies one commit group whole, or nothing: a record that contradicts the state (a segment id used twice,
  // a label for an unknown snapshot...) is kIntegrity and leaves the state as it was. The group's logseqs
  // must follow last_logseq().
  Result<void> apply(std::span<const LogRecord> group);
  // For a group beyond a gap in a damaged log, where records may speak of things the gap has swallowed:
  // applies what makes sense and returns how many records did not. Logseqs need only grow.
  std::size_t apply_after_gap(std::span<const LogRecord> group);
  // What apply would say of records about to be appended, COMMIT left out. Call before LogWriter::append.
  Result<void> check(std::span<const NewRecord> records) const;

  std::uint64_t last_logseq() const { return last_logseq_; }  // 0: empty
  const Digest& record_hash() const { return record_hash_; }  // of the record at last_logseq
  const std::optional<GenesisRecord>& genesis() const { return genesis_; }

  // What the domain is called (the LABEL of id kDomainLabelId); empty if it was never named.
  const std::string& alias() const { return alias_; }

  // Ascending ids, which is the order of sealing; the newest seal is last.
  const std::vector<SegmentState>& segments() const { return segments_; }
  const SegmentState* find_segment(std::uint64_t id) const;
  // 1 + the largest id ever sealed. The directory may hold larger ones of a dead writer.
  std::uint64_t next_segment_id() const { return last_segment_id_ + 1; }

  // All ever anchored, forgotten ones included.
  const std::map<std::uint64_t, SnapshotState>& snapshots() const { return snapshots_; }
  const SnapshotState* find_snapshot(std::uint64_t id) const;
  // The one that was labelled so last, unless it was forgotten or labelled anew since.
  const SnapshotState* find_label(std::string_view label) const;
  // The largest id not forgotten.
  const SnapshotState* current_snapshot() const;
  std::uint64_t next_snapshot_id() const { return snapshots_.empty() ? 1 : snapshots_.rbegin()->first + 1; }

  // Every tombstone ever, lifted ones included.
  const std::unordered_map<Reference, std::vector<TombstoneState>, ReferenceHash>& tombstones() const {
    return tombstones_;
  }
  // The newest tombstone in force, if any.
  const TombstoneState* tombstone(const Reference& ref) const;

  // Logseq of the last unpin; 0 if never. A segment record's pin counts if its segment was sealed after that.
  std::uint64_t last_unpin(const Reference& ref) const;
  const std::unordered_map<Reference, std::uint64_t, ReferenceHash>& unpins() const { return unpins_; }

  // Snapshots published now.
  const std::map<std::uint64_t, PublicationState>& published() const { return published_; }

  const std::vector<Logged<AuthorityBindRecord>>& authority_binds() const { return authority_binds_; }
  const std::vector<Logged<ExecutionRecord>>& executions() const { return executions_; }
  const std::vector<Logged<RequestRecord>>& requests() const { return requests_; }
  const std::vector<Logged<RefusalRecord>>& refusals() const { return refusals_; }
  const std::vector<Logged<ResponseRecord>>& responses() const { return responses_; }
  const std::vector<Logged<DomainStateRecord>>& domain_states() const { return domain_states_; }
  const std::vector<Logged<DateRecord>>& dates() const { return dates_; }
  const std::vector<Logged<BundleRecord>>& bundles() const { return bundles_; }
  // As the operator confirmed or corrected it last, unix seconds.
  std::optional<std::int64_t> last_date() const;

  // Every reference that authority, execution, refusal, domain state and publication records name, in log
  // order: gc keeps them, withdrawn publications included.
  const std::vector<Reference>& roots() const { return roots_; }

  const std::set<std::uint32_t>& unknown_types() const { return unknown_types_; }
  // kUnsupported if the log holds records this version does not know: writers and gc then refuse.
  Result<void> require_known_types() const;

 private:
  struct Pending;
  Result<void> check_record(std::uint64_t logseq, std::uint32_t type, ByteSpan payload,
                            Pending& pending) const;
  Result<void> check_snapshot_record(std::uint32_t type, ByteSpan payload, Pending& pending) const;
  Result<void> check_segment_record(std::uint32_t type, ByteSpan payload, Pending& pending) const;
  Result<void> check_tombstone_record(std::uint64_t logseq, std::uint32_t type, ByteSpan payload,
                                      Pending& pending) const;
  Result<void> check_publish_record(std::uint32_t type, ByteSpan payload, Pending& pending) const;
  void apply_record(const LogRecord& record);
  bool apply_store_record(const LogRecord& record);
  void apply_label(std::uint64_t logseq, std::uint64_t id, std::string label);
  bool apply_authority_record(const LogRecord& record);

  std::uint64_t last_logseq_ = 0;
  Digest record_hash_{};
  std::optional<GenesisRecord> genesis_;
  std::string alias_;
  std::vector<SegmentState> segments_;
  std::uint64_t last_segment_id_ = 0;
  std::map<std::uint64_t, SnapshotState> snapshots_;
  std::map<std::string, std::uint64_t, std::less<>> label_holders_;
  std::unordered_map<Reference, std::vector<TombstoneState>, ReferenceHash> tombstones_;
  std::unordered_map<Reference, std::uint64_t, ReferenceHash> unpins_;
  std::map<std::uint64_t, PublicationState> published_;
  std::vector<Logged<AuthorityBindRecord>> authority_binds_;
  std::vector<Logged<ExecutionRecord>> executions_;
  std::vector<Logged<RequestRecord>> requests_;
  std::vector<Logged<RefusalRecord>> refusals_;
  std::vector<Logged<ResponseRecord>> responses_;
  std::vector<Logged<DomainStateRecord>> domain_states_;
  std::vector<Logged<DateRecord>> dates_;
  std::vector<Logged<BundleRecord>> bundles_;
  std::vector<Reference> roots_;
  std::set<std::uint32_t> unknown_types_;
};

}  // namespace asl
