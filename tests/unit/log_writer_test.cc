// Appending, rotation, and what a writer does with what a dead one left.
#include <algorithm>

#include "log_fixture.h"

namespace asl {
namespace {

using WriterTest = LogTest;

TEST_F(WriterTest, WritesAGroupAsOnePaddedWriteAndMovesHead) {
  LogWriter writer = create();
  io_.writes.clear();
  const AppendedGroup appended = take(writer.append(anchor(1)));
  EXPECT_EQ(appended.first_logseq, 3U);
  EXPECT_EQ(appended.last_logseq, 4U);
  EXPECT_EQ(appended.end.end_offset, 12288U);
  EXPECT_FALSE(appended.head_error);
  ASSERT_EQ(io_.writes.size(), 2U);
  EXPECT_EQ(io_.writes[0], (std::pair<std::uint64_t, std::size_t>{8192, 4096}));
  EXPECT_EQ(io_.writes[1], (std::pair<std::uint64_t, std::size_t>{0, kLogHeadSize}));
  const auto head = decode_log_head(as_bytes(load(files().head_path())));
  ASSERT_TRUE(head);
  EXPECT_EQ(head->logseq, 4U);
  EXPECT_EQ(head->record_hash, appended.record_hash);
  EXPECT_EQ(replay().outcome.end.record_hash, appended.record_hash);
}

TEST_F(WriterTest, EveryPaddingLengthIsReadBack) {
  LogWriter writer = create();
  std::uint64_t id = 0;
  // Labels of every length around a page boundary, so that the COMMIT ends at, before and after one.
  for (std::size_t length = 3800; length < 4096; ++length) {
    ++id;
    std::vector<NewRecord> group = anchor(id);
    group.push_back(new_record(SnapshotLabelRecord{id, std::string(length, 'x')}));
    ASSERT_EQ(take(writer.append(group)).end.end_offset % 4096, 0U);
  }
  const Replayed seen = replay();
  EXPECT_TRUE(seen.outcome.damage.empty());
  EXPECT_EQ(seen.state.snapshots().size(), id);
}

TEST_F(WriterTest, RefusesWhatCannotBeWrittenAndStaysUsable) {
  LogWriter writer = take(LogWriter::create(io_, files(), domain_, {}));
  const auto refused = [&](const std::vector<NewRecord>& records) {
    const auto result = writer.append(records);
    return !result && result.error().code == ErrorCode::kUsage;
  };
  EXPECT_TRUE(refused(anchor(1)));  // genesis comes first
  take(writer.append(genesis()));
  EXPECT_TRUE(refused(genesis()));
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({{kLogCommit, CommitRecord{}.encode()}}));
  EXPECT_TRUE(refused({{0x66, {}}}));
  EXPECT_TRUE(refused({{kLogSegmentSeal, Bytes(39)}}));
  EXPECT_TRUE(refused({new_record(SnapshotLabelRecord{1, std::string(kLogPayloadMax, 'x')})}));
  const NewRecord large = new_record(SnapshotLabelRecord{1, std::string(kLogPayloadMax - 8, 'x')});
  EXPECT_TRUE(refused(std::vector<NewRecord>(16, large)));
  EXPECT_TRUE(writer.append(anchor(1)));
}

TEST_F(WriterTest, RotatesBeforeAFileWouldPassItsSize) {
  make_log(6, {.rotate_bytes = 3 * 4096});
  EXPECT_EQ(take(files().list(io_)), (std::vector<std::uint64_t>{1, 5, 9, 13}));
  for (const std::uint64_t first : {1U, 5U, 9U}) EXPECT_EQ(load(path(first)).size(), 3 * 4096U);
  const Replayed seen = replay();
  EXPECT_TRUE(seen.outcome.damage.empty());
  EXPECT_EQ(seen.state.snapshots().size(), 6U);
  // A group larger than the rotation size still fits into a file of its own.
  LogWriter writer = take(reopen({.rotate_bytes = 4096}));
  take(writer.append(anchor(7)));
  take(writer.append(anchor(8)));
  EXPECT_EQ(replay().state.snapshots().size(), 8U);
}

TEST_F(WriterTest, CreateMakesADurableEmptyLogOnce) {
  {
    const LogWriter writer = take(LogWriter::create(io_, files(), domain_, {}));
  }
  EXPECT_GE(io_.syncs, 1);
  EXPECT_GE(io_.directory_syncs, 2);
  const Replayed empty = replay();
  EXPECT_EQ(empty.outcome.end.logseq, 0U);
  EXPECT_TRUE(empty.outcome.damage.empty());
  const auto opened = LogWriter::open(io_, files(), empty.outcome, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
  // An interrupted creation is begun again; a log with a group is not.
  create();
  const auto again = LogWriter::create(io_, files(), domain_, {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kRefused);
}

TEST_F(WriterTest, CutsATornTailAndKeepsIt) {
  make_log(2);
  const std::string good = load(path());
  save(path(), good + "torn bytes");
  {
    LogWriter writer = take(reopen());
    EXPECT_EQ(writer.tail_kept(), files().torn_path(7, 1));
    EXPECT_EQ(load(writer.tail_kept()), "torn bytes");
    EXPECT_EQ(load(path()), good);
  }
  // A second tail at the same place does not replace the first.
  save(path(), good + "more");
  LogWriter writer = take(reopen());
  EXPECT_EQ(load(files().torn_path(7, 1)), "torn bytes");
  EXPECT_EQ(load(files().torn_path(7, 2)), "more");
  EXPECT_EQ(take(writer.append(anchor(3))).first_logseq, 7U);
  EXPECT_TRUE(replay().outcome.damage.empty());
}

TEST_F(WriterTest, WritesEveryGroupBeyondHeadAgainBeforeItAppends) {
  make_log(1);
  const std::string head = load(files().head_path());
  {
    LogWriter writer = take(reopen());
    take(writer.append(anchor(2)));
    take(writer.append(anchor(3)));
  }
  const std::string good = load(path());
  save(files().head_path(), head);
  const ReplayOutcome outcome = replay().outcome;
  io_.writes.clear();
  io_.syncs = io_.directory_syncs = 0;
  const LogWriter writer = take(LogWriter::open(io_, files(), outcome, {}));
  ASSERT_EQ(io_.writes.size(), 2U);
  EXPECT_EQ(io_.writes[0], (std::pair<std::uint64_t, std::size_t>{12288, 8192}));
  EXPECT_EQ(io_.writes[1].second, kLogHeadSize);
  EXPECT_EQ(io_.syncs, 1);
  EXPECT_EQ(io_.directory_syncs, 1);
  EXPECT_EQ(load(path()), good);
  EXPECT_TRUE(replay().outcome.beyond_head.empty());
}

TEST_F(WriterTest, HeadInAnOlderFileHasLaterFilesWrittenAgainWhole) {
  make_log(1, {.rotate_bytes = 3 * 4096});
  const std::string head = load(files().head_path());
  {
    LogWriter writer = take(reopen({.rotate_bytes = 3 * 4096}));
    for (std::uint64_t id = 2; id <= 4; ++id) take(writer.append(anchor(id)));
  }
  save(files().head_path(), head);
  const ReplayOutcome outcome = replay().outcome;
  ASSERT_EQ(outcome.beyond_head.size(), 2U);
  EXPECT_EQ(outcome.beyond_head[0].begin, 0U);
  EXPECT_EQ(outcome.beyond_head[0].end, 3 * 4096U);
  EXPECT_EQ(outcome.beyond_head[1].end, 2 * 4096U);
  EXPECT_TRUE(LogWriter::open(io_, files(), outcome, {}));
}

TEST_F(WriterTest, MakesANewestFileWithoutAGroupAnew) {
  make_log(1, {.rotate_bytes = 3 * 4096});
  for (const std::string& left : {std::string(), std::string(3000, '\0'), std::string(5000, 'x')}) {
    save(path(5), left);
    LogWriter writer = take(reopen());
    EXPECT_EQ(writer.tail_kept().empty(), left.empty());
    EXPECT_EQ(load(path(5)).size(), 4096U);
  }
  LogWriter writer = take(reopen());
  take(writer.append(anchor(2)));
  EXPECT_EQ(replay().logseqs.back(), 6U);
  EXPECT_EQ(take(files().list(io_)), (std::vector<std::uint64_t>{1, 5}));
}

TEST_F(WriterTest, OpensNoDamagedLog) {
  make_log(3);
  flip(path(), 8200);
  const std::string damaged = load(path());
  const auto opened = reopen();
  ASSERT_FALSE(opened);
  EXPECT_EQ(exit_code(opened.error().code), 5);
  EXPECT_FALSE(opened.error().hint.empty());
  EXPECT_EQ(load(path()), damaged);
}

TEST_F(WriterTest, OpensNoLogThatChangedSinceItsReplay) {
  make_log(1);
  const ReplayOutcome outcome = replay().outcome;
  take(take(reopen()).append(anchor(2)));
  EXPECT_FALSE(LogWriter::open(io_, files(), outcome, {}));
}

TEST_F(WriterTest, FailedSyncCutsTheGroupOffAndEndsTheWriter) {
  LogWriter writer = create();
  const std::string before = load(path());
  io_.data_sync_fails = true;
  const auto failed = writer.append(anchor(1));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kIo);
  EXPECT_EQ(load(path()), before);
  const auto later = writer.append(anchor(1));
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, ErrorCode::kIo);
  EXPECT_EQ(load(path()), before);
  EXPECT_EQ(take(take(reopen()).append(anchor(1))).first_logseq, 3U);
}

TEST_F(WriterTest, ShortWriteOnAFullDiskIsCutOff) {
  LogWriter writer = create();
  const std::string before = load(path());
  io_.write_fails_after = 1000;
  const auto failed = writer.append(anchor(1));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(load(path()), before);
  EXPECT_FALSE(writer.append(anchor(1)));
}

TEST_F(WriterTest, FailedRotationEndsTheWriterAndLeavesASoundLog) {
  make_log(1, {.rotate_bytes = 3 * 4096});
  {
    LogWriter writer = take(reopen({.rotate_bytes = 3 * 4096}));
    io_.write_fails_after = 100;
    EXPECT_FALSE(writer.append(anchor(2)));
    EXPECT_FALSE(writer.append(anchor(2)));
  }
  EXPECT_EQ(replay().outcome.empty_newest, 5U);
  take(take(reopen()).append(anchor(2)));
  EXPECT_EQ(replay().state.snapshots().size(), 2U);
}

TEST_F(WriterTest, HeadThatCannotBeWrittenIsReportedButTheGroupStands) {
  make_log(1);
  remove_head();
  std::filesystem::create_directory(files().head_path());
  LogWriter writer = take(reopen());
  const AppendedGroup appended = take(writer.append(anchor(2)));
  EXPECT_TRUE(appended.head_error);
  EXPECT_EQ(replay().outcome.end.logseq, appended.last_logseq);
}

TEST_F(WriterTest, ReaderBesideAWriterDoesNotMistakeAHalfSeenGroupForDamage) {
  make_log(2);
  const std::string good = load(path());
  remove_head();
  // The first read sees the second group unfinished but the third one whole; the next read sees both.
  std::string half = good;
  half.replace(8192 + 50, 100, std::string(100, '\0'));
  save(path(), half);
  io_.after_reads[path()] = [&] { save(path(), good); };
  const Replayed seen = replay();
  EXPECT_TRUE(seen.outcome.damage.empty());
  EXPECT_EQ(seen.logseqs.size(), 6U);
}

}  // namespace
}  // namespace asl
