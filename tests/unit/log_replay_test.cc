// Replay of sound logs and of every kind of damage.
#include <algorithm>
#include <numeric>

#include "log_fixture.h"

namespace asl {
namespace {

using ReplayTest = LogTest;

std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> out(last - first + 1);
  std::iota(out.begin(), out.end(), first);
  return out;
}

void expect_damage(const ReplayOutcome& outcome, std::string_view message, std::string_view path) {
  ASSERT_FALSE(outcome.damage.empty());
  const Error& error = outcome.damage.front().error;
  EXPECT_EQ(error.code, ErrorCode::kIntegrity);
  EXPECT_EQ(exit_code(error.code), 5);
  EXPECT_NE(error.message.find(message), std::string::npos) << error.message;
  EXPECT_EQ(error.path, path);
  EXPECT_TRUE(error.offset.has_value());
  EXPECT_FALSE(outcome.torn_tail.has_value());
  EXPECT_TRUE(outcome.beyond_head.empty());
}

TEST_F(ReplayTest, GivesEveryRecordInOrder) {
  make_log(3);
  const Replayed seen = replay();
  EXPECT_EQ(seen.logseqs, numbers(1, 8));
  EXPECT_TRUE(seen.outcome.damage.empty());
  EXPECT_FALSE(seen.outcome.torn_tail);
  EXPECT_EQ(seen.outcome.head_state, LogHeadState::kGood);
  EXPECT_TRUE(seen.outcome.beyond_head.empty());
  EXPECT_EQ(seen.outcome.domain_id, domain_);
  EXPECT_EQ(seen.outcome.end.end_offset, 4096U * 5);
  EXPECT_EQ(seen.state.snapshots().size(), 3U);
  EXPECT_EQ(seen.state.last_logseq(), 8U);
  EXPECT_EQ(seen.state.record_hash(), seen.outcome.end.record_hash);
}

TEST_F(ReplayTest, MissingDirectoryIsNotFound) {
  const auto ignore = [](const LogGroup&) { return Result<void>{}; };
  const auto result = replay_log(io_, files(), {}, ignore);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
}

TEST_F(ReplayTest, GoesOnFromAPosition) {
  make_log(2);
  const Replayed first = replay();
  LogWriter writer = take(reopen());
  take(writer.append(anchor(3)));
  std::vector<std::uint64_t> logseqs;
  LogState state = first.state;
  const auto go_on = [&](const LogGroup& group) {
    for (const LogRecord& record : group.records) logseqs.push_back(record.logseq);
    return state.apply(group.records);
  };
  const auto second =
      take(replay_log(io_, files(), {.from = first.outcome.end, .domain_id = domain_}, go_on));
  EXPECT_EQ(logseqs, numbers(7, 8));
  EXPECT_TRUE(second.damage.empty());
  EXPECT_NE(state.find_snapshot(3), nullptr);
  const auto third = take(replay_log(io_, files(), {.from = second.end, .domain_id = domain_}, go_on));
  EXPECT_EQ(logseqs.size(), 2U);
  EXPECT_EQ(third.end.logseq, 8U);
}

TEST_F(ReplayTest, PositionOfAnotherHistoryIsNotFound) {
  make_log(2);
  const auto ignore = [](const LogGroup&) { return Result<void>{}; };
  LogPosition wrong = replay().outcome.end;
  wrong.record_hash[0] ^= std::byte{1};
  const auto other_hash = replay_log(io_, files(), {.from = wrong, .domain_id = {}}, ignore);
  ASSERT_FALSE(other_hash);
  EXPECT_EQ(other_hash.error().code, ErrorCode::kNotFound);
  wrong = replay().outcome.end;
  wrong.end_offset += 4096;
  EXPECT_FALSE(replay_log(io_, files(), {.from = wrong, .domain_id = {}}, ignore));
  wrong = replay().outcome.end;
  wrong.file_first_logseq = 3;
  EXPECT_FALSE(replay_log(io_, files(), {.from = wrong, .domain_id = {}}, ignore));
}

TEST_F(ReplayTest, AnyFlippedByteOfAnOlderGroupIsDamage) {
  make_log(3);
  const std::string good = load(path());
  // Every 97th byte of the second group (records 3 and 4), and each byte of its first record.
  for (std::size_t at = 8192; at < 12288; at += at < 8192 + 90 ? 1 : 97) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    save(path(), bytes);
    const Replayed seen = replay();
    ASSERT_EQ(seen.outcome.damage.size(), 1U) << at;
    expect_damage(seen.outcome, "", path());
    EXPECT_EQ(seen.outcome.damage[0].error.offset, 8192U);
    EXPECT_EQ(seen.outcome.damage[0].missing_first, 3U);
    EXPECT_EQ(seen.outcome.damage[0].missing_last, 4U);
    // Everything else is still there.
    EXPECT_EQ(seen.logseqs, (std::vector<std::uint64_t>{1, 2, 5, 6, 7, 8}));
    EXPECT_EQ(seen.state.find_snapshot(1), nullptr);
    EXPECT_NE(seen.state.find_snapshot(3), nullptr);
  }
}

