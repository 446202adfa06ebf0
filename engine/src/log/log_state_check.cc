// What a record may say, given all records before it. Checking a whole group before any of it is applied
// keeps apply all-or-nothing without copying the state.
#include <fmt/format.h>
#include <set>
#include <utility>

#include <asl/engine/log_state.h>

namespace asl {

// What the records of the group checked so far will change.
struct LogState::Pending {
  std::uint64_t last_segment_id = 0;  // 0: none sealed in this group
  std::set<std::uint64_t> sealed;
  std::set<std::uint64_t> retired;
  std::set<std::uint64_t> anchored;
  std::set<std::uint64_t> forgotten;
  std::set<std::pair<std::uint64_t, Reference>> tombstones;
  std::set<std::uint64_t> lifted;
  std::set<std::uint64_t> published;
  std::set<std::uint64_t> unpublished;
};

namespace {

template <typename... Args>
std::unexpected<Error> contradicts(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorCode::kIntegrity,
              "the log contradicts itself: " + fmt::format(format, std::forward<Args>(args)...));
}

// The snapshot a FORGET, LABEL or HOLD record speaks of.
Result<std::uint64_t> snapshot_named(std::uint32_t type, ByteSpan payload) {
  if (type == kLogSnapshotForget) {
    ASL_ASSIGN(const auto record, SnapshotForgetRecord::decode(payload));
    return record.snapshot_id;
  }
  if (type == kLogSnapshotLabel) {
    ASL_ASSIGN(const auto record, SnapshotLabelRecord::decode(payload));
    return record.snapshot_id;
  }
  ASL_ASSIGN(const auto record, SnapshotHoldRecord::decode(payload));
  return record.snapshot_id;
}

}  // namespace

Result<void> LogState::check_segment_record(std::uint32_t type, ByteSpan payload, Pending& pending) const {
  if (type == kLogSegmentSeal) {
    ASL_ASSIGN(const auto seal, SegmentSealRecord::decode(payload));
    const std::uint64_t last = pending.last_segment_id != 0 ? pending.last_segment_id : last_segment_id_;
    if (seal.segment_id <= last)
      return contradicts("segment {} is sealed after segment {}", seal.segment_id, last);
    pending.last_segment_id = seal.segment_id;
    pending.sealed.insert(seal.segment_id);
    return {};
  }
  ASL_ASSIGN(const auto retire, SegmentRetireRecord::decode(payload));
  for (const std::uint64_t id : retire.segment_ids) {
    const bool live = find_segment(id) != nullptr || pending.sealed.contains(id);
    if (!live || !pending.retired.insert(id).second)
      return contradicts("segment {} is retired but not live", id);
  }
  return {};
}

Result<void> LogState::check_snapshot_record(std::uint32_t type, ByteSpan payload, Pending& pending) const {
  if (type == kLogSnapshotAnchor) {
    ASL_ASSIGN(const auto anchor, SnapshotAnchorRecord::decode(payload));
    if (snapshots_.contains(anchor.snapshot_id) || !pending.anchored.insert(anchor.snapshot_id).second)
      return contradicts("snapshot {} is anchored twice", anchor.snapshot_id);
    return {};
  }
  ASL_ASSIGN(const std::uint64_t id, snapshot_named(type, payload));
  if (type == kLogSnapshotLabel && id == kDomainLabelId) return {};  // the domain's own name
  const SnapshotState* snapshot = find_snapshot(id);
  if (snapshot == nullptr && !pending.anchored.contains(id))
    return contradicts("snapshot {} is spoken of before it is anchored", id);
  const bool gone = (snapshot != nullptr && snapshot->forgotten) || pending.forgotten.contains(id);
  if (gone) return contradicts("snapshot {} is spoken of after it is forgotten", id);
  if (type == kLogSnapshotForget) pending.forgotten.insert(id);
  return {};
}

