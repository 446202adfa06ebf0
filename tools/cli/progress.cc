#include "progress.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <vector>

#include "text.h"

namespace asl::cli {
namespace {

using std::chrono::milliseconds;
using Seconds = std::chrono::duration<double>;

constexpr milliseconds kRedrawInterval{200};   // fast enough to look alive, slow enough to cost nothing
constexpr milliseconds kObjectInterval{1000};  // promised to readers of --progress json
constexpr milliseconds kLineInterval{10000};   // keeps a build log readable
constexpr Seconds kRateWindow{5.0};            // "now" is the last five seconds

std::string_view phase_word(ProgressPhase phase) {
  constexpr std::array<std::string_view, 10> kWords = {"",          "scanning",  "ingesting", "committing",
                                                       "restoring", "verifying", "copying",   "indexing",
                                                       "marking",   "sweeping"};
  return kWords[static_cast<std::size_t>(phase)];
}

std::uint64_t rate_between(std::uint64_t bytes, Seconds time) {
  constexpr double kShortest = 0.05;  // below this a rate is noise
  return time.count() < kShortest ? 0 : static_cast<std::uint64_t>(static_cast<double>(bytes) / time.count());
}

std::string done_of_total(const ProgressView& view) {
  if (view.bytes_total == 0) return view.bytes_done == 0 ? "" : format_size(view.bytes_done);
  const double share = static_cast<double>(view.bytes_done) / static_cast<double>(view.bytes_total);
  return fmt::format("{} / {} {}%", format_size(view.bytes_done), format_size(view.bytes_total),
                     static_cast<unsigned>(std::min(share, 1.0) * 100));
}

std::string files_of_total(const ProgressView& view) {
  if (view.files_total == 0)
    return view.files_done == 0 ? "" : fmt::format("{} files", format_count(view.files_done));
  return fmt::format("{} / {} files", format_count(view.files_done), format_count(view.files_total));
}

ProgressMode effective_mode(ProgressMode mode, const Output& err, bool& terminal) {
  const char* const term = std::getenv("TERM");
  terminal = err.is_terminal() && term != nullptr && std::string_view(term) != "dumb";
  return mode == ProgressMode::kAuto && !terminal ? ProgressMode::kNone : mode;
}

milliseconds interval_of(ProgressMode mode, bool terminal) {
  if (mode == ProgressMode::kJson) return kObjectInterval;
  return terminal ? kRedrawInterval : kLineInterval;
}

}  // namespace

std::string progress_line(const ProgressView& view, std::size_t width) {
  struct Part {
    std::string text;
    int importance;  // the least important go first where there is no room
  };
  std::vector<Part> parts = {
      {std::string(view.phase), 5},
      {done_of_total(view), 9},
      {files_of_total(view), 6},
      {view.rate_now == 0 ? "" : format_rate(view.rate_now), 7},
      {view.rate_average == 0 ? "" : "average " + format_rate(view.rate_average), 2},
      {view.bytes_new == 0 ? "" : "new " + format_size(view.bytes_new), 4},
      {view.errors == 0 ? "" : fmt::format("{} {}", view.errors, view.errors == 1 ? "error" : "errors"), 8},
      {view.eta_seconds ? "ETA " + format_duration(*view.eta_seconds) : format_duration(view.elapsed_seconds),
       8},
  };
  std::erase_if(parts, [](const Part& part) { return part.text.empty(); });
  const auto join = [&parts] {
    std::string line;
    for (const Part& part : parts) line += (line.empty() ? "" : "  ") + part.text;
    return line;
  };
  std::string line = join();
  while (line.size() > width && parts.size() > 1) {
    parts.erase(std::ranges::min_element(parts, {}, &Part::importance));
    line = join();
  }
  return line.substr(0, width);
}

std::string progress_object(const ProgressView& view) {
  Json object = make_json("progress");
  object["phase"] = view.phase;
  object["bytes_done"] = view.bytes_done;
  object["bytes_total"] = view.bytes_total;
  object["files_done"] = view.files_done;
  object["files_total"] = view.files_total;
  object["bytes_new"] = view.bytes_new;
  object["errors"] = view.errors;
  object["bytes_per_second"] = view.rate_now;
  object["bytes_per_second_average"] = view.rate_average;
  object["elapsed_seconds"] = view.elapsed_seconds;
  object["eta_seconds"] = view.eta_seconds ? Json(*view.eta_seconds) : Json(nullptr);
  return object.dump();
}

ProgressMeter::ProgressMeter(Clock::time_point start) : start_(start), phase_start_{start, 0} {
  window_.push_back(phase_start_);
}

// Each phase counts from its own start: the time spent scanning must not dilute the rate of reading.
void ProgressMeter::restart(ProgressPhase phase, const Sample& sample) {
  phase_ = phase;
  phase_start_ = sample;
  window_.assign(1, sample);
}

ProgressView ProgressMeter::look(const ProgressCounters& counters, Clock::time_point now) {
  const auto read = [](const std::atomic<std::uint64_t>& value) {
    return value.load(std::memory_order_relaxed);
  };
  ProgressView view;
  view.bytes_done = read(counters.bytes_done);
  view.bytes_total = read(counters.bytes_total);
  view.files_done = read(counters.files_done);
  view.files_total = read(counters.files_total);
  view.bytes_new = read(counters.bytes_new);
  view.errors = read(counters.errors);
  const ProgressPhase phase = counters.phase.load(std::memory_order_relaxed);
  view.phase = phase_word(phase);
  const Sample sample{now, view.bytes_done};
  if (phase_ == ProgressPhase::kNone)
    phase_ = phase;  // the first phase began with the work
  else if (phase != phase_ || view.bytes_done < window_.back().bytes)
    restart(phase, sample);
  while (window_.size() > 1 && Seconds(now - window_.front().time) > kRateWindow) window_.pop_front();
  view.rate_now = rate_between(view.bytes_done - window_.front().bytes, now - window_.front().time);
  view.rate_average = rate_between(view.bytes_done - phase_start_.bytes, now - phase_start_.time);
  window_.push_back(sample);
  view.elapsed_seconds = static_cast<std::uint64_t>(Seconds(now - start_).count());
  const std::uint64_t expected_rate = view.rate_now / 2 + view.rate_average / 2;
  if (counters.totals_final.load(std::memory_order_relaxed) && view.bytes_total >= view.bytes_done &&
      expected_rate > 0)
    view.eta_seconds = (view.bytes_total - view.bytes_done) / expected_rate;
  return view;
}

Progress::Progress(ProgressMode mode, Output& err)
    : mode_(effective_mode(mode, err, terminal_)), err_(err), meter_(ProgressMeter::Clock::now()) {
  if (mode_ != ProgressMode::kNone)
    thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

Progress::~Progress() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  const std::lock_guard lock(mutex_);
  clear();
}

void Progress::note(std::string_view line) {
  const std::lock_guard lock(mutex_);
  clear();
  err_.line(line);
  static_cast<void>(err_.flush());  // nowhere is left to report a broken standard error
}

void Progress::aside(const std::function<void()>& print) {
  const std::lock_guard lock(mutex_);
  clear();
  print();
}

void Progress::run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const milliseconds interval = interval_of(mode_, terminal_);
  while (!stop.stop_requested()) {
    // Wakes early only when asked to stop.
    wake_.wait_for(lock, stop, interval, [] { return false; });
    if (!stop.stop_requested()) draw();
  }
}

void Progress::draw() {
  const ProgressView view = meter_.look(counters_, ProgressMeter::Clock::now());
  if (mode_ == ProgressMode::kJson) {
    err_.line(progress_object(view));
  } else if (terminal_) {
    // One column stays free: some terminals wrap when the last one is written.
    const std::size_t width = err_.width();
    err_.write("\r" + progress_line(view, width > 1 ? width - 1 : 1) + "\x1b[K");
    drawn_ = true;
  } else {
    constexpr std::size_t kLogLineWidth = 160;
    err_.line(progress_line(view, kLogLineWidth));
  }
  static_cast<void>(err_.flush());
}

void Progress::clear() {
  if (!drawn_) return;
  err_.write("\r\x1b[K");
  static_cast<void>(err_.flush());
  drawn_ = false;
}

}  // namespace asl::cli