TEST_F(ReplayTest, FlippedByteInTheLastGroupHeadVouchesForIsDamage) {
  make_log(2);
  flip(path(), 12288 + 20);
  const Replayed seen = replay();
  expect_damage(seen.outcome, "hash", path());
  EXPECT_EQ(seen.logseqs, numbers(1, 4));
}

TEST_F(ReplayTest, TruncationAtEveryByteOfTheLastGroupIsATornTailWithoutHead) {
  make_log(2);
  remove_head();
  ASSERT_EQ(load(path()).size(), 16384U);
  for (std::size_t size = 16383; size >= 12288; --size) {
    std::filesystem::resize_file(path(), size);
    const Replayed seen = replay();
    ASSERT_TRUE(seen.outcome.damage.empty()) << size;
    EXPECT_EQ(seen.logseqs.size(), 4U);
    EXPECT_EQ(seen.outcome.torn_tail.has_value(), size != 12288) << size;
    if (seen.outcome.torn_tail) {
      EXPECT_EQ(seen.outcome.torn_tail->begin, 12288U);
      EXPECT_EQ(seen.outcome.torn_tail->end, size);
    }
  }
}

TEST_F(ReplayTest, TruncationBelowHeadIsDamage) {
  make_log(2);
  for (const std::size_t size : {12288U, 12289U, 16383U, 4096U, 100U, 0U}) {
    const std::string good = load(path());
    std::filesystem::resize_file(path(), size);
    EXPECT_FALSE(replay().outcome.damage.empty()) << size;
    save(path(), good);
  }
}

TEST_F(ReplayTest, TornPagesAndSectorsOfTheLastGroupAreATornTail) {
  {
    LogWriter writer = create();
    std::vector<NewRecord> many;
    for (std::uint64_t id = 1; id <= 200; ++id) many.push_back(anchor(id).front());
    take(writer.append(many));
  }
  // Head as it was before the last group.
  const std::string good = load(path());
  remove_head();
  ASSERT_GT(good.size(), 8192U + 4 * 4096);
  for (const std::size_t unit : {512U, 4096U}) {
    for (std::size_t at = 8192; at < good.size(); at += unit) {
      std::string bytes = good;
      const std::string lost(unit, '\0');
      if (bytes.compare(at, unit, lost) == 0) continue;  // padding of the commit record
      bytes.replace(at, unit, lost);
      save(path(), bytes);
      const Replayed seen = replay();
      ASSERT_TRUE(seen.outcome.damage.empty()) << unit << " at " << at;
      ASSERT_TRUE(seen.outcome.torn_tail) << unit << " at " << at;
      EXPECT_EQ(seen.outcome.torn_tail->begin, 8192U);
      EXPECT_EQ(seen.logseqs, numbers(1, 2));
    }
  }
}