Result<void> LogState::check_tombstone_record(std::uint64_t logseq, std::uint32_t type, ByteSpan payload,
                                              Pending& pending) const {
  if (type == kLogTombstone) {
    ASL_ASSIGN(const auto stone, TombstoneRecord::decode(payload));
    pending.tombstones.emplace(logseq, stone.reference);
    return {};
  }
  ASL_ASSIGN(const auto lift, TombstoneLiftRecord::decode(payload));
  bool in_force = pending.tombstones.contains({lift.tombstone_logseq, lift.reference});
  if (const auto at = tombstones_.find(lift.reference); at != tombstones_.end()) {
    for (const TombstoneState& stone : at->second)
      in_force |= stone.logseq == lift.tombstone_logseq && stone.lifted_logseq == 0;
  }
  if (!in_force || !pending.lifted.insert(lift.tombstone_logseq).second)
    return contradicts("record {} is lifted but is no tombstone in force", lift.tombstone_logseq);
  return {};
}

Result<void> LogState::check_publish_record(std::uint32_t type, ByteSpan payload, Pending& pending) const {
  if (type == kLogPublish) {
    ASL_ASSIGN(const auto publish, PublishRecord::decode(payload));
    if (!snapshots_.contains(publish.snapshot_id) && !pending.anchored.contains(publish.snapshot_id))
      return contradicts("snapshot {} is published before it is anchored", publish.snapshot_id);
    pending.published.insert(publish.snapshot_id);
    pending.unpublished.erase(publish.snapshot_id);
    return {};
  }
  ASL_ASSIGN(const auto unpublish, UnpublishRecord::decode(payload));
  const bool published =
      pending.published.contains(unpublish.snapshot_id) ||
      (published_.contains(unpublish.snapshot_id) && !pending.unpublished.contains(unpublish.snapshot_id));
  if (!published) return contradicts("snapshot {} is unpublished but not published", unpublish.snapshot_id);
  pending.published.erase(unpublish.snapshot_id);
  pending.unpublished.insert(unpublish.snapshot_id);
  return {};
}

Result<void> LogState::check_record(std::uint64_t logseq, std::uint32_t type, ByteSpan payload,
                                    Pending& pending) const {
  if ((type == kLogGenesis) != (logseq == 1)) return contradicts("genesis is not the first record");
  switch (type) {
    case kLogSegmentSeal:
    case kLogSegmentRetire:
      return check_segment_record(type, payload, pending);
    case kLogSnapshotAnchor:
    case kLogSnapshotForget:
    case kLogSnapshotLabel:
    case kLogSnapshotHold:
      return check_snapshot_record(type, payload, pending);
    case kLogTombstone:
    case kLogTombstoneLift:
      return check_tombstone_record(logseq, type, payload, pending);
    case kLogPublish:
    case kLogUnpublish:
      return check_publish_record(type, payload, pending);
    default:
      return check_payload(type, payload);
  }
}

Result<void> LogState::apply(std::span<const LogRecord> group) {
  Pending pending;
  std::uint64_t expected = last_logseq_ + 1;
  for (const LogRecord& record : group) {
    if (record.logseq != expected)
      return contradicts("record {} comes where {} must", record.logseq, expected);
    ASL_TRY(check_record(record.logseq, record.type, record.payload, pending));
    ++expected;
  }
  for (const LogRecord& record : group) apply_record(record);
  return {};
}

std::size_t LogState::apply_after_gap(std::span<const LogRecord> group) {
  std::size_t refused = 0;
  for (const LogRecord& record : group) {
    Pending pending;
    const bool makes_sense =
        record.logseq > last_logseq_ && check_record(record.logseq, record.type, record.payload, pending);
    if (makes_sense)
      apply_record(record);
    else
      ++refused;
  }
  return refused;
}

Result<void> LogState::check(std::span<const NewRecord> records) const {
  Pending pending;
  std::uint64_t logseq = last_logseq_ + 1;
  for (const NewRecord& record : records)
    ASL_TRY(check_record(logseq++, record.type, record.payload, pending));
  return {};
}

}  // namespace asl
