#include <algorithm>
#include <fmt/format.h>

#include <asl/engine/benchmark.h>
#include <asl/engine/host_root.h>

#include "json_out.h"
#include "program.h"
#include "text.h"

namespace asl::cli {
namespace {

constexpr std::uint64_t kQuickBytes = 512ULL << 20;
constexpr std::uint32_t kQuickSyncs = 50;
constexpr std::size_t kBarWidth = 30;

// One thing that was measured, and the limit that it is held against.
struct Line {
  std::string name;
  const BenchmarkRate& rate;
  BenchmarkRate limit;     // no bytes: a limit itself
  std::string limit_name;  // "of what the disk reads"
};

std::vector<Line> lines_of(const BenchmarkReport& report) {
  return {{"disk, write", report.disk_write, {}, ""},
          {"disk, read", report.disk_read, {}, ""},
          {"SHA-256, one core", report.hash, {}, ""},
          {"ingest", report.ingest, report.disk_copy(), "of what the disk copies"},
          {"verify --data", report.verify, report.disk_read, "of what the disk reads"},
          {"read (cat)", report.read, report.disk_read, "of what the disk reads"},
          {"restore", report.restore, report.disk_copy(), "of what the disk copies"}};
}

double ratio(const Line& line) {
  return line.limit.bytes_per_second() > 0 ? line.rate.bytes_per_second() / line.limit.bytes_per_second() : 0;
}

void print_chart(Context& context, const BenchmarkReport& report) {
  const std::vector<Line> lines = lines_of(report);
  double longest = 1;
  for (const Line& line : lines) longest = std::max(longest, line.rate.bytes_per_second());
  Table table({{""}, {"", Table::Align::kRight}, {""}, {""}});
  for (const Line& line : lines) {
    const double speed = line.rate.bytes_per_second();
    const auto width = static_cast<std::size_t>(speed / longest * kBarWidth + 0.5);
    table.add({line.name, format_rate(static_cast<std::uint64_t>(speed)), std::string(width, '#'),
               line.limit.bytes > 0 ? fmt::format("{:.0f} % {}", 100 * ratio(line), line.limit_name) : ""});
  }
  context.out.write(table.to_string());
  context.out.line(fmt::format("\na sync takes {:.2f} ms (median; the worst {:.2f} ms)",
                               1e3 * report.sync_median_s, 1e3 * report.sync_worst_s));
  context.out.line(
      "copies: read from this disk and written to it again, one after the other; ingest and restore "
      "do both at once");
  if (!report.direct)
    context.out.line("this file system has no direct I/O: the figures contain its page cache");
}

void print_json_report(Context& context, const BenchmarkReport& report, std::uint64_t size) {
  Json json = make_json("bench");
  json["size_bytes"] = size;
  json["direct_io"] = report.direct;
  json["sync_median_s"] = report.sync_median_s;
  json["sync_worst_s"] = report.sync_worst_s;
  const auto rate_json = [](const BenchmarkRate& rate) {
    return Json{
        {"bytes", rate.bytes}, {"seconds", rate.seconds}, {"bytes_per_second", rate.bytes_per_second()}};
  };
  json["disk_write"] = rate_json(report.disk_write);
  json["disk_read"] = rate_json(report.disk_read);
  json["disk_copy"] = rate_json(report.disk_copy());
  json["sha256"] = rate_json(report.hash);
  json["ingest"] = rate_json(report.ingest);
  json["verify"] = rate_json(report.verify);
  json["read"] = rate_json(report.read);
  json["restore"] = rate_json(report.restore);
  json["of_limit"] = Json::object();
  for (const Line& line : lines_of(report))
    if (line.limit.bytes > 0) json["of_limit"][line.name.substr(0, line.name.find(' '))] = ratio(line);
  print_json(context.out, json);
}

}  // namespace

Result<int> run_bench(Context& context, const ParsedOptions& options) {
  const auto io = io::make_default_io();
  ASL_ASSIGN(const HostRoot root, HostRoot::open(*io, context.root));
  BenchmarkOptions how;
  how.directory = root.directory();
  if (options.flag("quick")) {
    how.syncs = kQuickSyncs;
    how.size_bytes = kQuickBytes;
  }
  how.size_bytes = options.number("size").value_or(how.size_bytes);
  Result<BenchmarkReport> report;
  {
    ProgressScope progress(context);
    report = run_benchmark(*io, how, progress.counters(), context.stop);
  }
  ASL_TRY(report);
  if (context.json)
    print_json_report(context, *report, how.size_bytes);
  else
    print_chart(context, *report);
  return kExitOk;
}

}  // namespace asl::cli