TEST_F(ReplayTest, BrokenGroupBeforeOneThatVerifiesIsDamageEvenBeyondHead) {
  make_log(3);
  remove_head();
  flip(path(), 12288 + 30);
  const Replayed seen = replay();
  expect_damage(seen.outcome, "hash", path());
  EXPECT_EQ(seen.logseqs, (std::vector<std::uint64_t>{1, 2, 3, 4, 7, 8}));
  EXPECT_EQ(seen.outcome.damage[0].missing_first, 5U);
  EXPECT_EQ(seen.outcome.damage[0].missing_last, 6U);
}

TEST_F(ReplayTest, ZeroFilledTailIsTorn) {
  make_log(2);
  save(path(), load(path()) + std::string(10000, '\0'));
  const Replayed seen = replay();
  EXPECT_TRUE(seen.outcome.damage.empty());
  ASSERT_TRUE(seen.outcome.torn_tail);
  EXPECT_EQ(seen.outcome.torn_tail->begin, 16384U);
  EXPECT_EQ(seen.logseqs, numbers(1, 6));
}

TEST_F(ReplayTest, RepeatedGroupIsDamage) {
  make_log(2);
  const std::string bytes = load(path());
  save(path(), bytes + bytes.substr(8192, 4096));
  const Replayed seen = replay();
  expect_damage(seen.outcome, "again", path());
  EXPECT_EQ(seen.logseqs, numbers(1, 6));
}

TEST_F(ReplayTest, GroupsOfAnotherHistoryAreNotApplied) {
  make_log(1);
  const std::string common = load(path());
  {
    LogWriter writer = take(reopen());
    take(writer.append(anchor(7)));
    take(writer.append(anchor(8)));
  }
  const std::string fork = load(path());
  save(path(), common);
  remove_head();
  {
    LogWriter writer = take(reopen());
    take(writer.append(anchor(2)));
    take(writer.append(anchor(3)));
  }
  // The third group of one history, the fourth of the other.
  std::string mixed = load(path());
  mixed.replace(16384, 4096, fork.substr(16384, 4096));
  save(path(), mixed);
  remove_head();
  const Replayed seen = replay();
  expect_damage(seen.outcome, "chain breaks", path());
  EXPECT_EQ(seen.logseqs, numbers(1, 6));
  EXPECT_EQ(seen.state.find_snapshot(8), nullptr);
}

TEST_F(ReplayTest, MissingMiddleFileIsAGap) {
  make_log(6, {.rotate_bytes = 3 * 4096});
  const auto list = take(files().list(io_));
  ASSERT_EQ(list, (std::vector<std::uint64_t>{1, 5, 9, 13}));
  std::filesystem::remove(path(5));
  const Replayed seen = replay();
  expect_damage(seen.outcome, "lacks records", path(9));
  EXPECT_EQ(seen.outcome.damage.size(), 1U);
  EXPECT_EQ(seen.outcome.damage[0].missing_first, 5U);
  EXPECT_EQ(seen.outcome.damage[0].missing_last, 8U);
  EXPECT_EQ(seen.state.snapshots().size(), 4U);
}

TEST_F(ReplayTest, MissingFirstAndNewestFilesAreDamage) {
  make_log(6, {.rotate_bytes = 3 * 4096});
  const std::string first = load(path(1));
  std::filesystem::remove(path(1));
  const Replayed without_first = replay();
  expect_damage(without_first.outcome, "lacks records", path(5));
  EXPECT_FALSE(without_first.state.genesis());
  EXPECT_EQ(without_first.state.snapshots().size(), 5U);
  save(path(1), first);
  std::filesystem::remove(path(13));
  expect_damage(replay().outcome, "log/head names record 14", files().head_path());
}

TEST_F(ReplayTest, SwappedFilesAreDamage) {
  make_log(6, {.rotate_bytes = 3 * 4096});
  const std::string five = load(path(5));
  save(path(5), load(path(9)));
  save(path(9), five);
  const Replayed seen = replay();
  expect_damage(seen.outcome, "name and header disagree", path(5));
  EXPECT_NE(seen.state.find_snapshot(6), nullptr);
}

