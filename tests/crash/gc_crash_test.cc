// Power cuts during gc: what is needed reads back from every state that one may leave, and gc can be run
// again.
#include <cstdio>
#include <string>
#include <vector>

#include <asl/engine/gc.h>
#include <asl/engine/hash.h>

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

std::vector<CrashPolicy> policies(std::size_t count) {
  using Data = CrashPolicy::Data;
  using Names = CrashPolicy::Names;
  return {{.data = Data::kLost, .names = Names::kLost},
          {.data = Data::kKept, .names = Names::kKept},
          {.data = Data::kTorn, .names = Names::kOrdered, .tear_unit_bytes = 4096, .seed = count},
          {.data = Data::kRandom, .names = Names::kIndependent, .tear_unit_bytes = 512, .seed = count}};
}

class GcCrash : public test::StoreTest {
 protected:
  void SetUp() override {
    test::fs::remove(in_store("reserve"));
    domain_.reset();
    plain_ = io::make_plain_io();
    recorder_ = value_of(RecordingIo::create(*plain_, at()));
    const auto domain = open_domain(*recorder_, at());
    {
      const auto writer = value_of(StoreWriter::open(*domain, test::writer_options()));
      const auto lane = value_of(writer->make_lane());
      for (std::uint64_t k = 0; k < 40; ++k) {
        Bytes bytes = random_bytes(1000 + 3001 * k, k);
        const bool kept = k % 8 == 0;  // so that blocks are mostly dead and repacked
        value_of(lane->put(bytes, kept));
        if (kept) kept_.push_back(std::move(bytes));
      }
      value_of(writer->commit());
    }
    first_ = recorder_->operation_count();
    ProgressCounters progress;
    const GcReport report = value_of(collect_garbage(*domain, {}, progress, {}));
    ASSERT_GT(report.blocks_repacked, 0U);
    ASSERT_GT(report.artifacts_dropped, 0U);
  }

  void TearDown() override {
    RecordProperty("states", static_cast<int>(states_));
    std::printf("%zu operations, %zu states\n", recorder_->operation_count() - first_, states_);
  }

  void expect_kept(const Domain& domain) const {
    ASSERT_FALSE(domain.corruption().has_value()) << domain.corruption()->to_string();
    for (const Bytes& bytes : kept_)
      EXPECT_EQ(value_of(read_artifact(domain, untyped_reference(sha256(bytes)))), bytes);
  }

  // Makes the state in a new directory, calls `check` with it and removes it.
  template <typename Check>
  void at_state(std::size_t count, std::size_t policy, const Check& check) {
    SCOPED_TRACE("operations " + std::to_string(count) + ", policy " + std::to_string(policy));
    const std::string state = directory_ / "state";
    ASL_ASSERT_OK(recorder_->materialise(count, policies(count)[policy], state));
    check(state);
    ++states_;
    test::fs::remove_all(state);
  }

  std::unique_ptr<io::Io> plain_;
  std::unique_ptr<RecordingIo> recorder_;
  std::size_t first_ = 0;  // operations before gc
  std::vector<Bytes> kept_;
  std::size_t states_ = 0;
};

TEST_F(GcCrash, NothingThatIsNeededIsLostAtAnyCut) {
  for (std::size_t count = first_; count <= recorder_->operation_count() && !HasFailure();
       count += test::case_step()) {
    for (std::size_t number = 0; number < policies(count).size(); ++number)
      at_state(count, number, [&](const std::string& state) { expect_kept(*open_domain(*plain_, state)); });
  }
}

// A writer sweeps, gc runs again, and the store is as it would have been.
TEST_F(GcCrash, GcGoesOnFromEveryCut) {
  for (std::size_t count = first_; count <= recorder_->operation_count() && !HasFailure();
       count += test::case_step()) {
    at_state(count, count % policies(count).size(), [&](const std::string& state) {
      const auto domain = open_domain(*plain_, state);
      ProgressCounters progress;
      const auto report = collect_garbage(*domain, {}, progress, {});
      ASSERT_TRUE(report.has_value()) << report.error().to_string();
      expect_kept(*domain);
      const VerifyReport verified = test::verify_all(*domain);
      for (const Finding& finding : verified.findings) ADD_FAILURE() << finding.error.to_string();
      const auto blocks = test::files_ending(state + "/store/blocks", ".bin");
      EXPECT_EQ(blocks.size(), test::files_ending(in_store("blocks"), ".bin").size());
    });
  }
}

}  // namespace
}  // namespace asl
