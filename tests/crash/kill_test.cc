// kill -9 at any moment: a process writes commits and notes each one that was reported done in a file beside
// the store; it is killed, and everything noted must be there. (crash_test.cc is about power cuts: here the
// kernel lives on.)
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <random>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <asl/engine/hash.h>
#include <asl/engine/ingest.h>
#include <asl/engine/snapshot.h>

#include "io/plain_io.h"
#include "store_fixture.h"
#include "thinning.h"

namespace asl {
namespace {

using test::open_domain;
using test::random_bytes;
using test::read_artifact;
using test::value_of;

constexpr std::uint64_t kMi = 1024 * 1024;
constexpr unsigned kRoundsShort = 15;
constexpr unsigned kRoundsLong = 1500;

// Dies at the Nth call that changes something, before it, like by kill -9.
class DyingIo : public io::PlainIo {
 public:
  explicit DyingIo(std::uint64_t calls) : left_(calls) {}

  Result<void> write(const io::File& file, ByteSpan from, std::uint64_t offset) override {
    step();
    return PlainIo::write(file, from, offset);
  }
  Result<void> sync(const io::File& file) override {
    step();
    return PlainIo::sync(file);
  }
  Result<void> sync_data(const io::File& file) override {
    step();
    return PlainIo::sync_data(file);
  }
  Result<void> truncate(const io::File& file, std::uint64_t length) override {
    step();
    return PlainIo::truncate(file, length);
  }
  Result<void> rename(const std::string& from, const std::string& to, bool replace) override {
    step();
    return PlainIo::rename(from, to, replace);
  }
  Result<void> remove(const std::string& path) override {
    step();
    return PlainIo::remove(path);
  }
  Result<void> sync_directory(const std::string& path) override {
    step();
    return PlainIo::sync_directory(path);
  }

 private:
  void step() {
    if (left_.fetch_sub(1) == 1) ::raise(SIGKILL);
  }
  std::atomic<std::uint64_t> left_;
};

// A source that kills its reader once this much of it was asked for.
class DeadlySource : public io::PlainIo {
 public:
  explicit DeadlySource(std::uint64_t offset) : offset_(offset) {}

  Result<std::unique_ptr<io::Queue>> make_queue(std::size_t capacity) override {
    ASL_ASSIGN(auto inner, PlainIo::make_queue(capacity));
    return std::make_unique<Deadly>(std::move(inner), offset_);
  }

 private:
  class Deadly : public io::Queue {
   public:
    Deadly(std::unique_ptr<io::Queue> inner, std::uint64_t offset)
        : inner_(std::move(inner)), offset_(offset) {}
    std::size_t capacity() const override { return inner_->capacity(); }
    std::size_t in_flight() const override { return inner_->in_flight(); }
    Result<void> read(const io::File& file, MutableByteSpan into, std::uint64_t offset,
                      std::uint64_t token) override {
      if (offset >= offset_) ::raise(SIGKILL);
      return inner_->read(file, into, offset, token);
    }
    Result<void> write(const io::File& file, ByteSpan from, std::uint64_t offset,
                       std::uint64_t token) override {
      return inner_->write(file, from, offset, token);
    }
    Result<void> submit() override { return inner_->submit(); }
    Result<std::size_t> reap(std::span<io::Completion> out, bool wait) override {
      return inner_->reap(out, wait);
    }

   private:
    std::unique_ptr<io::Queue> inner_;
    std::uint64_t offset_;
  };
  std::uint64_t offset_;
};

class KillTest : public test::StoreTest {
 protected:
  // The content that round `round` puts as its `number`th: anything between nothing and a few extents.
  static Bytes content(std::uint64_t round, std::uint64_t number) {
    std::mt19937_64 random(round * 1000 + number);
    const std::uint64_t sizes[] = {100, 5000, 70'000, 900'000};
    return random_bytes(random() % sizes[number % 4], round * 1000 + number);
  }

  // Puts and commits until it is killed or has done enough; notes in `expected` what was reported committed.
  static void write_until_killed(const std::string& directory, const std::string& expected,
                                 std::uint64_t round, std::uint64_t calls, int started) {
    DyingIo io(calls);
    const auto domain = open_domain(io, directory);
    WriterOptions options = test::writer_options();
    options.commit_bytes = kMi;
    const auto writer = value_of(StoreWriter::open(*domain, options));
    const auto lane = value_of(writer->make_lane());
    const int notes = ::open(expected.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    std::mt19937_64 random(round);
    for (std::uint64_t number = 0; number < 60; ++number) {
      value_of(lane->put(content(round, number)));
      if (random() % 4 != 0) continue;
      value_of(writer->commit());
      const std::string line = std::to_string(round) + " " + std::to_string(number) + "\n";
      if (::write(notes, line.data(), line.size()) < 0 || ::write(started, "c", 1) < 0) ::_exit(3);
      if (random() % 5 == 0) value_of(writer->merge_segments());
    }
  }

  // Runs `work` in a process of its own. True if it was killed.
  template <typename Work>
  static bool killed(Work&& work, const std::function<void(pid_t)>& meanwhile = {}) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        work();
      } catch (const std::exception& failed) {
        static_cast<void>(!::write(STDERR_FILENO, failed.what(), std::string_view(failed.what()).size()));
        ::_exit(2);
      }
      ::_exit(0);
    }
    if (meanwhile) meanwhile(child);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    const bool by_signal = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    EXPECT_TRUE(by_signal || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << "status " << status;
    return by_signal;
  }

