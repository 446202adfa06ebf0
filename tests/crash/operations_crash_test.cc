// Power cuts during every operation that changes a store. Each is recorded; after every prefix of what it
// wrote, synced and renamed, the store is made again as a power cut might have left it (doc/io.md, "The crash
// model"), in several ways each, and looked at: it opens, it shows the state before or after the operation
// and never one in between, what was reported done is there and verifies with all its data, and a new ingest
// works.
//
// A failure names the operation, the count, the policy and the seed. ASL_TEST_SEED starts from another seed
// than 1.
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include <asl/engine/copy.h>
#include <asl/engine/gc.h>
#include <asl/engine/hash.h>
#include <asl/engine/history.h>
#include <asl/engine/index_rebuild.h>
#include <asl/engine/ingest.h>

#include "crash_policies.h"
#include "io/recording_io.h"
#include "lazy_io.h"
#include "store_fixture.h"
#include "thinning.h"

namespace asl {
namespace {

using io::RecordingIo;
using test::open_domain;
using test::random_bytes;
using test::read_artifact;
using test::value_of;

// What a domain shows: all that the operations below can change, artifacts apart. A snapshot's reference is a
// hash over all that it reaches, so that equal text and a verification that finds nothing mean equal
// contents.
std::string shown_by(const Domain& domain) {
  std::string text = domain.alias() + "\n";
  for (const auto& [id, snapshot] : domain.state()->snapshots())
    text += std::to_string(id) + " " + to_text(snapshot.reference) + " " + snapshot.label +
            (snapshot.held ? " held" : "") + (snapshot.forgotten ? " forgotten" : "") + "\n";
  return text;
}

// What was true when so many operations had been done.
struct Promise {
  std::size_t operations = 0;
  std::string shown;
  std::vector<Bytes> contents;  // untyped artifacts that can be read
};

class OperationsCrash : public test::StoreTest {
 protected:
  void SetUp() override {
    // It holds nothing, and would be copied into every state.
    test::fs::remove(in_store("reserve"));
    test::fs::create_directories(source() + "/deep/er");
    write_source("one", 700, 1);
    write_source("two", 90'000, 2);
    write_source("deep/three", 300'000, 3);
    write_source("deep/er/four", 5000, 4);
  }

  // Before the recorder it writes through.
  void TearDown() override { domain_.reset(); }

  std::string source() const { return directory_ / "source"; }
  void write_source(const std::string& name, std::size_t size, std::uint64_t seed) {
    test::write_text(source() + "/" + name, std::string(as_text(random_bytes(size, seed))));
  }

  static IngestReport ingest_into(Domain& domain, const std::string& from) {
    IngestOptions options;
    options.sources = {from};
    options.jobs = 1;  // so that a seed names a state
    ProgressCounters progress;
    return value_of(ingest(domain, options, progress, {}));
  }
  static void put(Domain& domain, const std::vector<Bytes>& contents, bool pinned) {
    const auto writer = value_of(StoreWriter::open(domain, test::writer_options()));
    const auto lane = value_of(writer->make_lane());
    for (const Bytes& bytes : contents) value_of(lane->put(bytes, pinned));
    value_of(writer->commit());
  }

  // From here on what happens to the domain is recorded.
  Domain& record() {
    domain_.reset();
    plain_ = std::make_unique<test::LazyIo>();
    recorder_ = value_of(RecordingIo::create(*plain_, at()));
    domain_ = open_domain(*recorder_, at());
    promise();
    return *domain_;
  }
  // What is shown now will still be shown after a power cut, or something newer.
  void promise() {
    promises_.push_back(
        {.operations = recorder_->operation_count(), .shown = shown_by(*domain_), .contents = readable_});
  }

  void check_state(const std::string& state, std::size_t count, bool go_on) {
    const auto domain = open_domain(*plain_, state);
    ASSERT_FALSE(domain->corruption().has_value()) << domain->corruption()->to_string();
    std::size_t last = 0;
    for (std::size_t k = 0; k < promises_.size(); ++k) {
      if (promises_[k].operations <= count) last = k;
    }
    const std::string shown = shown_by(*domain);
    const bool is_next = last + 1 < promises_.size() && shown == promises_[last + 1].shown;
    EXPECT_TRUE(shown == promises_[last].shown || is_next) << "shown:\n"
                                                           << shown << "promised:\n"
                                                           << promises_[last].shown;
    check_whole(*domain, promises_[last]);
    if (!go_on || HasFailure()) return;
    put(*domain, {random_bytes(70'000, 99)}, false);
    const IngestReport report = ingest_into(*domain, source());
    value_of(domain->refresh());
    EXPECT_EQ(report.problem_count, 0U);
    EXPECT_EQ(value_of(read_artifact(*domain, untyped_reference(sha256(random_bytes(70'000, 99))))).size(),
              70'000U);
    check_whole(*domain, promises_[last]);
    EXPECT_TRUE(test::fs::is_empty(state + "/store/tmp")) << "something was left in store/tmp";
  }

  static void check_whole(const Domain& domain, const Promise& promise) {
    const VerifyReport report = test::verify_all(domain);
    for (const Finding& finding : report.findings) ADD_FAILURE() << finding.error.to_string();
    for (const Bytes& bytes : promise.contents) {
      const auto got = read_artifact(domain, untyped_reference(sha256(bytes)));
      ASSERT_TRUE(got.has_value()) << got.error().to_string();
      EXPECT_EQ(*got, bytes);
    }
  }

  // Every prefix of what was recorded, in every way.
  void explore() {
    promise();
    std::size_t states = 0;
    const std::string state = directory_ / "state";
    for (std::size_t count = 0; count <= recorder_->operation_count() && !HasFailure();
         count += test::case_step()) {
      const auto all = test::crash_policies(count);
      for (std::size_t number = 0; number < all.size() && !HasFailure(); ++number, ++states) {
        SCOPED_TRACE("operations " + std::to_string(count) + ", policy " + std::to_string(number) +
                     ", seed " + std::to_string(all[number].seed));
        ASL_ASSERT_OK(recorder_->materialise(count, all[number], state));
        check_state(state, count, number == count % all.size());
        test::fs::remove_all(state);
      }
    }
    RecordProperty("states", static_cast<int>(states));
    std::printf("%zu operations, %zu states\n", recorder_->operation_count(), states);
  }

  std::unique_ptr<io::Io> plain_;
  std::unique_ptr<RecordingIo> recorder_;
  std::vector<Promise> promises_;
  std::vector<Bytes> readable_;  // goes into the promises
};

TEST_F(OperationsCrash, Ingest) {
  Domain& recorded = record();
  ingest_into(recorded, source());
  value_of(recorded.refresh());
  readable_ = {random_bytes(300'000, 3), random_bytes(5000, 4)};
  promise();
  write_source("five", 40'000, 5);
  write_source("two", 91'000, 6);
  ingest_into(recorded, source());
  value_of(recorded.refresh());
  readable_.push_back(random_bytes(91'000, 6));
  explore();
}

TEST_F(OperationsCrash, Put) {
  Domain& recorded = record();
  for (std::uint64_t k = 0; k < 3; ++k) {
    const std::vector<Bytes> contents = {random_bytes(1000, 10 + k), random_bytes(80'000, 20 + k)};
    put(recorded, contents, true);
    readable_.insert(readable_.end(), contents.begin(), contents.end());
    promise();
  }
  const std::vector<Reference> unpinned = {untyped_reference(sha256(readable_.front()))};
  value_of(unpin_artifacts(recorded, unpinned));
  explore();
}

TEST_F(OperationsCrash, LabelHoldReleaseForget) {
  for (int k = 0; k < 3; ++k) ingest_into(domain(), source());
  Domain& recorded = record();
  const std::vector<std::uint64_t> first = {1};
  const std::vector<std::uint64_t> both = {1, 2};
  const std::function<Result<Notices>()> edits[] = {
      [&] { return label_snapshot(recorded, 1, "ann"); },
      [&] { return label_snapshot(recorded, 3, "ann"); },
      [&] { return label_snapshot(recorded, 3, ""); },
      [&] { return hold_snapshots(recorded, first, true, "law"); },
      [&] { return hold_snapshots(recorded, first, false, ""); },
      [&] { return forget_snapshots(recorded, both); }};
  value_of(hold_snapshots(recorded, both, true, ""));
  value_of(recorded.refresh());
  promise();
  const auto refused = forget_snapshots(recorded, both);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  value_of(hold_snapshots(recorded, both, false, ""));
  value_of(recorded.refresh());
  promise();
  for (const auto& edit : edits) {
    value_of(edit());
    value_of(recorded.refresh());
    promise();
  }
  explore();
}

TEST_F(OperationsCrash, Gc) {
  write_source("large", 200'000, 7);
  ingest_into(domain(), source());
  test::fs::remove(source() + "/large");
  write_source("one", 900, 8);
  ingest_into(domain(), source());
  put(domain(), {random_bytes(50'000, 30)}, true);
  put(domain(), {random_bytes(150'000, 31)}, false);
  value_of(domain().refresh());
  readable_ = {random_bytes(900, 8), random_bytes(300'000, 3), random_bytes(50'000, 30)};
  Domain& recorded = record();
  const std::vector<std::uint64_t> first = {1};
  value_of(forget_snapshots(recorded, first));
  promise();
  ProgressCounters progress;
  const GcReport report = value_of(collect_garbage(recorded, {}, progress, {}));
  EXPECT_GT(report.artifacts_dropped, 0U);
  EXPECT_GT(report.blocks_removed + report.blocks_repacked, 0U);
  explore();
}

TEST_F(OperationsCrash, MergeOfSegments) {
  constexpr std::uint64_t kCommits = 9;  // more than eight of one size
  for (std::uint64_t k = 0; k < kCommits; ++k) {
    readable_.push_back(random_bytes(2000 + 100 * k, 40 + k));
    put(domain(), {readable_.back()}, k % 2 == 0);
  }
  Domain& recorded = record();
  const std::size_t before = recorded.state()->segments().size();
  {
    const auto writer = value_of(StoreWriter::open(recorded, test::writer_options()));
    value_of(writer->merge_segments());
  }
  value_of(recorded.refresh());
  EXPECT_LT(recorded.state()->segments().size(), before);
  explore();
}

TEST_F(OperationsCrash, IndexRebuild) {
  ingest_into(domain(), source());
  for (const std::string& bloom : test::files_ending(in_store("index"), ".bf")) test::fs::remove(bloom);
  Domain& recorded = record();
  ProgressCounters progress;
  const IndexRebuildReport report = value_of(rebuild_index(recorded, progress, {}));
  EXPECT_GT(report.blooms_written, 0U);
  explore();
}

TEST_F(OperationsCrash, CopyIntoAStore) {
  const auto other_io = io::make_plain_io();
  HostRoot other_root = value_of(HostRoot::init(*other_io, directory_ / "other"));
  const auto other = open_domain(*other_io, value_of(other_root.create_local_domain("other")).directory);
  ingest_into(*other, source());
  write_source("five", 40'000, 5);
  ingest_into(*other, source());
  put(*other, {random_bytes(50'000, 30)}, true);
  value_of(other->refresh());
  Domain& recorded = record();
  for (const std::vector<std::uint64_t>& ids : {std::vector<std::uint64_t>{1}, {2}, {}}) {
    CopyOptions options;
    options.snapshot_ids = ids;
    options.jobs = 1;
    ProgressCounters progress;
    const CopyReport report = value_of(copy_snapshots(*other, recorded, options, progress, {}));
    EXPECT_EQ(report.problem_count, 0U);
    value_of(recorded.refresh());
    if (ids.empty()) readable_.push_back(random_bytes(50'000, 30));
    promise();
  }
  explore();
}

}  // namespace
}  // namespace asl