TEST_F(ReplayTest, FileOfAnotherDomainIsRefusedWhole) {
  make_log(6, {.rotate_bytes = 3 * 4096});
  flip(path(5), 32);
  const Replayed seen = replay();
  expect_damage(seen.outcome, "another domain", path(5));
  EXPECT_EQ(seen.outcome.damage[0].error.offset, 32U);
  EXPECT_EQ(seen.state.find_snapshot(2), nullptr);
  EXPECT_NE(seen.state.find_snapshot(5), nullptr);
  DomainId other = domain_;
  other[0] ^= std::byte{1};
  const Replayed foreign = replay({.from = {}, .domain_id = other});
  EXPECT_FALSE(foreign.outcome.damage.empty());
}

TEST_F(ReplayTest, EveryHeaderFieldIsChecked) {
  make_log(1);
  const std::string good = load(path());
  for (const std::size_t at : {0U, 8U, 12U, 16U, 24U, 52U, 56U, 88U, 4095U}) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    save(path(), bytes);
    const Replayed seen = replay();
    ASSERT_EQ(seen.outcome.damage.size(), 1U) << at;
    EXPECT_EQ(*seen.outcome.damage[0].error.offset, at == 4095 ? 88U : at);
    EXPECT_EQ(seen.logseqs, numbers(1, 4)) << at;  // the groups verify by themselves
  }
}

TEST_F(ReplayTest, StaleHeadLeavesGroupsBeyondItAndSyncsBeforeTheyAreSeen) {
  make_log(1);
  const std::string head = load(files().head_path());
  take(take(reopen()).append(anchor(2)));
  save(files().head_path(), head);
  io_.syncs = 0;
  int syncs_when_seen = -1;
  const auto note = [&](const LogGroup& group) -> Result<void> {
    if (group.records.front().logseq < 5) {
      EXPECT_EQ(io_.syncs, 0);
    }
    if (group.records.front().logseq == 5) syncs_when_seen = io_.syncs;
    return {};
  };
  const ReplayOutcome outcome = take(replay_log(io_, files(), {}, note));
  EXPECT_EQ(syncs_when_seen, 1);
  ASSERT_EQ(outcome.beyond_head.size(), 1U);
  EXPECT_EQ(outcome.beyond_head[0].begin, 12288U);
  EXPECT_EQ(outcome.beyond_head[0].end, 16384U);
}

TEST_F(ReplayTest, NothingBeyondHeadIsSeenIfItsFileCannotBeSynced) {
  make_log(2);
  remove_head();
  const auto ignore = [](const LogGroup&) { return Result<void>{}; };
  io_.sync_errno = EIO;
  const auto failed = replay_log(io_, files(), {}, ignore);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kIo);
  io_.sync_errno = EROFS;
  EXPECT_EQ(take(replay_log(io_, files(), {}, ignore)).end.logseq, 6U);
}

TEST_F(ReplayTest, HeadThatFailsItsOwnHashIsIgnored) {
  make_log(2);
  const std::string good = load(files().head_path());
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    save(files().head_path(), bytes);
    const ReplayOutcome outcome = replay().outcome;
    EXPECT_EQ(outcome.head_state, LogHeadState::kIgnored);
    EXPECT_TRUE(outcome.damage.empty());
    ASSERT_EQ(outcome.beyond_head.size(), 1U);
    EXPECT_EQ(outcome.beyond_head[0].begin, 0U);
  }
  save(files().head_path(), good + "x");
  EXPECT_EQ(replay().outcome.head_state, LogHeadState::kIgnored);
  save(files().head_path(), good.substr(1));
  EXPECT_EQ(replay().outcome.head_state, LogHeadState::kIgnored);
  remove_head();
  EXPECT_EQ(replay().outcome.head_state, LogHeadState::kMissing);
}