  void expect_all_noted(const std::string& expected) {
    std::ifstream notes(expected);
    std::uint64_t round = 0;
    std::uint64_t last = 0;
    while (notes >> round >> last) {
      for (std::uint64_t number = 0; number <= last; ++number) {
        const Bytes bytes = content(round, number);
        const auto got = read_artifact(domain(), untyped_reference(sha256(bytes)));
        ASSERT_TRUE(got.has_value()) << round << " " << number << " " << got.error().to_string();
        ASSERT_EQ(*got, bytes);
      }
    }
  }
};

TEST_F(KillTest, EverythingReportedCommittedSurvivesAKillAtAnyMoment) {
  const bool is_long = std::getenv("ASL_LONG_TESTS") != nullptr;
  const std::string expected = directory_ / "expected";
  std::mt19937_64 random(20240601);
  unsigned kills = 0;
  const auto rounds_step = static_cast<unsigned>(std::min<std::size_t>(test::case_step(), 3));
  domain_.reset();  // nothing of this process is open while others are forked
  for (unsigned round = 1; round <= (is_long ? kRoundsLong : kRoundsShort); round += rounds_step) {
    SCOPED_TRACE("round " + std::to_string(round));
    // Every other round dies inside a call that is its own choice, the others wherever the signal meets them.
    const bool from_outside = round % 2 == 0;
    const std::uint64_t calls = from_outside ? ~std::uint64_t{0} : 1 + random() % 400;
    const std::uint64_t commits_seen = random() % 8;
    const std::uint64_t yields = random() % 100;
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const auto kill_soon = [&](pid_t child) {
      ::close(ends[1]);
      char report = 0;
      for (std::uint64_t k = 0; k < commits_seen && ::read(ends[0], &report, 1) == 1; ++k) {
      }
      for (std::uint64_t k = 0; k < yields; ++k) std::this_thread::yield();
      if (from_outside) ::kill(child, SIGKILL);
    };
    kills += killed([&] { write_until_killed(at(), expected, round, calls, ends[1]); }, kill_soon) ? 1 : 0;
    // The reading end stays open until then: a report that nobody reads must not be what ends the writer.
    ::close(ends[0]);
    reopen();
    EXPECT_FALSE(domain().corruption().has_value());
    expect_all_noted(expected);
    const VerifyReport report = test::verify_all(domain());
    for (const Finding& finding : report.findings) ADD_FAILURE() << finding.error.to_string();
    domain_.reset();
    if (HasFailure()) return;
    // What is expected is read again after every round: a long run keeps only what is new.
    if (round % 50 == 0) test::write_text(expected, "");
  }
  EXPECT_GT(kills, 0U);
}

TEST_F(KillTest, AnImageIsTakenUpAgainWhereTheKillMetIt) {
  constexpr std::uint64_t kSize = 96 * kMi;
  const Bytes image = random_bytes(kSize, 77);
  const std::string path = directory_ / "image";
  test::write_text(path, std::string(as_text(image)));
  IngestOptions options;
  options.sources = {path};
  options.commit_bytes = 4 * kMi;
  // Read ahead, cut and not yet hashed, packed and not yet committed: this much may be read and not kept.
  constexpr std::uint64_t kUnderWay = 60 * kMi;
  domain_.reset();
  const bool died = killed([&] {
    const auto io = io::make_plain_io();
    const auto domain = open_domain(*io, at());
    DeadlySource source(90 * kMi);
    options.source_io = &source;
    ProgressCounters progress;
    value_of(ingest(*domain, options, progress, {}));
  });
  ASSERT_TRUE(died);
  reopen();
  EXPECT_TRUE(domain().state()->snapshots().empty());
  EXPECT_EQ(test::verify_all(domain()).finding_count, 0U);
  ProgressCounters progress;
  const IngestReport report = value_of(ingest(domain(), options, progress, {}));
  EXPECT_EQ(report.bytes_read, kSize);
  EXPECT_LE(report.written.bytes_new, kSize - (90 * kMi - kUnderWay));
  const Snapshot snapshot = value_of(domain().snapshot(report.snapshot_id));
  EXPECT_EQ(snapshot.roots.front().entry.content, untyped_reference(sha256(image)));
  EXPECT_EQ(value_of(read_artifact(domain(), snapshot.roots.front().entry.content)), image);
  EXPECT_EQ(test::verify_all(domain()).finding_count, 0U);
}

}  // namespace
}  // namespace asl
