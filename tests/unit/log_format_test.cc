// The bytes of a log: the worked example of doc/format-log.md, and groups no writer makes.
#include <algorithm>

#include "format_test_util.h"
#include "log_fixture.h"

namespace asl {
namespace {

using FormatTest = LogTest;

// A group with any COMMIT payload; hashes right unless the caller breaks them afterwards.
std::string raw_group(std::uint64_t logseq, Digest chain, const std::vector<NewRecord>& records) {
  Bytes out;
  for (const NewRecord& record : records) {
    const std::size_t at = out.size();
    out.resize(at + kLogRecordHeadSize);
    store_le<std::uint64_t>(&out[at], logseq++);
    store_le<std::uint32_t>(&out[at + 8], record.type);
    store_le<std::uint32_t>(&out[at + 12], static_cast<std::uint32_t>(record.payload.size()));
    out.insert(out.end(), record.payload.begin(), record.payload.end());
    chain = chain_hash(chain, ByteSpan(out).subspan(at));
    out.insert(out.end(), chain.begin(), chain.end());
  }
  return std::string(as_text(out));
}

// Puts a crafted group after genesis, in place of nothing: what replay makes of it.
class CraftedGroupTest : public LogTest {
 protected:
  CraftedGroupTest() {
    make_log(0);
    chain_ = replay().outcome.end.record_hash;
    good_ = load(path());
  }
  NewRecord commit(std::uint32_t records, std::size_t other_bytes, std::size_t extra = 0) const {
    CommitRecord record;
    record.records = records;
    record.previous_hash = chain_;
    const std::size_t size = other_bytes + kLogRecordOverhead + 40;
    record.padding_bytes = static_cast<std::uint32_t>(round_up(size, 4096) - size + extra);
    return new_record(record);
  }
  Replayed replay_crafted(const std::vector<NewRecord>& records) {
    save(path(), good_ + raw_group(3, chain_, records));
    return replay();
  }
  static std::size_t size_of(const NewRecord& record) { return kLogRecordOverhead + record.payload.size(); }

  Digest chain_{};
  std::string good_;
};

TEST_F(CraftedGroupTest, ARightOneIsTaken) {
  const NewRecord first = anchor(1).front();
  const Replayed seen = replay_crafted({first, commit(2, size_of(first))});
  EXPECT_TRUE(seen.outcome.damage.empty());
  EXPECT_EQ(seen.state.last_logseq(), 4U);
}

TEST_F(CraftedGroupTest, UnknownTypesAreGivenAndRemembered) {
  const NewRecord unknown{0x66, Bytes(100)};
  const Replayed seen = replay_crafted({unknown, commit(2, size_of(unknown))});
  EXPECT_TRUE(seen.outcome.damage.empty());
  EXPECT_EQ(seen.state.unknown_types(), (std::set<std::uint32_t>{0x66}));
}

TEST_F(CraftedGroupTest, OnesThatVerifyButBreakARuleAreDamageAndNeverCut) {
  const NewRecord first = anchor(1).front();
  const std::size_t size = size_of(first);
  NewRecord padded = commit(2, size);
  padded.payload.back() = std::byte{1};
  NewRecord zero_field = commit(2, size);
  zero_field.payload[4] = std::byte{1};
  const NewRecord short_seal{kLogSegmentSeal, Bytes(39)};
  const NewRecord second_genesis = genesis().front();
  const std::vector<std::vector<NewRecord>> groups = {
      {first, commit(3, size)},                              // counts a record too many
      {first, commit(1, size)},                              // too few
      {commit(1, 0)},                                        // nothing but the COMMIT
      {first, padded},                                       // padding that is not zero
      {first, zero_field},                                   // a zero field that is not
      {first, commit(2, size, 4096)},                        // a page more padding than needed
      {first, commit(2, size, 1)},                           // does not end at a page
      {short_seal, commit(2, size_of(short_seal))},          // a payload of the wrong size
      {second_genesis, commit(2, size_of(second_genesis))},  // genesis after the first record
  };
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const Replayed seen = replay_crafted(groups[i]);
    EXPECT_EQ(seen.outcome.damage.size(), 1U) << i;
    EXPECT_FALSE(seen.outcome.torn_tail) << i;
    EXPECT_EQ(seen.state.last_logseq(), 2U) << i;
    EXPECT_FALSE(reopen()) << i;
  }
}

TEST_F(CraftedGroupTest, OnesThatDoNotVerifyAreATornTail) {
  const NewRecord first = anchor(1).front();
  const std::vector<std::vector<NewRecord>> groups = {
      {first},                           // no COMMIT
      {first, {kLogCommit, Bytes(39)}},  // a COMMIT without room for its previous hash
      {{kLogSnapshotLabel, Bytes(kLogPayloadMax + 1)}, commit(2, kLogPayloadMax + 1)},
  };
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const Replayed seen = replay_crafted(groups[i]);
    EXPECT_TRUE(seen.outcome.damage.empty()) << i;
    EXPECT_TRUE(seen.outcome.torn_tail) << i;
    EXPECT_EQ(seen.state.last_logseq(), 2U) << i;
  }
}

