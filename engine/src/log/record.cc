#include <algorithm>

#include <asl/engine/log_record.h>

#include "log/payload_codec.h"

namespace asl {
namespace {

constexpr std::string_view kNoId = "an id is zero";

// decode of each record: reads the fields, then requires that nothing was wrong and nothing is left.
template <typename Record, typename Fields>
Result<Record> decode_payload(ByteSpan payload, Fields&& fields) {
  PayloadReader in(payload);
  Record record;
  fields(in, record);
  ASL_TRY(in.finish(Record::kType));
  return record;
}

template <typename Record>
Result<Record> decode_publication(ByteSpan payload) {
  return decode_payload<Record>(payload, [](PayloadReader& in, Record& record) {
    record.snapshot_id = in.number<std::uint64_t>();
    record.publication = in.reference();
    in.require(record.snapshot_id != 0, kNoId);
  });
}

}  // namespace

Bytes SegmentSealRecord::encode() const {
  return PayloadWriter().number(segment_id).put(file_hash).take();
}
Result<SegmentSealRecord> SegmentSealRecord::decode(ByteSpan payload) {
  return decode_payload<SegmentSealRecord>(payload, [](PayloadReader& in, SegmentSealRecord& record) {
    record.segment_id = in.number<std::uint64_t>();
    in.array(record.file_hash);
    in.require(record.segment_id != 0, kNoId);
  });
}

Bytes SnapshotAnchorRecord::encode() const {
  return PayloadWriter().number(snapshot_id).reference(reference).take();
}
Result<SnapshotAnchorRecord> SnapshotAnchorRecord::decode(ByteSpan payload) {
  return decode_payload<SnapshotAnchorRecord>(payload, [](PayloadReader& in, SnapshotAnchorRecord& record) {
    record.snapshot_id = in.number<std::uint64_t>();
    record.reference = in.reference();
    in.require(record.snapshot_id != 0, kNoId);
  });
}

Bytes SnapshotForgetRecord::encode() const {
  return PayloadWriter().number(snapshot_id).take();
}
Result<SnapshotForgetRecord> SnapshotForgetRecord::decode(ByteSpan payload) {
  return decode_payload<SnapshotForgetRecord>(payload, [](PayloadReader& in, SnapshotForgetRecord& record) {
    record.snapshot_id = in.number<std::uint64_t>();
    in.require(record.snapshot_id != 0, kNoId);
  });
}

Bytes SnapshotLabelRecord::encode() const {
  return PayloadWriter().number(snapshot_id).text(label).take();
}
Result<SnapshotLabelRecord> SnapshotLabelRecord::decode(ByteSpan payload) {
  return decode_payload<SnapshotLabelRecord>(payload, [](PayloadReader& in, SnapshotLabelRecord& record) {
    record.snapshot_id = in.number<std::uint64_t>();
    record.label = in.text();
  });
}

Bytes SnapshotHoldRecord::encode() const {
  return PayloadWriter().number(snapshot_id).number<std::uint8_t>(on ? 1 : 0).text(reason).take();
}
Result<SnapshotHoldRecord> SnapshotHoldRecord::decode(ByteSpan payload) {
  return decode_payload<SnapshotHoldRecord>(payload, [](PayloadReader& in, SnapshotHoldRecord& record) {
    record.snapshot_id = in.number<std::uint64_t>();
    const auto on = in.number<std::uint8_t>();
    record.on = on == 1;
    record.reason = in.text();
    in.require(record.snapshot_id != 0, kNoId);
    in.require(on <= 1, "a flag is neither 0 nor 1");
  });
}

Bytes GenesisRecord::encode() const {
  return PayloadWriter()
      .put(domain_id)
      .number<std::uint8_t>(local ? 1 : 0)
      .zeros(3)
      .put(root_public_key)
      .take();
}
Result<GenesisRecord> GenesisRecord::decode(ByteSpan payload) {
  return decode_payload<GenesisRecord>(payload, [](PayloadReader& in, GenesisRecord& record) {
    in.array(record.domain_id);
    const auto local = in.number<std::uint8_t>();
    record.local = local == 1;
    in.zeros(3);
    in.array(record.root_public_key);
    in.require(local <= 1, "a flag is neither 0 nor 1");
    in.require(all_zero(record.root_public_key) == record.local,
               "a local domain has no key, any other has one");
  });
}

Bytes TombstoneRecord::encode() const {
  return PayloadWriter()
      .reference(reference)
      .number(static_cast<std::uint32_t>(scope))
      .number(static_cast<std::uint32_t>(reason))
      .take();
}
Result<TombstoneRecord> TombstoneRecord::decode(ByteSpan payload) {
  return decode_payload<TombstoneRecord>(payload, [](PayloadReader& in, TombstoneRecord& record) {
    record.reference = in.reference();
    const auto scope = in.number<std::uint32_t>();
    const auto reason = in.number<std::uint32_t>();
    in.require(scope <= 1, "an unknown scope");
    in.require(reason <= 4, "an unknown reason");
    record.scope = static_cast<TombstoneScope>(scope);
    record.reason = static_cast<TombstoneReason>(reason);
  });
}

Bytes TombstoneLiftRecord::encode() const {
  return PayloadWriter().reference(reference).number(tombstone_logseq).take();
}
Result<TombstoneLiftRecord> TombstoneLiftRecord::decode(ByteSpan payload) {
  return decode_payload<TombstoneLiftRecord>(payload, [](PayloadReader& in, TombstoneLiftRecord& record) {
    record.reference = in.reference();
    record.tombstone_logseq = in.number<std::uint64_t>();
    in.require(record.tombstone_logseq != 0, "a logseq is zero");
  });
}

Bytes PublishRecord::encode() const {
  return PayloadWriter().number(snapshot_id).reference(publication).take();
}
Result<PublishRecord> PublishRecord::decode(ByteSpan payload) {
  return decode_publication<PublishRecord>(payload);
}
Bytes UnpublishRecord::encode() const {
  return PayloadWriter().number(snapshot_id).reference(publication).take();
}
Result<UnpublishRecord> UnpublishRecord::decode(ByteSpan payload) {
  return decode_publication<UnpublishRecord>(payload);
}

Bytes ArtifactUnpinRecord::encode() const {
  return PayloadWriter().reference(reference).take();
}
Result<ArtifactUnpinRecord> ArtifactUnpinRecord::decode(ByteSpan payload) {
  return decode_payload<ArtifactUnpinRecord>(
      payload, [](PayloadReader& in, ArtifactUnpinRecord& record) { record.reference = in.reference(); });
}

Bytes SegmentRetireRecord::encode() const {
  PayloadWriter out;
  out.number(static_cast<std::uint32_t>(segment_ids.size())).zeros(4);
  for (std::uint64_t id : segment_ids) out.number(id);
  return out.take();
}
Result<SegmentRetireRecord> SegmentRetireRecord::decode(ByteSpan payload) {
  return decode_payload<SegmentRetireRecord>(payload, [](PayloadReader& in, SegmentRetireRecord& record) {
    const auto count = in.number<std::uint32_t>();
    in.zeros(4);
    in.require(count != 0, "no segment is named");
    // The size is checked before anything is reserved for `count`.
    in.require(in.left() == std::uint64_t{count} * 8, "the count does not match the size");
    const std::size_t present = std::min<std::size_t>(count, in.left() / 8);
    record.segment_ids.reserve(present);
    for (std::size_t i = 0; i < present; ++i) record.segment_ids.push_back(in.number<std::uint64_t>());
    in.require(std::ranges::find(record.segment_ids, 0U) == record.segment_ids.end(), kNoId);
  });
}

Bytes CommitRecord::encode() const {
  return PayloadWriter().number(records).zeros(4).put(previous_hash).zeros(padding_bytes).take();
}
Result<CommitRecord> CommitRecord::decode(ByteSpan payload) {
  return decode_payload<CommitRecord>(payload, [](PayloadReader& in, CommitRecord& record) {
    record.records = in.number<std::uint32_t>();
    in.zeros(4);
    in.array(record.previous_hash);
    in.require(record.records >= 2, "a group is never empty");
    in.require(in.left() < kPageSize, "more padding than a page");
    record.padding_bytes = static_cast<std::uint32_t>(std::min(in.left(), kPageSize));
    in.zeros(in.left());
  });
}

}  // namespace asl
