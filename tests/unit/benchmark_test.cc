// asl bench: that it measures everything, leaves nothing, and refuses before it fills a disk.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include <asl/engine/benchmark.h>

#include "benchmark/work_place.h"
#include "support.h"

namespace asl {
namespace {

using test::value_of;

class BenchmarkTest : public ::testing::Test {
 protected:
  std::vector<std::string> left() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / ""))
      names.push_back(entry.path().filename());
    return names;
  }
  BenchmarkOptions small() const {
    return {.directory = std::filesystem::path(directory_ / "").parent_path(),
            .size_bytes = 24 << 20,
            .syncs = 3};
  }

  test::TempDirectory directory_;
  std::unique_ptr<io::Io> io_ = io::make_plain_io();
  ProgressCounters progress_;
};

TEST_F(BenchmarkTest, EveryPassMovesAllTheData) {
  const BenchmarkReport report = value_of(run_benchmark(*io_, small(), progress_, StopToken()));
  constexpr std::uint64_t kSize = 24 << 20;
  for (const BenchmarkRate* rate :
       {&report.disk_write, &report.disk_read, &report.ingest, &report.read, &report.restore}) {
    EXPECT_EQ(rate->bytes, kSize);
    EXPECT_GT(rate->seconds, 0);
  }
  // Nothing of it was found twice, so that all was stored; trees and padding come on top.
  EXPECT_GE(report.verify.bytes, kSize);
  EXPECT_GT(report.hash.bytes_per_second(), 0);
  EXPECT_GT(report.sync_median_s, 0);
  EXPECT_GE(report.sync_worst_s, report.sync_median_s);
  EXPECT_DOUBLE_EQ(report.disk_copy().seconds, report.disk_write.seconds + report.disk_read.seconds);
  EXPECT_TRUE(left().empty());
}

TEST_F(BenchmarkTest, AStopLeavesNothing) {
  const std::atomic<bool> stop{true};
  const auto report = run_benchmark(*io_, small(), progress_, StopToken(stop));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kInterrupted);
  EXPECT_TRUE(left().empty());
}

TEST_F(BenchmarkTest, TooMuchIsRefusedBeforeAnythingIsWritten) {
  BenchmarkOptions options = small();
  options.size_bytes = 1ULL << 60;
  const auto report = run_benchmark(*io_, options, progress_, StopToken());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNoSpace);
  EXPECT_NE(report.error().hint.find("--size"), std::string::npos);
  EXPECT_TRUE(left().empty());
}

TEST_F(BenchmarkTest, WhatAKilledOneLeftGoesAndNothingElse) {
  const std::string parent = small().directory;
  std::filesystem::create_directories(parent + "/bench-killed/store");
  std::ofstream(parent + "/bench-killed/lock");
  std::filesystem::create_directories(parent + "/bench-mine");  // somebody's own
  const WorkPlace first = value_of(WorkPlace::make(*io_, parent));
  EXPECT_FALSE(std::filesystem::exists(parent + "/bench-killed"));
  EXPECT_TRUE(std::filesystem::exists(parent + "/bench-mine"));
  {
    const WorkPlace second = value_of(WorkPlace::make(*io_, parent));
    EXPECT_TRUE(std::filesystem::exists(first.path("lock")));
    EXPECT_TRUE(std::filesystem::exists(second.path("lock")));
  }
  EXPECT_EQ(left().size(), 2U);
}

}  // namespace
}  // namespace asl