TEST_F(CraftedGroupTest, LogseqsNoFileNameCanSayAreNoGroup) {
  const NewRecord first = anchor(1).front();
  for (const std::uint64_t logseq : {std::uint64_t{0}, kLogseqMax + 1, ~std::uint64_t{0}}) {
    save(path(), good_ + raw_group(logseq, chain_, {first, commit(2, size_of(first))}));
    EXPECT_TRUE(replay().outcome.torn_tail) << logseq;
  }
}

TEST_F(CraftedGroupTest, AGroupOverTheLimitIsNotHeldInMemory) {
  const NewRecord large{kLogSnapshotLabel,
                        SnapshotLabelRecord{1, std::string(kLogPayloadMax - 8, 'x')}.encode()};
  std::vector<NewRecord> records(17, large);
  records.push_back(commit(18, 17 * size_of(large)));
  const Replayed seen = replay_crafted(records);
  EXPECT_EQ(seen.state.last_logseq(), 2U);
  EXPECT_TRUE(seen.outcome.torn_tail);
}

TEST_F(FormatTest, HeadAndHeaderRoundTrip) {
  const LogHead head{.logseq = 1, .file_first_logseq = 2, .end_offset = 3, .record_hash = digest_of("x")};
  const auto read = decode_log_head(encode_log_head(head));
  ASSERT_TRUE(read);
  EXPECT_EQ(encode_log_head(*read), encode_log_head(head));
  const Bytes header = encode_log_header({9, domain_, digest_of("y")});
  EXPECT_EQ(encode_log_header(take(decode_log_header(header, "x"))), header);
  EXPECT_FALSE(decode_log_header(ByteSpan(header).first(4095), "x"));
}

TEST_F(FormatTest, OnlySixteenDigitNamesAreLogFiles) {
  std::filesystem::create_directories(files().directory());
  for (const char* name : {"log-0000000000000007.aol", "log-7.aol", "log-0000000000000008.aol.new",
                           "log-00000000000000x9.aol", "torn-7", "head", "log-9999999999999999.aol"})
    save(files().directory() + "/" + name, "");
  EXPECT_EQ(take(files().list(io_)), (std::vector<std::uint64_t>{7, kLogseqMax}));
}

TEST_F(FormatTest, TheWorkedExampleIsWhatTheWriterWrites) {
  LogWriter writer = create();
  take(writer.append(std::vector<NewRecord>{new_record(SegmentSealRecord{1, digest_of("segment")}),
                                            new_record(SnapshotAnchorRecord{1, reference_of("snapshot")})}));
  const std::string bytes = load(path());
  const auto part = [&](std::size_t begin, std::size_t size) {
    const ByteSpan span = as_bytes(bytes).subspan(begin, size);
    return Bytes(span.begin(), span.end());
  };
  EXPECT_EQ(test::doc_example("format-log.md", 0), part(0, 96));
  EXPECT_EQ(test::doc_example("format-log.md", 1), part(4096, 160));
  EXPECT_EQ(test::doc_example("format-log.md", 2), part(8192 - 32, 32));
  EXPECT_EQ(test::doc_example("format-log.md", 3), part(8192, 234));
  EXPECT_EQ(test::doc_example("format-log.md", 4), part(12288 - 32, 32));
  EXPECT_TRUE(all_zero(part(96, 4000)));
  EXPECT_TRUE(all_zero(part(8192 + 234, 4096 - 234 - 32)));
  const std::string head = load(files().head_path());
  EXPECT_EQ(to_hex(test::doc_example("format-log.md", 5)), to_hex(as_bytes(head)));
  EXPECT_EQ(bytes.size(), 12288U);
}

}  // namespace
}  // namespace asl
