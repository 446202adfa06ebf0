#include <array>
#include <gtest/gtest.h>
#include <unistd.h>

#include "progress.h"
#include "text.h"

namespace asl::cli {
namespace {

using std::chrono::seconds;

ProgressView full_view() {
  ProgressView view;
  view.phase = "ingesting";
  view.bytes_done = 5ULL << 30;
  view.bytes_total = 10ULL << 30;
  view.files_done = 1234;
  view.files_total = 5678;
  view.bytes_new = 1ULL << 30;
  view.errors = 1;
  view.rate_now = 600ULL << 20;
  view.rate_average = 500ULL << 20;
  view.eta_seconds = 67;
  return view;
}

TEST(CliProgress, AWideLineShowsEverything) {
  EXPECT_EQ(
      progress_line(full_view(), 200),
      "ingesting  5.00 GiB / 10.0 GiB 50%  1,234 / 5,678 files  600 MiB/s  average 500 MiB/s  new 1.00 GiB  "
      "1 error  ETA 1:07");
}

TEST(CliProgress, ANarrowLineKeepsWhatMattersMost) {
  EXPECT_EQ(progress_line(full_view(), 80),
            "5.00 GiB / 10.0 GiB 50%  1,234 / 5,678 files  600 MiB/s  1 error  ETA 1:07");
  EXPECT_EQ(progress_line(full_view(), 30), "5.00 GiB / 10.0 GiB 50%");
  for (std::size_t width = 1; width < 150; ++width)
    EXPECT_LE(progress_line(full_view(), width).size(), width);
}

TEST(CliProgress, UnknownTotalsShowTheTimeInsteadOfAnEta) {
  ProgressView view;
  view.phase = "scanning";
  view.files_done = 10;
  view.elapsed_seconds = 3;
  EXPECT_EQ(progress_line(view, 80), "scanning  10 files  0:03");
}

TEST(CliProgress, RatesCoverTheWindowAndThePhase) {
  const ProgressMeter::Clock::time_point start{};
  ProgressMeter meter(start);
  ProgressCounters counters;
  counters.set_phase(ProgressPhase::kIngesting);
  counters.bytes_total = 2000;
  meter.look(counters, start);
  for (int second = 1; second <= 10; ++second) {
    progress_add(counters.bytes_done, second <= 4 ? 100 : 50);
    const ProgressView view = meter.look(counters, start + seconds(second));
    EXPECT_FALSE(view.eta_seconds);
    if (second == 10) {
      EXPECT_EQ(view.bytes_done, 700U);
      EXPECT_EQ(view.rate_now, 50U);
      EXPECT_EQ(view.rate_average, 70U);
    }
  }
  counters.totals_final = true;
  EXPECT_EQ(meter.look(counters, start + seconds(10)).eta_seconds, 1300U / 60U);
}

TEST(CliProgress, TheFirstLookHasARateAlready) {
  const ProgressMeter::Clock::time_point start{};
  ProgressMeter meter(start);
  ProgressCounters counters;
  counters.set_phase(ProgressPhase::kIngesting);
  counters.bytes_done = 300;
  EXPECT_EQ(meter.look(counters, start + seconds(3)).rate_now, 100U);
}

TEST(CliProgress, APhaseCountsFromItsOwnStart) {
  const ProgressMeter::Clock::time_point start{};
  ProgressMeter meter(start);
  ProgressCounters counters;
  counters.set_phase(ProgressPhase::kScanning);
  meter.look(counters, start);
  counters.set_phase(ProgressPhase::kIngesting);
  meter.look(counters, start + seconds(100));
  counters.bytes_done = 200;
  EXPECT_EQ(meter.look(counters, start + seconds(102)).rate_average, 100U);
}

TEST(CliProgress, TheObjectIsOneLineOfJson) {
  const Json object = Json::parse(progress_object(full_view()));
  EXPECT_EQ(object["schema"], "asl.progress.v1");
  EXPECT_EQ(object["bytes_done"], 5ULL << 30);
  EXPECT_EQ(object["eta_seconds"], 67);
  EXPECT_TRUE(Json::parse(progress_object({}))["eta_seconds"].is_null());
}

TEST(CliProgress, NothingIsDrawnOnAPipeAndNotesPass) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  {
    Output err(pipe[1]);
    Progress progress(ProgressMode::kAuto, err);
    progress.counters().bytes_done = 1;
    progress.note("a note");
  }
  ::close(pipe[1]);
  std::array<char, 64> text{};
  const ssize_t size = ::read(pipe[0], text.data(), text.size());
  ::close(pipe[0]);
  EXPECT_EQ(std::string_view(text.data(), static_cast<std::size_t>(size)), "a note\n");
}

}  // namespace
}  // namespace asl::cli
