#include <ctime>
#include <fmt/format.h>

#include <asl/engine/verify.h>

#include "commands/findings.h"
#include "commands/open_store.h"
#include "json_out.h"
#include "program.h"
#include "text.h"

namespace asl::cli {
namespace {

constexpr std::uint64_t kSecondsPerDay = 86'400;

void print_json_report(Context& context, const VerifyReport& report, bool data) {
  Json json = make_json("verify");
  json["log_records"] = report.log_records;
  json["segments"] = report.segments;
  json["artifacts"] = report.artifacts;
  json["artifacts_hashed"] = report.artifacts_hashed;
  json["blocks"] = report.blocks;
  json["bytes_read"] = report.bytes_read;
  json["snapshots"] = report.snapshots;
  json["trees"] = report.trees;
  json["seconds"] = report.seconds;
  if (data) {
    json["blocks_read"] = report.blocks_read;
    json["blocks_left_out"] = report.blocks_left_out;
    json["bytes_left_out"] = report.bytes_left_out;
    json["blocks_never_read"] = report.blocks_never_read;
    if (report.oldest_check_s) json["oldest_check"] = format_time(*report.oldest_check_s);
  }
  json["finding_count"] = report.finding_count;
  json["findings"] = findings_json(report.findings);
  json["superseded_count"] = report.superseded_count;
  json["superseded"] = findings_json(report.superseded);
  print_json(context.out, json);
}

void print_data_summary(Context& context, const VerifyReport& report) {
  context.out.line(fmt::format("read {} in {} blocks, {:.1f} s", format_size(report.bytes_read),
                               format_count(report.blocks_read), report.seconds));
  if (report.blocks_left_out > 0)
    context.out.line(fmt::format("left out {} in {} blocks", format_size(report.bytes_left_out),
                                 format_count(report.blocks_left_out)));
  if (report.blocks_never_read > 0)
    context.out.line(fmt::format("{} blocks were never read yet", format_count(report.blocks_never_read)));
  else if (report.oldest_check_s && report.blocks_left_out > 0)
    context.out.line("every block was read since " + format_time(*report.oldest_check_s));
}

void print_report(Context& context, const VerifyReport& report, bool data) {
  print_findings(context, report.findings, report.finding_count);
  print_findings(context, report.superseded, report.superseded_count);
  if (context.quiet) return;
  context.out.line(fmt::format(
      "checked {} log records, {} segments, {} artifacts, {} blocks, {} snapshots, {} trees",
      format_count(report.log_records), format_count(report.segments), format_count(report.artifacts),
      format_count(report.blocks), format_count(report.snapshots), format_count(report.trees)));
  if (data) print_data_summary(context, report);
  if (report.superseded_count > 0)
    context.out.line(fmt::format("{} damaged places hold what nothing needs any more; asl gc drops them",
                                 format_count(report.superseded_count)));
  context.out.line(report.finding_count == 0
                       ? "no damage found"
                       : fmt::format("{} findings", format_count(report.finding_count)));
}

}  // namespace

Result<int> run_verify(Context& context, const ParsedOptions& options) {
  VerifyOptions verify;
  verify.data =
      options.flag("data") || options.has("sample") || options.has("max-age") || options.has("rate");
  verify.artifacts = options.flag("artifacts");
  verify.sample_ppm = options.parts_per_million("sample");
  if (const auto days = options.number("max-age")) verify.max_age_s = *days * kSecondsPerDay;
  verify.bytes_per_second = options.number("rate");
  verify.now_s = std::time(nullptr);
  ASL_ASSIGN(const OpenStore store, open_store(context));
  if (const auto& id = options.arguments("ID"); !id.empty()) {
    ASL_ASSIGN(const SnapshotPath snapshot, store.domain->parse_snapshot_path(id.front()));
    verify.snapshot_id = snapshot.snapshot_id;
  }
  Result<VerifyReport> report;
  {
    ProgressScope progress(context);
    report = asl::verify(*store.domain, verify, progress.counters(), context.stop);
  }
  if (!report) {
    Error error = std::move(report).error();
    if (error.code == ErrorCode::kInterrupted && verify.data)
      error.hint = "asl verify --max-age 1 goes on where this stopped";
    return fail(std::move(error));
  }
  if (context.json)
    print_json_report(context, *report, verify.data);
  else
    print_report(context, *report, verify.data);
  return report->finding_count == 0 ? kExitOk : exit_code(ErrorCode::kIntegrity);
}

}  // namespace asl::cli
