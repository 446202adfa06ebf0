#include <algorithm>
#include <fmt/format.h>
#include <sys/resource.h>

#include <asl/engine/restore.h>

#include "commands/open_store.h"
#include "json_out.h"
#include "program.h"
#include "text.h"

namespace asl::cli {
namespace {

// Of the kinds that concern single attributes, which often fail alike for every file, so many are shown.
constexpr std::uint64_t kShownOfMetadata = 1;

Overwrite overwrite_mode(const std::string& text) {
  if (text == "never") return Overwrite::kNever;
  return text == "always" ? Overwrite::kAlways : Overwrite::kChanged;
}

Result<RestoreOptions> restore_options(Context& context, const ParsedOptions& options) {
  RestoreOptions restore;
  restore.target = options.text("to").value_or("");
  if (restore.target.empty()) return fail(ErrorCode::kUsage, "where to restore to is missing: --to DIR");
  restore.include = options.list("include");
  restore.exclude = options.list("exclude");
  restore.overwrite = overwrite_mode(options.text("overwrite").value_or("changed"));
  restore.remove_extraneous = options.flag("delete");
  restore.verify = options.flag("verify");
  restore.numeric_ids = options.flag("numeric-ids");
  restore.dry_run = options.flag("dry-run");
  restore.jobs = static_cast<std::uint32_t>(options.number("jobs").value_or(0));
  if (restore.dry_run && !context.json && !context.quiet) {
    restore.on_action = [&context](RestoreOptions::Action action, const std::string& path) {
      constexpr std::string_view kSigns = "+~-";  // make, replace, remove
      context.out.line(fmt::format("{} {}", kSigns[static_cast<std::size_t>(action)],
                                   printable(path.empty() ? "./" : path)));
    };
  }
  return restore;
}

// Threads keep files, directories and blocks open; the usual soft limit of 1024 is for programs that use
// select.
void raise_open_files_limit() {
  struct rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  constexpr rlim_t kWanted = 65536;
  limit.rlim_cur = std::min(limit.rlim_max, std::max(limit.rlim_cur, kWanted));
  // Without it the work is the same, with less room for deep trees.
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

void warn_problems(Context& context, const RestoreReport& report) {
  std::array<std::uint64_t, kRestoreProblemKinds> shown{};
  for (const RestoreProblem& problem : report.problems) {
    const auto kind = static_cast<std::size_t>(problem.kind);
    const bool metadata = problem.kind >= RestoreProblemKind::kOwner;
    if (metadata && shown[kind] >= kShownOfMetadata) continue;
    ++shown[kind];
    context.warn(printable(problem.path.empty() ? "." : problem.path) + ": " + problem.error.to_string());
  }
  for (std::size_t kind = 0; kind < kRestoreProblemKinds; ++kind) {
    if (report.problem_counts[kind] > shown[kind])
      context.warn(fmt::format("and {} more of the kind '{}'", report.problem_counts[kind] - shown[kind],
                               restore_problem_name(static_cast<RestoreProblemKind>(kind))));
  }
}

Json report_json(const RestoreReport& report, bool dry_run) {
  Json json = make_json("restore");
  json["dry_run"] = dry_run;
  json["files_written"] = report.files_written;
  json["files_unchanged"] = report.files_unchanged;
  json["files_kept"] = report.files_kept;
  json["files_verified"] = report.files_verified;
  json["directories"] = report.directories;
  json["symlinks"] = report.symlinks;
  json["special_files"] = report.special_files;
  json["hard_links"] = report.hard_links;
  json["removed"] = report.removed;
  json["bytes_written"] = report.bytes_written;
  json["bytes_holes"] = report.bytes_holes;
  json["seconds"] = report.seconds;
  json["problem_counts"] = Json::object();
  for (std::size_t kind = 0; kind < kRestoreProblemKinds; ++kind) {
    if (report.problem_counts[kind] > 0)
      json["problem_counts"][std::string(restore_problem_name(static_cast<RestoreProblemKind>(kind)))] =
          report.problem_counts[kind];
  }
  json["problems"] = Json::array();
  for (const RestoreProblem& problem : report.problems) {
    Json row;
    row["kind"] = restore_problem_name(problem.kind);
    put_bytes(row, "path", problem.path);
    row["message"] = printable_message(problem.error.to_string());
    row["errno"] = problem.error.sys_errno;
    json["problems"].push_back(row);
  }
  return json;
}

void print_report(Context& context, const RestoreReport& report, bool dry_run) {
  const double seconds = report.seconds > 0 ? report.seconds : 1e-9;
  if (dry_run) context.out.line("nothing was written (--dry-run); this is what would be done:");
  context.out.line(fmt::format(
      "{} files written ({}), {} unchanged, {} directories, {} symlinks, {} special files, {} hard links",
      format_count(report.files_written), format_size(report.bytes_written),
      format_count(report.files_unchanged), format_count(report.directories), format_count(report.symlinks),
      format_count(report.special_files), format_count(report.hard_links)));
  if (report.files_kept > 0)
    context.out.line(fmt::format("{} existed and were kept", format_count(report.files_kept)));
  if (report.removed > 0)
    context.out.line(fmt::format("{} that the snapshot does not have removed", format_count(report.removed)));
  if (report.files_verified > 0)
    context.out.line(fmt::format("{} files read back and found right", format_count(report.files_verified)));
  if (!dry_run)
    context.out.line(
        fmt::format("in {:.1f} s ({})", report.seconds,
                    format_rate(static_cast<std::uint64_t>(
                        static_cast<double>(report.bytes_written + report.bytes_holes) / seconds))));
}

}  // namespace

Result<int> run_restore(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const RestoreOptions restore, restore_options(context, options));
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const SnapshotPath from, store.domain->parse_snapshot_path(options.argument("ID[:PATH]")));
  raise_open_files_limit();
  Result<RestoreReport> report;
  {
    ProgressScope progress(context);
    report = asl::restore(*store.domain, from, restore, progress.counters(), context.stop);
  }
  if (!report) {
    Error error = std::move(report).error();
    if (error.code == ErrorCode::kInterrupted)
      error.hint = "run the same command again: files that are complete are not written twice";
    return fail(std::move(error));
  }
  warn_problems(context, *report);
  if (context.json)
    print_json(context.out, report_json(*report, restore.dry_run));
  else if (!context.quiet)
    print_report(context, *report, restore.dry_run);
  return report->exit_code();
}

}  // namespace asl::cli
