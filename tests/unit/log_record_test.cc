// Payloads of log records: round trips, strictness, and what they say.
#include <algorithm>
#include <gtest/gtest.h>

#include <asl/engine/log_record.h>
#include <asl/engine/log_state.h>

#include "log_fixture.h"
#include "support.h"

namespace asl {
namespace {

constexpr Uuid kId{std::byte{7}};

std::vector<NewRecord> one_of_each() {
  const Reference ref = reference_of("x");
  const Digest hash = digest_of("y");
  CommitRecord commit;
  commit.records = 2;
  commit.previous_hash = hash;
  commit.padding_bytes = 11;
  return {
      new_record(SegmentSealRecord{5, hash}),
      new_record(SnapshotAnchorRecord{6, ref}),
      new_record(SnapshotForgetRecord{6}),
      new_record(SnapshotLabelRecord{6, "état"}),
      new_record(SnapshotHoldRecord{6, true, "court"}),
      new_record(GenesisRecord{{std::byte{1}}, false, hash}),
      new_record(TombstoneRecord{ref, TombstoneScope::kReached, TombstoneReason::kSecret}),
      new_record(TombstoneLiftRecord{ref, 9}),
      new_record(PublishRecord{6, ref}),
      new_record(UnpublishRecord{6, ref}),
      new_record(ArtifactUnpinRecord{ref}),
      new_record(AuthorityBindRecord{0x00A50010, ref}),
      new_record(ExecutionRecord{ref, kId, hash}),
      new_record(RequestRecord{hash, kId, hash}),
      new_record(RefusalRecord{hash, kId, hash, 3, ref}),
      new_record(ResponseRecord{4, hash, "serial\nlabel"}),
      new_record(DomainStateRecord{{std::byte{2}}, DomainStanding::kFull, ref}),
      new_record(DateRecord{-5, true, "clock was wrong"}),
      new_record(BundleRecord{kId, hash}),
      new_record(SegmentRetireRecord{{3, 1, 2}}),
      new_record(commit),
  };
}

bool has_text(std::uint32_t type) {
  return type == kLogSnapshotLabel || type == kLogSnapshotHold || type == kLogResponse || type == kLogDate;
}

// Decodes, encodes again, compares.
template <typename Record>
bool survives(ByteSpan payload) {
  const Result<Record> decoded = Record::decode(payload);
  return decoded && decoded->encode() == Bytes(payload.begin(), payload.end());
}
template <typename... Records>
bool any_survives(std::uint32_t type, ByteSpan payload) {
  return ((Records::kType == type && survives<Records>(payload)) || ...);
}
bool round_trips(const NewRecord& r) {
  return any_survives<SegmentSealRecord, SnapshotAnchorRecord, SnapshotForgetRecord, SnapshotLabelRecord,
                      SnapshotHoldRecord, GenesisRecord, TombstoneRecord, TombstoneLiftRecord, PublishRecord,
                      UnpublishRecord, ArtifactUnpinRecord, AuthorityBindRecord, ExecutionRecord,
                      RequestRecord, RefusalRecord, ResponseRecord, DomainStateRecord, DateRecord,
                      BundleRecord, SegmentRetireRecord, CommitRecord>(r.type, r.payload);
}

TEST(LogRecordTest, EveryTypeRoundTrips) {
  const auto records = one_of_each();
  EXPECT_EQ(records.size(), 21U);
  for (const NewRecord& record : records) {
    EXPECT_TRUE(round_trips(record)) << log_type_name(record.type);
    EXPECT_TRUE(check_payload(record.type, record.payload)) << log_type_name(record.type);
    EXPECT_TRUE(log_type_known(record.type));
  }
}

TEST(LogRecordTest, SizesAreThoseOfTheFormat) {
  const std::size_t sizes[] = {40, 42, 8,  13,  14, 56, 42, 42, 42, 42, 34,
                               38, 82, 80, 118, 52, 58, 27, 48, 32, 51};
  const auto records = one_of_each();
  ASSERT_EQ(std::size(sizes), records.size());
  for (std::size_t i = 0; i < records.size(); ++i)
    EXPECT_EQ(records[i].payload.size(), sizes[i]) << log_type_name(records[i].type);
}

TEST(LogRecordTest, EveryOtherSizeIsRefused) {
  for (const NewRecord& record : one_of_each()) {
    if (record.type == kLogCommit) continue;  // its padding may be any length below a page
    const std::size_t fixed = record.payload.size();
    for (std::size_t size = 0; size <= fixed + 9; ++size) {
      Bytes payload = record.payload;
      payload.resize(size);
      const Result<void> checked = check_payload(record.type, payload);
      // Text has no fixed length, but the fields before it do (8, 9, 40 and 12 bytes).
      if (size == fixed || has_text(record.type)) continue;
      ASSERT_FALSE(checked) << log_type_name(record.type) << " " << size;
      EXPECT_EQ(checked.error().code, ErrorCode::kIntegrity);
      EXPECT_NE(checked.error().message.find(log_type_name(record.type)), std::string::npos);
    }
  }
  EXPECT_FALSE(check_payload(kLogSnapshotLabel, Bytes(7)));
  EXPECT_FALSE(check_payload(kLogSnapshotHold, Bytes(8)));
  EXPECT_FALSE(check_payload(kLogResponse, Bytes(39)));
  EXPECT_FALSE(check_payload(kLogDate, Bytes(11)));
  EXPECT_FALSE(check_payload(0x77, Bytes(kLogPayloadMax + 1)));
  EXPECT_TRUE(check_payload(0x77, Bytes(kLogPayloadMax)));
}

struct BadByte {
  std::uint32_t type;
  std::size_t offset;
  int value;
};

TEST(LogRecordTest, ALabelOfIdZeroNamesTheDomain) {
  const SnapshotLabelRecord name{kDomainLabelId, "archive"};
  const Bytes payload = name.encode();
  ASL_ASSERT_OK(check_payload(kLogSnapshotLabel, payload));
  EXPECT_EQ(test::value_of(SnapshotLabelRecord::decode(payload)).snapshot_id, kDomainLabelId);
}

TEST(LogRecordTest, FieldsOutsideTheirValuesAreRefused) {
  const BadByte bad[] = {
      {kLogSegmentSeal, 0, 0},      {kLogSnapshotAnchor, 0, 0}, {kLogSnapshotForget, 0, 0},
      {kLogSnapshotLabel, 9, 0xFF}, {kLogSnapshotHold, 0, 0},   {kLogSnapshotHold, 8, 2},
      {kLogSnapshotHold, 9, 0xC0},  {kLogGenesis, 20, 1},       {kLogGenesis, 20, 2},
      {kLogGenesis, 21, 1},         {kLogGenesis, 23, 1},       {kLogTombstone, 34, 2},
      {kLogTombstone, 38, 5},       {kLogTombstone, 41, 1},     {kLogTombstoneLift, 34, 0},
      {kLogPublish, 0, 0},          {kLogUnpublish, 0, 0},      {kLogResponse, 46, 'x'},
      {kLogResponse, 47, '\n'},     {kLogDomainState, 20, 5},   {kLogDate, 8, 2},
      {kLogDate, 12, 0x80},         {kLogSegmentRetire, 0, 2},  {kLogSegmentRetire, 0, 4},
      {kLogSegmentRetire, 4, 1},    {kLogSegmentRetire, 8, 0},  {kLogCommit, 0, 1},
      {kLogCommit, 4, 1},           {kLogCommit, 40, 1},        {kLogCommit, 50, 1},
  };
  const auto records = one_of_each();
  for (const BadByte& row : bad) {
    const auto good = std::ranges::find(records, row.type, &NewRecord::type);
    Bytes payload = good->payload;
    payload[row.offset] = static_cast<std::byte>(row.value);
    EXPECT_FALSE(check_payload(row.type, payload)) << log_type_name(row.type) << " byte " << row.offset;
  }
}

TEST(LogRecordTest, NullReferencesAreRefused) {
  Bytes payload = ArtifactUnpinRecord{reference_of("x")}.encode();
  payload[0] = payload[1] = std::byte{0};
  EXPECT_FALSE(ArtifactUnpinRecord::decode(payload));
}

TEST(LogRecordTest, RetireOfNothingIsRefused) {
  EXPECT_FALSE(SegmentRetireRecord::decode(SegmentRetireRecord{}.encode()));
}

TEST(LogRecordTest, HugeRetireCountAsksForNoMemory) {
  Bytes payload(8);
  store_le<std::uint32_t>(payload.data(), 0xFFFFFFFF);
  EXPECT_FALSE(SegmentRetireRecord::decode(payload));
}

TEST(LogRecordTest, SaysWhatItMeans) {
  const auto words = [](const NewRecord& record) {
    return take(describe(LogRecord{.logseq = 1, .type = record.type, .payload = record.payload, .hash = {}}))
        .words;
  };
  const auto records = one_of_each();
  for (const NewRecord& record : records) EXPECT_FALSE(words(record).empty());
  EXPECT_EQ(words(records[0]), "segment 5 sealed");
  EXPECT_EQ(words(records[3]), "snapshot 6 labelled \"état\"");
  EXPECT_EQ(words(records[4]), "snapshot 6 held: \"court\"");
  EXPECT_EQ(words(records[17]), "date corrected to 1969-12-31T23:59:55Z: \"clock was wrong\"");
  EXPECT_EQ(words(records[19]), "segments retired: 3 1 2");
  EXPECT_EQ(words(new_record(DateRecord{INT64_MIN, false, ""})), "date confirmed to -9223372036854775808 s");
  EXPECT_EQ(words({0x66, Bytes(3)}), "record of unknown type 0x66, 3 bytes");
  // Terminal control sequences, C1 ones included, stay text.
  EXPECT_EQ(words(new_record(SnapshotLabelRecord{1, "a\x1b[2J\"\xC2\x9B\\"})),
            "snapshot 1 labelled \"a\\u001b[2J\\\"\\u009b\\\\\"");
}

TEST(LogRecordTest, GivesFieldsForJson) {
  const NewRecord hold = new_record(SnapshotHoldRecord{6, true, "court"});
  const LogDescription said =
      take(describe(LogRecord{.logseq = 1, .type = hold.type, .payload = hold.payload, .hash = {}}));
  EXPECT_EQ(said.name, "SNAPSHOT_HOLD");
  ASSERT_EQ(said.fields.size(), 3U);
  EXPECT_EQ(said.fields[0].name, "snapshot_id");
  EXPECT_EQ(std::get<std::uint64_t>(said.fields[0].value), 6U);
  EXPECT_TRUE(std::get<bool>(said.fields[1].value));
  EXPECT_EQ(std::get<std::string>(said.fields[2].value), "court");
}

TEST(LogRecordTest, MalformedRecordsAreNotDescribed) {
  EXPECT_FALSE(describe(LogRecord{.logseq = 1, .type = kLogSegmentSeal, .payload = {}, .hash = {}}));
}

}  // namespace
}  // namespace asl
