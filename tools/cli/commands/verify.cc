#include <fmt/format.h>

#include <asl/engine/verify.h>

#include "commands/open_store.h"
#include "json_out.h"
#include "program.h"
#include "text.h"

namespace asl::cli {
namespace {

Json finding_json(const Finding& finding) {
  Json json;
  json["kind"] = finding_kind_name(finding.kind);
  json["message"] = printable_message(finding.error.to_string());
  if (!finding.error.object.empty()) json["object"] = finding.error.object;
  if (!finding.error.path.empty()) put_bytes(json, "path", finding.error.path);
  if (finding.error.offset) json["offset"] = *finding.error.offset;
  if (!finding.error.hint.empty()) json["hint"] = finding.error.hint;
  json["file_count"] = finding.file_count;
  json["files"] = Json::array();
  for (const std::string& file : finding.files) {
    Json row;
    put_bytes(row, "file", file);
    json["files"].push_back(row);
  }
  return json;
}

void print_json_report(Context& context, const VerifyReport& report) {
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
  json["finding_count"] = report.finding_count;
  json["findings"] = Json::array();
  for (const Finding& finding : report.findings) json["findings"].push_back(finding_json(finding));
  print_json(context.out, json);
}

void print_findings(Context& context, const VerifyReport& report) {
  for (const Finding& finding : report.findings) {
    context.out.line(
        fmt::format("{}: {}", finding_kind_name(finding.kind), printable_message(finding.error.to_string())));
    for (const std::string& file : finding.files) context.out.line("  file " + printable(file));
    if (finding.file_count > finding.files.size())
      context.out.line(fmt::format("  and {} more files", finding.file_count - finding.files.size()));
    if (!finding.error.hint.empty()) context.out.line("  try: " + finding.error.hint);
  }
  if (report.finding_count > report.findings.size())
    context.out.line(fmt::format("and {} more findings", report.finding_count - report.findings.size()));
}

}  // namespace

Result<int> run_verify(Context& context, const ParsedOptions& options) {
  VerifyOptions verify;
  verify.data = options.flag("data");
  verify.artifacts = options.flag("artifacts");
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
  ASL_TRY(report);
  if (context.json) {
    print_json_report(context, *report);
  } else {
    print_findings(context, *report);
    if (!context.quiet) {
      context.out.line(fmt::format(
          "checked {} log records, {} segments, {} artifacts, {} blocks, {} snapshots, {} trees",
          format_count(report->log_records), format_count(report->segments), format_count(report->artifacts),
          format_count(report->blocks), format_count(report->snapshots), format_count(report->trees)));
      if (verify.data)
        context.out.line(
            fmt::format("read {} in {:.1f} s", format_size(report->bytes_read), report->seconds));
      context.out.line(report->finding_count == 0 ? "no damage found"
                                                  : fmt::format("{} findings", report->finding_count));
    }
  }
  return report->finding_count == 0 ? kExitOk : exit_code(ErrorCode::kIntegrity);
}

}  // namespace asl::cli
