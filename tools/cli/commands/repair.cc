#include <ctime>
#include <fmt/format.h>

#include <asl/engine/host_root.h>
#include <asl/engine/repair.h>

#include "commands/findings.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

Json healed_json(const Healed& healed) {
  Json json;
  json["kind"] = healed_kind_name(healed.kind);
  json["object"] = healed.object;
  if (!healed.source.empty()) put_bytes(json, "source", healed.source);
  return json;
}

void print_report_json(Context& context, const RepairReport& report, bool dry_run) {
  Json json = make_json("repair");
  json["dry_run"] = dry_run;
  json["finding_count_before"] = report.finding_count_before;
  json["healed_count"] = report.healed_count;
  json["bytes_healed"] = report.bytes_healed;
  json["healed"] = Json::array();
  for (const Healed& healed : report.healed) json["healed"].push_back(healed_json(healed));
  json["finding_count"] = report.remaining.finding_count;
  json["findings"] = findings_json(report.remaining.findings);
  json["superseded_count"] = report.remaining.superseded_count;
  json["superseded"] = findings_json(report.remaining.superseded);
  json["seconds"] = report.seconds;
  print_json(context.out, json);
}

void print_report(Context& context, const RepairReport& report, bool dry_run) {
  for (const Healed& healed : report.healed)
    context.out.line(fmt::format("{}: {} {}{}{}", dry_run ? "could be healed" : "healed",
                                 healed_kind_name(healed.kind), printable(healed.object),
                                 healed.source.empty() ? "" : " from ", printable(healed.source)));
  if (report.healed_count > report.healed.size())
    context.out.line(fmt::format("and {} more", report.healed_count - report.healed.size()));
  if (report.remaining.finding_count > 0) context.out.line("still wrong:");
  print_findings(context, report.remaining.findings, report.remaining.finding_count);
  print_findings(context, report.remaining.superseded, report.remaining.superseded_count);
  if (context.quiet) return;
  if (report.finding_count_before == 0 && report.remaining.finding_count == 0) {
    context.out.line("nothing to repair");
    return;
  }
  context.out.line(fmt::format("{} {}, {}; {} still wrong", format_count(report.healed_count),
                               dry_run ? "could be healed" : "healed", format_size(report.bytes_healed),
                               format_count(report.remaining.finding_count)));
}

}  // namespace

Result<int> run_repair(Context& context, const ParsedOptions& options) {
  RepairOptions repair;
  repair.from = options.list("from");
  repair.data = options.flag("data");
  repair.search = options.flag("search");
  repair.dry_run = options.flag("dry-run");
  repair.now_s = std::time(nullptr);
  if (repair.from.empty())
    return fail(ErrorCode::kUsage, "repair needs --from PLACE: where to take the bytes from");
  const std::unique_ptr<io::Io> io = io::make_default_io();
  ASL_ASSIGN(const HostRoot root, HostRoot::open(*io, context.root));
  ASL_ASSIGN(const DomainSummary domain, root.find_domain(context.domain.value_or("")));
  Result<RepairReport> report;
  {
    ProgressScope progress(context);
    report = asl::repair(*io, domain.directory, repair, progress.counters(), context.stop);
  }
  if (!report) {
    Error error = std::move(report).error();
    if (error.code == ErrorCode::kInterrupted)
      error.hint = "run the same command again: what was healed stays healed";
    return fail(std::move(error));
  }
  for (const std::string& notice : report->notices) context.warn(printable_message(notice));
  if (context.json)
    print_report_json(context, *report, repair.dry_run);
  else
    print_report(context, *report, repair.dry_run);
  return report->remaining.finding_count == 0 ? kExitOk : exit_code(ErrorCode::kIntegrity);
}

}  // namespace asl::cli
