// Calls that fail: every kind of call, at its 1st, 2nd, ... occurrence in a session, with errors and with
// transfers that stop halfway.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include <asl/engine/hash.h>
#include <asl/engine/ingest.h>

#include "io/faulting_io.h"
#include "io/recording_io.h"
#include "lazy_io.h"
#include "store_fixture.h"

namespace asl {
namespace {

using io::CallKind;
using io::FaultingIo;
using io::FaultRule;
using test::open_domain;
using test::random_bytes;
using test::read_artifact;
using test::value_of;
using test::writer_options;

// Of each kind, so many calls are failed in turn, spread over all there are.
constexpr std::uint64_t kCallsTried = 6;

std::vector<Bytes> new_contents() {
  return {random_bytes(600, 31), random_bytes(100'000, 32), random_bytes(300'000, 33)};
}

// Opens the domain, puts and commits, all through `io`.
Result<void> session(io::Io& io, const std::string& directory) {
  ASL_ASSIGN(const auto domain, Domain::open(io, directory, {}));
  ASL_TRY(test::put_all(*domain, new_contents()));
  return {};
}

class FaultTest : public test::StoreTest {
 protected:
  void SetUp() override {
    old_ = random_bytes(50'000, 30);
    value_of(test::put_all(domain(), {old_}));
    domain_.reset();
    test::fs::remove(in_store("reserve"));
    plain_ = io::make_plain_io();
    // How many calls of each kind there are when nothing fails.
    FaultingIo counting(*plain_);
    const std::string copy = fresh_copy();
    value_of(session(counting, copy));
    for (std::size_t kind = 0; kind < io::kCallKindCount; ++kind)
      calls_.push_back(counting.calls(static_cast<CallKind>(kind)));
  }

  void TearDown() override {
    RecordProperty("faults", static_cast<int>(injected_));
    std::printf("%llu faults injected\n", static_cast<unsigned long long>(injected_));
  }

  std::string fresh_copy() {
    const std::string copy = directory_ / "copy";
    test::fs::remove_all(copy);
    test::fs::copy(at(), copy, test::fs::copy_options::recursive);
    return copy;
  }

  // The session under the rule either succeeds for good or says what failed; what was committed stays, and
  // the next session works.
  void run_with(FaultRule rule) {
    const std::string copy = fresh_copy();
    FaultingIo faulting(*plain_);
    const std::size_t number = faulting.add(rule);
    const Result<void> done = session(faulting, copy);
    EXPECT_GT(faulting.fired(number), 0U);
    injected_ += faulting.fired(number);
    if (!done) {
      EXPECT_FALSE(done.error().message.empty());
      EXPECT_NE(done.error().code, ErrorCode::kUsage);
      if (rule.sys_errno == ENOSPC) {
        EXPECT_EQ(done.error().code, ErrorCode::kNoSpace) << done.error().to_string();
      }
    }
    const auto domain = open_domain(*plain_, copy);
    EXPECT_FALSE(domain->corruption().has_value());
    EXPECT_EQ(value_of(read_artifact(*domain, untyped_reference(sha256(old_)))), old_);
    for (const Bytes& bytes : new_contents()) {
      const auto got = read_artifact(*domain, untyped_reference(sha256(bytes)));
      if (done && !got) ADD_FAILURE() << "reported as done: " << got.error().to_string();
      if (got && *got != bytes) ADD_FAILURE() << "wrong bytes";
    }
    ASL_ASSERT_OK(session(*plain_, copy));
    ASL_ASSERT_OK(domain->refresh());
    for (const Bytes& bytes : new_contents())
      EXPECT_EQ(value_of(read_artifact(*domain, untyped_reference(sha256(bytes)))), bytes);
    const VerifyReport report = test::verify_all(*domain);
    for (const Finding& finding : report.findings) ADD_FAILURE() << finding.error.to_string();
  }

  void run_for(std::initializer_list<CallKind> kinds, FaultRule rule) {
    for (const CallKind kind : kinds) {
      const std::uint64_t calls = calls_[static_cast<std::size_t>(kind)];
      const std::uint64_t step = std::max<std::uint64_t>(1, calls / kCallsTried);
      for (std::uint64_t nth = 1; nth <= calls && !HasFatalFailure(); nth += step) {
        SCOPED_TRACE("call kind " + std::to_string(static_cast<int>(kind)) + ", call " + std::to_string(nth) +
                     " of " + std::to_string(calls));
        rule.kind = kind;
        rule.first = nth;
        rule.count = 1;
        run_with(rule);
      }
    }
  }

  Bytes old_;
  std::unique_ptr<io::Io> plain_;
  std::vector<std::uint64_t> calls_;
  std::uint64_t injected_ = 0;
};

TEST_F(FaultTest, AnIoErrorInAWriteOrSyncLosesNothing) {
  run_for(
      {CallKind::kWrite, CallKind::kSyncData, CallKind::kSync, CallKind::kSyncDirectory, CallKind::kTruncate},
      {.sys_errno = EIO});
}

TEST_F(FaultTest, AnIoErrorInReadingOrOpeningLosesNothing) {
  run_for({CallKind::kOpen, CallKind::kRead, CallKind::kStatus, CallKind::kList, CallKind::kLock,
           CallKind::kMakeQueue},
          {.sys_errno = EIO});
}

TEST_F(FaultTest, AnIoErrorInChangingNamesLosesNothing) {
  run_for({CallKind::kCreate, CallKind::kRename, CallKind::kRemove}, {.sys_errno = EIO});
}

TEST_F(FaultTest, AFullDiskIsToldAsSuchAndLosesNothing) {
  run_for({CallKind::kWrite, CallKind::kCreate}, {.sys_errno = ENOSPC});
}

TEST_F(FaultTest, TransfersThatStopHalfwayAreCompletedOrReported) {
  run_for({CallKind::kWrite, CallKind::kRead}, {.sys_errno = 0, .transferred_bytes = 512});
  run_for({CallKind::kWrite}, {.sys_errno = EIO, .transferred_bytes = 4096});
}

TEST_F(FaultTest, AFailedSyncIsNeverTrustedByTheSessionsAfterIt) {
  for (const CallKind kind : {CallKind::kSyncData, CallKind::kSync, CallKind::kSyncDirectory}) {
    const std::uint64_t calls = calls_[static_cast<std::size_t>(kind)];
    for (std::uint64_t nth = 1; nth <= calls && !HasFatalFailure(); ++nth) {
      SCOPED_TRACE("call kind " + std::to_string(static_cast<int>(kind)) + ", call " + std::to_string(nth));
      const std::string copy = fresh_copy();
      FaultingIo faulting(*plain_);
      const auto recorder = value_of(io::RecordingIo::create(faulting, copy));
      faulting.add({.kind = kind, .first = nth, .count = 1});
      ++injected_;
      static_cast<void>(session(*recorder, copy));
      // The same bytes once more, beside what the failed sync left: now they are promised, and the power
      // fails.
      ASL_ASSERT_OK(session(*recorder, copy));
      const std::string state = directory_ / "state";
      ASL_ASSERT_OK(recorder->materialise(recorder->operation_count(), {}, state));
      const auto domain = open_domain(*plain_, state);
      EXPECT_FALSE(domain->corruption().has_value());
      for (const Bytes& bytes : new_contents()) {
        const auto got = read_artifact(*domain, untyped_reference(sha256(bytes)));
        ASSERT_TRUE(got.has_value()) << got.error().to_string();
        EXPECT_EQ(*got, bytes);
      }
      test::fs::remove_all(state);
    }
  }
}

// Once a sync has failed, the batch is given up and its sources are read and written again: what an ingest
// then reports as done is there after a power cut, although the kernel may call pages clean that never
// reached the disk.
TEST_F(FaultTest, AnIngestWritesAgainWhatAFailedSyncLeft) {
  const std::string source = directory_ / "source";
  test::fs::create_directories(source);
  for (std::size_t k = 0; k < new_contents().size(); ++k)
    test::write_text(source + "/" + std::to_string(k), std::string(as_text(new_contents()[k])));
  const std::string state = directory_ / "state";
  test::LazyIo lazy;
  unsigned written_again = 0;
  unsigned failed = 0;
  for (const CallKind kind : {CallKind::kSyncData, CallKind::kSync, CallKind::kSyncDirectory}) {
    for (std::uint64_t nth = 1;; ++nth) {
      SCOPED_TRACE("call kind " + std::to_string(static_cast<int>(kind)) + ", call " + std::to_string(nth));
      const std::string copy = fresh_copy();
      FaultingIo faulting(lazy);
      const auto recorder = value_of(io::RecordingIo::create(faulting, copy));
      const std::size_t rule = faulting.add({.kind = kind, .first = nth, .count = 1});
      const auto domain = open_domain(*recorder, copy);
      IngestOptions options;
      options.sources = {source};
      ProgressCounters progress;
      const auto report = ingest(*domain, options, progress, {});
      if (faulting.fired(rule) == 0) break;
      ++injected_;
      if (!report) {
        ++failed;
        EXPECT_EQ(report.error().code, ErrorCode::kIo) << report.error().to_string();
        continue;
      }
      written_again += report->attempts == 2 ? 1 : 0;
      ASL_ASSERT_OK(recorder->materialise(recorder->operation_count(), {}, state));
      const auto after = open_domain(*plain_, state);
      ASSERT_TRUE(after->snapshot(report->snapshot_id).has_value()) << "reported done, and gone";
      const VerifyReport verified = test::verify_all(*after);
      for (const Finding& finding : verified.findings) ADD_FAILURE() << finding.error.to_string();
      test::fs::remove_all(state);
    }
  }
  EXPECT_GT(written_again, 0U);
  std::printf("%u ingests written again, %u failed\n", written_again, failed);
}

}  // namespace
}  // namespace asl
