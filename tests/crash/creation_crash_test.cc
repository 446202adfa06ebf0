// Power cuts while a store and its domains are made: what had been reported done is there; before that, there
// is no store or domain and making it again works. The model and its policies: doc/io.md, "The crash model".
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/hash.h>

#include "io/recording_io.h"
#include "lazy_io.h"
#include "store_fixture.h"
#include "thinning.h"

namespace asl {
namespace {

using io::CrashPolicy;
using io::RecordingIo;
using test::value_of;

std::vector<CrashPolicy> policies(std::size_t count) {
  using Data = CrashPolicy::Data;
  using Names = CrashPolicy::Names;
  return {{.data = Data::kLost, .names = Names::kLost, .tear_unit_bytes = 512, .seed = count},
          {.data = Data::kKept, .names = Names::kKept, .tear_unit_bytes = 512, .seed = count},
          {.data = Data::kLost, .names = Names::kKept, .tear_unit_bytes = 512, .seed = count},
          {.data = Data::kTorn, .names = Names::kOrdered, .tear_unit_bytes = 4096, .seed = count},
          {.data = Data::kRandom, .names = Names::kIndependent, .tear_unit_bytes = 512, .seed = count}};
}

class CreationCrash : public ::testing::Test {
 protected:
  void SetUp() override {
    test::fs::create_directory(directory_ / "outer");
    recorder_ = value_of(RecordingIo::create(plain_, directory_ / "outer"));
    HostRoot root = value_of(HostRoot::init(*recorder_, directory_ / "outer/root"));
    root_at_ = recorder_->operation_count();
    value_of(root.create_local_domain("first"));
    first_at_ = recorder_->operation_count();
    value_of(root.create_local_domain("second"));
    second_at_ = recorder_->operation_count();
  }

  void check(const std::string& root_directory, std::size_t count) {
    auto root = HostRoot::open(plain_, root_directory);
    if (!root) {
      ASSERT_LT(count, root_at_) << "a store that was reported made is gone: " << root.error().to_string();
      root = HostRoot::init(plain_, root_directory);
      ASSERT_TRUE(root.has_value()) << "it cannot be made again: " << root.error().to_string();
    }
    for (const auto& [name, made_at] : {std::pair{"first", first_at_}, {"second", second_at_}}) {
      auto found = root->find_domain(name);
      if (!found) {
        ASSERT_LT(count, made_at) << name << " was reported made and is gone: " << found.error().to_string();
        EXPECT_EQ(found.error().code, ErrorCode::kNotFound) << found.error().to_string();
        found = root->create_local_domain(name);
        ASSERT_TRUE(found.has_value()) << "it cannot be made again: " << found.error().to_string();
      }
      const auto domain = test::open_domain(plain_, found->directory);
      EXPECT_FALSE(domain->corruption().has_value());
      EXPECT_EQ(domain->alias(), name);
    }
    const auto all = root->domains();
    ASSERT_TRUE(all.has_value()) << all.error().to_string();
    EXPECT_EQ(all->size(), 2U);
  }

  test::TempDirectory directory_{test::memory_directory()};
  test::LazyIo plain_;
  std::unique_ptr<RecordingIo> recorder_;
  std::size_t root_at_ = 0;
  std::size_t first_at_ = 0;
  std::size_t second_at_ = 0;
};

TEST_F(CreationCrash, AStoreAndItsDomainsAreMadeOrCanBeMadeAgain) {
  const std::string state = directory_ / "state";
  std::size_t states = 0;
  for (std::size_t count = 0; count <= second_at_ && !HasFailure(); count += test::case_step()) {
    // Between the 256 directories of blocks nothing happens that is not the same at each of them.
    const std::string last = count == 0 ? "" : recorder_->operations()[count - 1].path;
    const bool one_of_many = last.contains("store/blocks/");
    if (one_of_many && count % 16 != 0) continue;
    const auto all = policies(count);
    for (std::size_t number = 0; number < all.size() && !HasFailure(); ++number, ++states) {
      SCOPED_TRACE("operations " + std::to_string(count) + " of " + std::to_string(root_at_) + ", " +
                   std::to_string(first_at_) + ", " + std::to_string(second_at_) + "; policy " +
                   std::to_string(number) + "; the last one was on " + last);
      ASL_ASSERT_OK(recorder_->materialise(count, all[number], state));
      check(state + "/root", count);
      test::fs::remove_all(state);
    }
  }
  RecordProperty("states", static_cast<int>(states));
  std::printf("%zu operations, %zu states\n", second_at_, states);
}

}  // namespace
}  // namespace asl
