#include <charconv>
#include <fmt/format.h>
#include <unistd.h>

#include <asl/engine/ingest.h>

#include "commands/compression.h"
#include "commands/name_list.h"
#include "commands/open_store.h"
#include "commands/problems.h"
#include "json_out.h"
#include "program.h"
#include "text.h"

namespace asl::cli {
namespace {

Result<IngestOptions> ingest_options(const Context& context, const ParsedOptions& options) {
  IngestOptions ingest;
  ingest.sources = options.arguments("SOURCE");
  if (const auto list = options.text("files-from")) {
    ASL_ASSIGN(const std::vector<std::string> more, read_name_list(*list));
    ingest.sources.insert(ingest.sources.end(), more.begin(), more.end());
  }
  ingest.stdin_name = options.text("stdin").value_or("");
  ingest.stdin_command = options.text("stdin-from-command").value_or("");
  if (!ingest.stdin_command.empty() && ingest.stdin_name.empty())
    return fail(ErrorCode::kUsage, "--stdin-from-command needs a name for the file: --stdin NAME");
  ingest.filter.patterns = options.list("exclude");
  ingest.filter.pattern_files = options.list("exclude-from");
  ingest.filter.if_present = options.list("exclude-if-present");
  ingest.filter.caches = options.flag("exclude-caches");
  ingest.filter.larger_than_bytes = options.number("exclude-larger-than");
  ingest.one_file_system = options.flag("one-file-system");
  ingest.use_stat_cache = !options.flag("reread");
  ingest.label = options.text("label").value_or("");
  ingest.tags = options.list("tag");
  ingest.host = options.text("host").value_or("");
  ASL_ASSIGN(ingest.compression, parse_compression(options.text("compress").value_or("off")));
  ingest.jobs = static_cast<unsigned>(options.number("jobs").value_or(0));
  ingest.dry_run = options.flag("dry-run");
  ingest.exclude_directory = context.root;
  return ingest;
}

Json report_json(const IngestReport& report, bool dry_run) {
  Json json = make_json("ingest");
  json["dry_run"] = dry_run;
  json["snapshot_id"] = report.snapshot_id;
  if (!report.snapshot.is_null()) json["snapshot"] = to_text(report.snapshot);
  if (!report.root.is_null()) json["root"] = to_text(report.root);
  json["files"] = report.counts.files;
  json["directories"] = report.counts.directories;
  json["symlinks"] = report.counts.symlinks;
  json["others"] = report.counts.others;
  json["bytes"] = report.counts.bytes;
  json["files_unchanged"] = report.files_unchanged;
  Json read = Json::object();
  for (std::size_t k = 0; k < report.files_read.size(); ++k)
    read[std::string(reread_reason_name(static_cast<RereadReason>(k)))] = report.files_read[k];
  json["files_read"] = read;
  json["bytes_read"] = report.bytes_read;
  json["bytes_new"] = report.written.bytes_new;
  json["bytes_stored"] = report.written.bytes_stored;
  json["artifacts_new"] = report.written.artifacts_new;
  json["extents_new"] = report.written.extents_new;
  json["extents_healed"] = report.written.extents_healed;
  json["commits"] = report.written.commits;
  json["excluded"] = report.excluded;
  json["changed_while_read"] = report.changed_while_read;
  json["attempts"] = report.attempts;
  json["seconds"] = report.seconds;
  put_problems(json, report.problems, report.problem_count);
  return json;
}

void print_report(Context& context, const IngestReport& report, bool dry_run) {
  const double seconds = report.seconds > 0 ? report.seconds : 1e-9;
  if (dry_run)
    context.out.line("nothing was written (--dry-run); this is what would be saved:");
  else
    context.out.line(fmt::format("snapshot {}  {}", report.snapshot_id, to_text(report.snapshot)));
  context.out.line(fmt::format("  {} files, {} directories, {} symlinks, {} others; {}",
                               format_count(report.counts.files), format_count(report.counts.directories),
                               format_count(report.counts.symlinks), format_count(report.counts.others),
                               format_size(report.counts.bytes)));
  std::string read;
  for (std::size_t k = 0; k < report.files_read.size(); ++k) {
    if (report.files_read[k] == 0) continue;
    read += fmt::format("{}{} {}", read.empty() ? "" : ", ", format_count(report.files_read[k]),
                        reread_reason_name(static_cast<RereadReason>(k)));
  }
  context.out.line(fmt::format("  {} unchanged; read {}{}", format_count(report.files_unchanged),
                               format_size(report.bytes_read), read.empty() ? "" : ": " + read));
  context.out.line(fmt::format(
      "  {} new, {} stored, in {:.1f} s ({})", format_size(report.written.bytes_new),
      format_size(report.written.bytes_stored), report.seconds,
      format_rate(static_cast<std::uint64_t>(static_cast<double>(report.counts.bytes) / seconds))));
  if (report.excluded > 0) context.out.line(fmt::format("  {} excluded", format_count(report.excluded)));
  if (report.written.extents_healed > 0)
    context.out.line(fmt::format("  {} damaged extents of the store healed", report.written.extents_healed));
}

}  // namespace

Result<int> run_ingest(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const IngestOptions ingest, ingest_options(context, options));
  ASL_ASSIGN(const OpenStore store, open_store(context, {.pin_snapshots = options.flag("pin")}));
  Result<IngestReport> report;
  {
    ProgressScope progress(context);
    report = asl::ingest(*store.domain, ingest, progress.counters(), context.stop);
  }
  if (!report) {
    Error error = std::move(report).error();
    if (error.code == ErrorCode::kInterrupted)
      error.hint = "run the same command again: what was committed is kept and not written twice";
    return fail(std::move(error));
  }
  for (const std::string& notice : report->notices) context.warn(notice);
  warn_of_problems(context, report->problems, report->problem_count);
  if (context.json)
    print_json(context.out, report_json(*report, ingest.dry_run));
  else if (!context.quiet)
    print_report(context, *report, ingest.dry_run);
  return report->problem_count > 0 ? kExitSourceIncomplete : kExitOk;
}

}  // namespace asl::cli
