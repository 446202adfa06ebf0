// Power cuts: a short script of commits is recorded, and after every one of its operations the store is made
// again as a power cut might have left it (doc/io.md, "The crash model"). RocksDB does not go through the
// seam: its directory is empty in all of these states, and is made again.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/hash.h>
#include <asl/engine/log_record.h>

#include "io/recording_io.h"
#include "store_fixture.h"
#include "thinning.h"

namespace asl {
namespace {

using io::CrashPolicy;
using io::RecordingIo;
using test::open_domain;
using test::random_bytes;
using test::read_artifact;
using test::value_of;
using test::writer_options;

// What one commit promised.
struct Promise {
  std::size_t operations = 0;  // how many there were when it was reported done
  std::uint64_t logseq = 0;
  std::string alias;
  std::vector<Bytes> contents;  // of untyped artifacts that it made visible
};

class Script {
 public:
  Script(io::Io& io, RecordingIo& recorder, const std::string& directory)
      : recorder_(recorder), domain_(open_domain(io, directory)) {
    promised({});
  }

  void run() {
    {
      const auto writer = value_of(StoreWriter::open(*domain_, writer_options()));
      const auto lane = value_of(writer->make_lane());
      put(*lane, 1, 700);
      put(*lane, 2, 90'000);
      commit(*writer, std::nullopt);
      put(*lane, 3, 5000);
      commit(*writer, "renamed");
      commit(*writer, "again");
    }
    const auto writer = value_of(StoreWriter::open(*domain_, writer_options()));
    const auto lane = value_of(writer->make_lane());
    put(*lane, 4, 150'000);
    commit(*writer, std::nullopt);
    put(*lane, 5, 80'000);  // and never committed
  }

  const std::vector<Promise>& promises() const { return promises_; }
  Bytes never_committed() const { return random_bytes(80'000, 5); }

 private:
  void put(Lane& lane, std::uint64_t seed, std::size_t size) {
    pending_.push_back(random_bytes(size, seed));
    value_of(lane.put(pending_.back()));
  }
  void commit(StoreWriter& writer, std::optional<std::string> alias) {
    std::vector<NewRecord> records;
    if (alias)
      records.push_back(new_record(SnapshotLabelRecord{.snapshot_id = kDomainLabelId, .label = *alias}));
    value_of(writer.commit(records));
    promised(std::move(pending_));
    pending_.clear();
  }
  void promised(std::vector<Bytes> contents) {
    promises_.push_back({.operations = recorder_.operation_count(),
                         .logseq = domain_->state()->last_logseq(),
                         .alias = domain_->alias(),
                         .contents = std::move(contents)});
  }

  RecordingIo& recorder_;
  std::unique_ptr<Domain> domain_;
  std::vector<Bytes> pending_;
  std::vector<Promise> promises_;
};

// The domain shows exactly the commits up to some one, and that one is not older than what was promised by
// then.
void check_visible(const Domain& domain, const Script& script, std::size_t operations) {
  ASSERT_FALSE(domain.corruption().has_value()) << domain.corruption()->to_string();
  const std::uint64_t logseq = domain.state()->last_logseq();
  bool is_a_commit = false;
  for (const Promise& promise : script.promises()) {
    if (promise.operations <= operations) {
      EXPECT_GE(logseq, promise.logseq) << "a promised commit is gone";
    }
    if (promise.logseq == logseq) {
      is_a_commit = true;
      EXPECT_EQ(domain.alias(), promise.alias);
    }
    for (const Bytes& bytes : promise.contents) {
      const auto got = read_artifact(domain, untyped_reference(sha256(bytes)));
      if (promise.logseq <= logseq) {
        ASSERT_TRUE(got.has_value()) << got.error().to_string();
        EXPECT_EQ(*got, bytes);
      } else {
        ASSERT_FALSE(got.has_value());
        EXPECT_EQ(got.error().code, ErrorCode::kNotFound);
      }
    }
  }
  EXPECT_TRUE(is_a_commit) << "half a commit is visible: " << logseq;
  EXPECT_EQ(domain.find(untyped_reference(sha256(script.never_committed()))).error().code,
            ErrorCode::kNotFound);
}

// A new writer goes on from here, and what it leaves is whole.
void check_writable(Domain& domain) {
  const Bytes bytes = random_bytes(70'000, 99);
  const auto refs = test::put_all(domain, {bytes, random_bytes(5000, 3)});
  ASSERT_TRUE(refs.has_value()) << refs.error().to_string();
  EXPECT_EQ(value_of(read_artifact(domain, refs->front())), bytes);
  const VerifyReport report = test::verify_all(domain);
  EXPECT_EQ(report.finding_count, 0U);
  for (const Finding& finding : report.findings) ADD_FAILURE() << finding.error.to_string();
}

std::vector<CrashPolicy> policies(std::size_t count) {
  using Data = CrashPolicy::Data;
  using Names = CrashPolicy::Names;
  return {{.data = Data::kLost, .names = Names::kLost},
          {.data = Data::kKept, .names = Names::kKept},
          {.data = Data::kTorn, .names = Names::kOrdered, .tear_unit_bytes = 4096, .seed = count},
          {.data = Data::kSizeOnly, .names = Names::kKept},
          {.data = Data::kRandom, .names = Names::kIndependent, .tear_unit_bytes = 512, .seed = count},
          {.data = Data::kTorn, .names = Names::kKept, .tear_unit_bytes = 512, .seed = count}};
}

class CrashTest : public test::StoreTest {
 protected:
  void SetUp() override {
    // It holds nothing, and would be copied into every state.
    test::fs::remove(in_store("reserve"));
    domain_.reset();
    plain_ = io::make_plain_io();
    recorder_ = value_of(RecordingIo::create(*plain_, at()));
    script_ = std::make_unique<Script>(*recorder_, *recorder_, at());
    script_->run();
  }

  void TearDown() override {
    RecordProperty("states", static_cast<int>(states_));
    std::printf("%zu operations, %zu states\n", recorder_->operation_count(), states_);
  }

  // Makes the state in a new directory, calls `check` with it and removes it.
  template <typename Check>
  void at_state(std::size_t count, const CrashPolicy& policy, const Check& check) {
    const std::string state = directory_ / "state";
    ASL_ASSERT_OK(recorder_->materialise(count, policy, state));
    check(state);
    ++states_;
    test::fs::remove_all(state);
  }

  std::unique_ptr<io::Io> plain_;
  std::unique_ptr<RecordingIo> recorder_;
  std::unique_ptr<Script> script_;
  std::size_t states_ = 0;
};

TEST_F(CrashTest, EveryCutShowsWholeCommitsAndAllThatWerePromised) {
  for (std::size_t count = 0; count <= recorder_->operation_count() && !HasFailure();
       count += test::case_step()) {
    std::size_t number = 0;
    for (const CrashPolicy& policy : policies(count)) {
      SCOPED_TRACE("operations " + std::to_string(count) + ", policy " + std::to_string(number++));
      at_state(count, policy, [&](const std::string& state) {
        check_visible(*open_domain(*plain_, state), *script_, count);
      });
    }
  }
}

TEST_F(CrashTest, AWriterGoesOnFromEveryCutAndVerifyFindsNothing) {
  for (std::size_t count = 0; count <= recorder_->operation_count() && !HasFailure();
       count += test::case_step()) {
    const auto all = policies(count);
    const std::size_t number = count % all.size();
    SCOPED_TRACE("operations " + std::to_string(count) + ", policy " + std::to_string(number));
    at_state(count, all[number], [&](const std::string& state) {
      const std::unique_ptr<Domain> domain = open_domain(*plain_, state);
      check_writable(*domain);
      for (const Promise& promise : script_->promises()) {
        if (promise.operations > count) continue;
        for (const Bytes& bytes : promise.contents)
          EXPECT_EQ(value_of(read_artifact(*domain, untyped_reference(sha256(bytes)))), bytes);
      }
    });
  }
}

}  // namespace
}  // namespace asl
