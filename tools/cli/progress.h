// The progress line: samples the counters of a running command and shows them to a person or a program.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <asl/engine/progress.h>

#include "json_out.h"
#include "output.h"

namespace asl::cli {

enum class ProgressMode : std::uint8_t {
  kAuto,  // one line, redrawn in place, if standard error is a terminal; else nothing
  kNone,
  kJson,  // one object a second
  kLine,  // as kAuto, and where there is no terminal one plain line every ten seconds
};

// One look at the counters, with what follows from earlier looks.
struct ProgressView {
  std::string_view phase;  // "ingesting"
  std::uint64_t bytes_done = 0, bytes_total = 0;
  std::uint64_t files_done = 0, files_total = 0;
  std::uint64_t bytes_new = 0, errors = 0;
  std::uint64_t rate_now = 0, rate_average = 0;  // bytes a second, of this phase
  std::uint64_t elapsed_seconds = 0;             // since the start
  std::optional<std::uint64_t> eta_seconds;
};

// Fits into `width` columns: leaves out the less important parts first.
std::string progress_line(const ProgressView& view, std::size_t width);
// {"schema": "asl.progress.v1", ...} in one line.
std::string progress_object(const ProgressView& view);

// Turns looks at the counters into rates and an ETA. One thread.
class ProgressMeter {
 public:
  using Clock = std::chrono::steady_clock;
  explicit ProgressMeter(Clock::time_point start);
  ProgressView look(const ProgressCounters& counters, Clock::time_point now);

 private:
  struct Sample {
    Clock::time_point time;
    std::uint64_t bytes;
  };
  void restart(ProgressPhase phase, const Sample& sample);

  Clock::time_point start_;
  ProgressPhase phase_ = ProgressPhase::kNone;
  Sample phase_start_;
  std::deque<Sample> window_;  // the last few seconds
};

// Owns the counters and the thread that shows them. Made on the stack around the work, which gets counters();
// the destructor stops the thread at once and clears the line. note() may be called from any thread.
class Progress {
 public:
  // `err` must outlive this object and is used by nobody else meanwhile (note() writes to it).
  Progress(ProgressMode mode, Output& err);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  ProgressCounters& counters() { return counters_; }
  // Prints a line above the progress line.
  void note(std::string_view line);
  // Calls `print`, which writes to a terminal, with the progress line out of its way.
  void aside(const std::function<void()>& print);

 private:
  void run(std::stop_token stop);
  void draw();
  void clear();

  bool terminal_ = false;
  const ProgressMode mode_;
  Output& err_;
  ProgressCounters counters_;
  std::mutex mutex_;  // guards err_, meter_ and drawn_
  std::condition_variable_any wake_;
  ProgressMeter meter_;
  bool drawn_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace asl::cli