TEST_F(ReplayTest, HeadThatVerifiesButIsNotInTheLogIsDamage) {
  make_log(2);
  const LogHead good = *decode_log_head(as_bytes(load(files().head_path())));
  std::vector<LogHead> wrong(5, good);
  wrong[0].logseq = 8;  // ahead: a log rolled back
  wrong[1].logseq = 5;  // no group ends there
  wrong[2].record_hash[0] ^= std::byte{1};
  wrong[3].end_offset = 12288;
  wrong[4].file_first_logseq = 5;
  for (const LogHead& head : wrong) {
    save(files().head_path(), as_text(encode_log_head(head)));
    const ReplayOutcome outcome = replay().outcome;
    ASSERT_FALSE(outcome.damage.empty());
    EXPECT_NE(outcome.damage.back().error.message.find("log/head names"), std::string::npos);
  }
}

TEST_F(ReplayTest, NewestFileWithoutAGroupIsNoDamage) {
  make_log(2, {.rotate_bytes = 3 * 4096});
  ASSERT_EQ(take(files().list(io_)), (std::vector<std::uint64_t>{1, 5}));
  const std::string header = load(path(5)).substr(0, 4096);
  const std::string head = load(files().head_path());
  std::filesystem::remove(path(5));
  remove_head();
  for (const std::string& left : {std::string(), std::string(10, 'x'), std::string(4096, '\0'), header,
                                  header + std::string(700, 'y')}) {
    save(path(5), left);
    const Replayed seen = replay();
    EXPECT_TRUE(seen.outcome.damage.empty()) << left.size();
    EXPECT_EQ(seen.outcome.empty_newest, 5U) << left.size();
    EXPECT_EQ(seen.logseqs, numbers(1, 4));
  }
  save(files().head_path(), head);  // head says there was a group
  EXPECT_FALSE(replay().outcome.damage.empty());
}

TEST_F(ReplayTest, OlderFileMustEndWithAGroup) {
  make_log(3, {.rotate_bytes = 3 * 4096});
  const std::string good = load(path(1));
  save(path(1), good + "x");
  EXPECT_FALSE(replay().outcome.damage.empty());
  save(path(1), good.substr(0, good.size() - 1));
  const Replayed seen = replay();
  EXPECT_FALSE(seen.outcome.damage.empty());
  EXPECT_EQ(seen.logseqs, (std::vector<std::uint64_t>{1, 2, 5, 6, 7, 8}));
}

TEST_F(ReplayTest, ARecordTheStateRefusesIsDamageAndReadingGoesOn) {
  {
    LogWriter writer = create();
    take(writer.append(anchor(1)));
    take(writer.append(anchor(1)));
    take(writer.append(anchor(2)));
  }
  const Replayed seen = replay();
  expect_damage(seen.outcome, "anchored twice", path());
  EXPECT_EQ(seen.outcome.damage[0].error.offset, 12288U);
  EXPECT_EQ(seen.state.snapshots().size(), 2U);
}

TEST_F(ReplayTest, CallbackErrorsOtherThanIntegrityStopTheReplay) {
  make_log(2);
  int groups = 0;
  const auto stop = [&](const LogGroup&) -> Result<void> {
    if (++groups == 2) return fail(ErrorCode::kInterrupted, "stopped");
    return {};
  };
  const auto result = replay_log(io_, files(), {}, stop);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(groups, 2);
}

TEST_F(ReplayTest, ReadsGroupsLargerThanOneRead) {
  std::uint64_t records = 0;
  {
    LogWriter writer = create();
    for (int group = 0; group < 3; ++group) {
      std::vector<NewRecord> many;
      for (int i = 0; i < 30000; ++i) many.push_back(new_record(ArtifactUnpinRecord{reference_of("x")}));
      take(writer.append(many));
      records += many.size() + 1;
    }
  }
  const Replayed seen = replay();
  EXPECT_TRUE(seen.outcome.damage.empty());
  EXPECT_EQ(seen.logseqs, numbers(1, records + 2));
}

}  // namespace
}  // namespace asl
