#include <algorithm>
#include <fmt/format.h>
#include <ranges>

#include <asl/engine/log_state.h>

namespace asl {

const SegmentState* LogState::find_segment(std::uint64_t id) const {
  const auto at = std::ranges::lower_bound(segments_, id, {}, &SegmentState::id);
  return at != segments_.end() && at->id == id ? &*at : nullptr;
}

const SnapshotState* LogState::find_snapshot(std::uint64_t id) const {
  const auto at = snapshots_.find(id);
  return at != snapshots_.end() ? &at->second : nullptr;
}

const SnapshotState* LogState::find_label(std::string_view label) const {
  const auto at = label_holders_.find(label);
  return at != label_holders_.end() ? find_snapshot(at->second) : nullptr;
}

// Labels are unique: whoever had this one before has none now.
void LogState::apply_label(std::uint64_t logseq, std::uint64_t id, std::string label) {
  SnapshotState& snapshot = snapshots_.at(id);
  if (const auto own = label_holders_.find(snapshot.label); own != label_holders_.end() && own->second == id)
    label_holders_.erase(own);
  snapshot.label = label;
  snapshot.label_logseq = logseq;
  if (label.empty() || snapshot.forgotten) return;
  const auto [at, is_new] = label_holders_.try_emplace(std::move(label), id);
  if (is_new) return;
  SnapshotState& earlier = snapshots_.at(at->second);
  earlier.label.clear();
  earlier.label_logseq = logseq;
  at->second = id;
}

const SnapshotState* LogState::current_snapshot() const {
  for (const auto& [id, snapshot] : std::views::reverse(snapshots_))
    if (!snapshot.forgotten) return &snapshot;
  return nullptr;
}

const TombstoneState* LogState::tombstone(const Reference& ref) const {
  const auto at = tombstones_.find(ref);
  if (at == tombstones_.end()) return nullptr;
  for (const TombstoneState& stone : std::views::reverse(at->second))
    if (stone.lifted_logseq == 0) return &stone;
  return nullptr;
}

std::uint64_t LogState::last_unpin(const Reference& ref) const {
  const auto at = unpins_.find(ref);
  return at != unpins_.end() ? at->second : 0;
}

std::optional<std::int64_t> LogState::last_date() const {
  if (dates_.empty()) return std::nullopt;
  return dates_.back().record.unix_seconds;
}

Result<void> LogState::require_known_types() const {
  if (unknown_types_.empty()) return {};
  Error error;
  error.code = ErrorCode::kUnsupported;
  error.message = fmt::format("the log holds records of a type this version does not know (0x{:02x})",
                              *unknown_types_.begin());
  error.hint = "use a newer version to write to this domain";
  return fail(std::move(error));
}

// Applying what was checked cannot fail. Two halves only for length.
void LogState::apply_record(const LogRecord& record) {
  last_logseq_ = record.logseq;
  record_hash_ = record.hash;
  if (record.type == kLogCommit || apply_store_record(record) || apply_authority_record(record)) return;
  unknown_types_.insert(record.type);
}

bool LogState::apply_store_record(const LogRecord& record) {
  const ByteSpan payload = record.payload;
  switch (record.type) {
    case kLogSegmentSeal: {
      const auto seal = *SegmentSealRecord::decode(payload);
      segments_.push_back({seal.segment_id, seal.file_hash, record.logseq});
      last_segment_id_ = seal.segment_id;
      return true;
    }
    case kLogSegmentRetire: {
      auto ids = SegmentRetireRecord::decode(payload)->segment_ids;
      std::ranges::sort(ids);
      std::erase_if(segments_,
                    [&](const SegmentState& segment) { return std::ranges::binary_search(ids, segment.id); });
      return true;
    }
    case kLogSnapshotAnchor: {
      const auto anchor = *SnapshotAnchorRecord::decode(payload);
      SnapshotState& snapshot = snapshots_[anchor.snapshot_id];
      snapshot.id = anchor.snapshot_id;
      snapshot.reference = anchor.reference;
      snapshot.logseq = record.logseq;
      return true;
    }
    case kLogSnapshotForget: {
      SnapshotState& snapshot = snapshots_.at(SnapshotForgetRecord::decode(payload)->snapshot_id);
      snapshot.forgotten = true;
      const auto label = label_holders_.find(snapshot.label);
      if (label != label_holders_.end() && label->second == snapshot.id) label_holders_.erase(label);
      return true;
    }
    case kLogSnapshotLabel: {
      auto label = *SnapshotLabelRecord::decode(payload);
      if (label.snapshot_id == kDomainLabelId) {
        alias_ = std::move(label.label);
        return true;
      }
      apply_label(record.logseq, label.snapshot_id, std::move(label.label));
      return true;
    }
    case kLogSnapshotHold: {
      auto hold = *SnapshotHoldRecord::decode(payload);
      SnapshotState& snapshot = snapshots_.at(hold.snapshot_id);
      snapshot.held = hold.on;
      snapshot.hold_reason = std::move(hold.reason);
      return true;
    }
    case kLogTombstone: {
      const auto stone = *TombstoneRecord::decode(payload);
      tombstones_[stone.reference].push_back({record.logseq, stone.scope, stone.reason, 0});
      return true;
    }
    case kLogTombstoneLift: {
      const auto lift = *TombstoneLiftRecord::decode(payload);
      auto& stones = tombstones_.at(lift.reference);
      std::ranges::find(stones, lift.tombstone_logseq, &TombstoneState::logseq)->lifted_logseq =
          record.logseq;
      return true;
    }
    case kLogArtifactUnpin:
      unpins_[ArtifactUnpinRecord::decode(payload)->reference] = record.logseq;
      return true;
    default:
      return false;
  }
}

bool LogState::apply_authority_record(const LogRecord& record) {
  const ByteSpan payload = record.payload;
  switch (record.type) {
    case kLogGenesis:
      genesis_ = *GenesisRecord::decode(payload);
      return true;
    case kLogPublish: {
      const auto publish = *PublishRecord::decode(payload);
      published_[publish.snapshot_id] = {publish.publication, record.logseq};
      roots_.push_back(publish.publication);
      return true;
    }
    case kLogUnpublish: {
      const auto unpublish = *UnpublishRecord::decode(payload);
      published_.erase(unpublish.snapshot_id);
      roots_.push_back(unpublish.publication);
      return true;
    }
    case kLogAuthorityBind:
      authority_binds_.push_back({record.logseq, *AuthorityBindRecord::decode(payload)});
      roots_.push_back(authority_binds_.back().record.reference);
      return true;
    case kLogExecution:
      executions_.push_back({record.logseq, *ExecutionRecord::decode(payload)});
      roots_.push_back(executions_.back().record.receipt);
      return true;
    case kLogRequest:
      requests_.push_back({record.logseq, *RequestRecord::decode(payload)});
      return true;
    case kLogRefusal:
      refusals_.push_back({record.logseq, *RefusalRecord::decode(payload)});
      roots_.push_back(refusals_.back().record.refusal);
      return true;
    case kLogResponse:
      responses_.push_back({record.logseq, *ResponseRecord::decode(payload)});
      return true;
    case kLogDomainState:
      domain_states_.push_back({record.logseq, *DomainStateRecord::decode(payload)});
      roots_.push_back(domain_states_.back().record.reference);
      return true;
    case kLogDate:
      dates_.push_back({record.logseq, *DateRecord::decode(payload)});
      return true;
    case kLogBundle:
      bundles_.push_back({record.logseq, *BundleRecord::decode(payload)});
      return true;
    default:
      return false;
  }
}

}  // namespace asl
