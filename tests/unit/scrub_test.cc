// What a scrub remembers, which blocks it chooses, and damage that nothing needs any more.
#include <atomic>
#include <gtest/gtest.h>
#include <limits>
#include <thread>

#include <asl/engine/gc.h>
#include <asl/engine/hash.h>

#include "maintain/read_pacer.h"
#include "maintain/scrub_history.h"
#include "maintain/scrub_plan.h"
#include "store_fixture.h"

namespace asl {
namespace {

using test::flip_byte;
using test::put_all;
using test::random_bytes;
using test::read_artifact;
using test::StoreTest;
using test::value_of;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::uint64_t kDay = 86'400;

BlockId id_of(std::uint8_t number) {
  BlockId id{};
  id[0] = std::byte{number};
  return id;
}

TEST(ScrubHistory, KeepsTheLastCheckOfEachFileAcrossTornRecords) {
  const test::TempDirectory directory;
  const auto io = io::make_plain_io();
  const std::string path = directory / "scrub";
  EXPECT_FALSE(ScrubHistory::load(*io, path).find(id_of(1), 5));
  {
    ScrubHistory history = ScrubHistory::load(*io, path);
    history.note(id_of(1), {.time_s = 100, .change_ns = 5, .damaged = true});
    history.note(id_of(2), {.time_s = 200, .change_ns = 6, .damaged = false});
    // A clock that went backwards: what came later counts.
    history.note(id_of(1), {.time_s = 50, .change_ns = 5, .damaged = false});
  }
  {
    std::ofstream torn(path, std::ios::binary | std::ios::app);
    torn << "half a record";
  }
  ScrubHistory history = ScrubHistory::load(*io, path);
  ASSERT_TRUE(history.find(id_of(1), 5));
  EXPECT_EQ(history.find(id_of(1), 5)->time_s, 50);
  EXPECT_FALSE(history.find(id_of(1), 5)->damaged);
  EXPECT_FALSE(history.find(id_of(1), 6)) << "another file under that name was never read";
  history.note(id_of(3), {.time_s = 300, .change_ns = 7, .damaged = false});
  EXPECT_EQ(test::fs::file_size(path), 4 * 64U) << "the torn record is written over";
  EXPECT_TRUE(ScrubHistory::load(*io, path).find(id_of(3), 7));

  flip_byte(path, 64 + 33);  // a time
  EXPECT_FALSE(ScrubHistory::load(*io, path).find(id_of(2), 6)) << "its sum fails";
  EXPECT_TRUE(ScrubHistory::load(*io, path).find(id_of(3), 7));
}

TEST(ScrubHistory, IsWrittenAnewOnceMostOfItIsSuperseded) {
  const test::TempDirectory directory;
  const auto io = io::make_plain_io();
  ScrubHistory history = ScrubHistory::load(*io, directory / "scrub");
  for (std::int64_t time = 0; time < 1100; ++time)
    history.note(id_of(1), {.time_s = time, .change_ns = 5, .damaged = false});
  history.compact();
  EXPECT_EQ(test::fs::file_size(directory / "scrub"), 64U);
  EXPECT_EQ(ScrubHistory::load(*io, directory / "scrub").find(id_of(1), 5)->time_s, 1099);
}

ScrubCandidate candidate(std::uint8_t number, std::optional<std::int64_t> checked,
                         std::uint64_t bytes = 100) {
  return {.id = id_of(number), .length_bytes = bytes, .checked_at_s = checked, .device_offset = {}};
}

std::vector<int> numbers(std::vector<ScrubCandidate> blocks) {
  std::vector<int> result;
  for (const ScrubCandidate& block : blocks) result.push_back(static_cast<int>(block.id[0]));
  std::sort(result.begin(), result.end());
  return result;
}

TEST(ScrubPlan, MaxAgeLeavesOutWhatWasReadLately) {
  std::vector<ScrubCandidate> blocks{candidate(1, kNow - 10),
                                     candidate(2, std::nullopt),
                                     candidate(3, kNow - static_cast<std::int64_t>(31 * kDay)),
                                     candidate(4, kNow + 1),
                                     candidate(5, kNow - 10),
                                     candidate(6, -1),
                                     candidate(7, std::numeric_limits<std::int64_t>::min())};
  blocks[4].was_damaged = true;
  const ScrubChoice month{.now_s = kNow, .max_age_s = 30 * kDay, .sample_ppm = {}};
  EXPECT_EQ(numbers(choose_blocks(blocks, month)), (std::vector{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(choose_blocks(blocks, {.now_s = kNow, .max_age_s = 0, .sample_ppm = {}}).size(), blocks.size());
  // The clock is now before all of them: none of them is believed.
  EXPECT_EQ(choose_blocks(blocks, {.now_s = 5, .max_age_s = 30 * kDay, .sample_ppm = {}}).size(),
            blocks.size());
}

TEST(ScrubPlan, ASampleTakesWhatWasNotReadForTheLongestTime) {
  const std::vector<ScrubCandidate> blocks{candidate(1, kNow - 10), candidate(2, kNow - 30),
                                           candidate(3, kNow - 20), candidate(4, std::nullopt),
                                           candidate(5, kNow + 9)};
  const auto sample = [&](std::uint32_t ppm) {
    return numbers(choose_blocks(blocks, {.now_s = kNow, .max_age_s = {}, .sample_ppm = ppm}));
  };
  EXPECT_EQ(sample(1), (std::vector{4})) << "at least one";
  EXPECT_EQ(sample(400'000), (std::vector{4, 5}));
  EXPECT_EQ(sample(600'000), (std::vector{2, 4, 5}));
  EXPECT_EQ(sample(1'000'000), (std::vector{1, 2, 3, 4, 5}));
}

TEST(ScrubPlan, ReadsInTheOrderOfTheDevice) {
  std::vector<ScrubCandidate> blocks{candidate(1, {}), candidate(2, {}), candidate(3, {}), candidate(4, {})};
  blocks[0].device_offset = 300;
  blocks[2].device_offset = 100;
  sort_by_device(blocks);
  std::vector<int> order;
  for (const ScrubCandidate& block : blocks) order.push_back(static_cast<int>(block.id[0]));
  EXPECT_EQ(order, (std::vector{3, 1, 2, 4}));
}

TEST(ReadPacer, HoldsTheRateAndDoesNotMakeUpForLostTime) {
  using std::chrono::milliseconds;
  const ReadPacer::Clock::time_point start{};
  ReadPacer pacer(1000, start);
  EXPECT_EQ(pacer.delay_after(100, start), milliseconds(100));
  EXPECT_EQ(pacer.delay_after(100, start + milliseconds(100)), milliseconds(100));
  EXPECT_EQ(pacer.delay_after(100, start + milliseconds(300)), milliseconds(0));
  // An hour of nothing allows a quarter of a second's worth at once, and no more.
  const auto later = start + std::chrono::hours(1);
  EXPECT_EQ(pacer.delay_after(250, later), milliseconds(0));
  EXPECT_EQ(pacer.delay_after(1000, later), milliseconds(1000));
  EXPECT_EQ(ReadPacer(std::nullopt, start).delay_after(1 << 30, start), milliseconds(0));
}

class Scrub : public StoreTest {
 protected:
  // A block a session.
  void fill(std::uint64_t blocks) {
    for (std::uint64_t k = 0; k < blocks; ++k) ASL_ASSERT_OK(put_all(domain(), {random_bytes(300'000, k)}));
  }
  VerifyReport scrub(const VerifyOptions& options) {
    reopen();
    ProgressCounters progress;
    return value_of(verify(domain(), options, progress, {}));
  }
  static VerifyOptions at_time(std::int64_t now) {
    VerifyOptions options;
    options.data = true;
    options.now_s = now;
    return options;
  }
};

TEST_F(Scrub, GoesOnWithWhatWasNotReadYet) {
  fill(10);
  VerifyOptions part = at_time(kNow);
  part.sample_ppm = 300'000;
  EXPECT_EQ(scrub(part).blocks_read, 3U);
  VerifyOptions rest = at_time(kNow + 10);
  rest.max_age_s = kDay;
  const VerifyReport report = scrub(rest);
  EXPECT_EQ(report.blocks_read, 7U);
  EXPECT_EQ(report.blocks_left_out, 3U);
  EXPECT_EQ(report.blocks_never_read, 0U);
  EXPECT_EQ(report.oldest_check_s, kNow);
  EXPECT_EQ(scrub(rest).blocks_read, 0U);
  // A day later all are due; by a clock that went back, too.
  rest.now_s = kNow + static_cast<std::int64_t>(kDay) + 100;
  EXPECT_EQ(scrub(rest).blocks_read, 10U);
  rest.now_s = kNow;
  EXPECT_EQ(scrub(rest).blocks_read, 10U);
}

TEST_F(Scrub, EveryBlockGetsItsTurn) {
  fill(10);
  VerifyOptions nightly = at_time(kNow);
  nightly.sample_ppm = 200'000;
  for (std::int64_t night = 0; night < 5; ++night) {
    nightly.now_s = kNow + night * static_cast<std::int64_t>(kDay);
    const VerifyReport report = scrub(nightly);
    EXPECT_EQ(report.blocks_read, 2U);
    EXPECT_EQ(report.blocks_never_read, static_cast<std::uint64_t>(8 - 2 * night));
  }
}

TEST_F(Scrub, AnInterruptedRunIsRemembered) {
  fill(12);
  reopen();
  std::atomic<bool> stop = false;
  ProgressCounters progress;
  std::jthread watcher([&](const std::stop_token& over) {
    while (!over.stop_requested() && progress.bytes_done.load() == 0) std::this_thread::yield();
    stop = true;
  });
  const auto first = verify(domain(), at_time(kNow), progress, StopToken(stop));
  watcher.request_stop();
  watcher.join();
  EXPECT_TRUE(first || first.error().code == ErrorCode::kInterrupted);
  const std::uint64_t remembered =
      test::fs::exists(in_store("cache/scrub")) ? test::fs::file_size(in_store("cache/scrub")) / 64 : 0;
  VerifyOptions rest = at_time(kNow + 1);
  rest.max_age_s = kDay;
  EXPECT_EQ(scrub(rest).blocks_read, 12 - remembered);
}

TEST_F(Scrub, AFileThatIsAnotherOneIsReadAgain) {
  fill(3);
  EXPECT_EQ(scrub(at_time(kNow)).blocks_read, 3U);
  const std::string block = test::files_ending(in_store("blocks"), ".bin").front();
  test::fs::copy_file(block, directory_ / "copy");
  test::fs::rename(directory_ / "copy", block);
  VerifyOptions rest = at_time(kNow + 1);
  rest.max_age_s = kDay;
  EXPECT_EQ(scrub(rest).blocks_read, 1U);
}

TEST_F(Scrub, NothingIsRememberedWithoutATime) {
  fill(2);
  EXPECT_EQ(test::verify_all(domain()).blocks_read, 2U);
  EXPECT_FALSE(test::fs::exists(in_store("cache/scrub")));
}

TEST_F(Scrub, DamageStaysDueUntilItIsGone) {
  fill(2);
  flip_byte(test::files_ending(in_store("blocks"), ".bin").front(), 1000);
  EXPECT_EQ(scrub(at_time(kNow)).finding_count, 1U);
  VerifyOptions rest = at_time(kNow + 1);
  rest.max_age_s = kDay;
  const VerifyReport report = scrub(rest);
  EXPECT_EQ(report.blocks_read, 1U);
  EXPECT_EQ(report.finding_count, 1U);
  ASSERT_EQ(report.findings.front().artifacts.size(), 1U);
  EXPECT_FALSE(report.findings.front().error.hint.empty());
}

// The damaged copy shares its block with what is good; a new copy of it is elsewhere.
TEST_F(Scrub, ASupersededCopyIsNoFailureAndGcDropsIt) {
  const Bytes hurt = random_bytes(5000, 1);
  const Bytes kept = random_bytes(60'000, 2);
  const auto pin_all = [&](const std::vector<Bytes>& contents) {
    const auto writer = open_writer();
    const auto lane = value_of(writer->make_lane());
    for (const Bytes& bytes : contents) value_of(lane->put(bytes, true));
    value_of(writer->commit());
    return writer->totals();
  };
  pin_all({hurt, kept});
  const std::string block = test::files_ending(in_store("blocks"), ".bin").front();
  flip_byte(block, 100);
  const VerifyReport damaged = scrub(at_time(kNow));
  ASSERT_EQ(damaged.finding_count, 1U);
  EXPECT_EQ(damaged.findings.front().kind, FindingKind::kExtent);
  EXPECT_TRUE(damaged.lost);
  reopen();
  EXPECT_EQ(value_of(put_all(domain(), {hurt})).size(), 1U);

  const VerifyReport healed = scrub(at_time(kNow + 1));
  EXPECT_EQ(healed.finding_count, 0U);
  EXPECT_FALSE(healed.lost);
  ASSERT_EQ(healed.superseded_count, 1U);
  EXPECT_EQ(healed.superseded.front().kind, FindingKind::kSuperseded);
  // The place is not taken for damage again, so that nothing is stored a third time.
  EXPECT_EQ(pin_all({hurt, kept}).bytes_new, 0U);

  ProgressCounters progress;
  const GcReport report = value_of(collect_garbage(domain(), {}, progress, {}));
  EXPECT_EQ(report.blocks_repacked, 1U);
  EXPECT_TRUE(report.damage.empty());
  EXPECT_FALSE(test::fs::exists(block));
  const VerifyReport clean = scrub(at_time(kNow + 2));
  EXPECT_EQ(clean.finding_count + clean.superseded_count, 0U);
  for (const Bytes& bytes : {hurt, kept})
    EXPECT_EQ(value_of(read_artifact(domain(), untyped_reference(sha256(bytes)))), bytes);
}

// The good copy fails too: now it is a loss.
TEST_F(Scrub, ACopyThatFailsSupersedesNothing) {
  const Bytes hurt = random_bytes(5000, 1);
  ASL_ASSERT_OK(put_all(domain(), {hurt, random_bytes(60'000, 2)}));
  const std::string first = test::files_ending(in_store("blocks"), ".bin").front();
  flip_byte(first, 100);
  EXPECT_EQ(scrub(at_time(kNow)).finding_count, 1U);
  reopen();
  ASL_ASSERT_OK(put_all(domain(), {hurt}));
  for (const std::string& file : test::files_ending(in_store("blocks"), ".bin"))
    if (file != first) flip_byte(file, 200);
  const VerifyReport report = scrub(at_time(kNow + 1));
  EXPECT_EQ(report.finding_count, 2U);
  EXPECT_EQ(report.superseded_count, 0U);
}

}  // namespace
}  // namespace asl
