#include <algorithm>
#include <fmt/format.h>

#include <asl/engine/copy.h>

#include "commands/compression.h"
#include "commands/open_store.h"
#include "commands/snapshot_names.h"
#include "config.h"
#include "json_out.h"
#include "program.h"
#include "text.h"

namespace asl::cli {
namespace {

// The store on the other side: a root and one of its domains, or a domain's directory by itself.
Result<std::unique_ptr<Domain>> open_other(io::Io& io, const std::string& path, const std::string& name,
                                           const DomainOptions& options) {
  if (!io::exists(io, path + "/host/layout") && io::exists(io, path + "/log") &&
      io::exists(io, path + "/layout"))
    return Domain::open(io, path, options);
  ASL_ASSIGN(const HostRoot root, HostRoot::open(io, path));
  ASL_ASSIGN(const DomainSummary summary, root.find_domain(name));
  return Domain::open(io, summary.directory, options);
}

// store.pin of the root that snapshots are copied into: it is that root's matter.
Result<bool> pin_setting(const std::string& root) {
  const std::string path = root + "/host/config.yaml";
  ASL_ASSIGN(const auto entries, load_config(path));
  const auto at = std::ranges::find(entries, "store.pin", &ConfigEntry::key);
  if (at == entries.end() || at->value == "false") return false;
  if (at->value == "true") return true;
  return fail(Error{.code = ErrorCode::kMalformed,
                    .message = fmt::format("setting 'store.pin' in line {}: must be true or false", at->line),
                    .path = path});
}

bool is_missing_or_empty(io::Io& io, const std::string& path) {
  const auto listed = io.list(path);
  return listed ? listed->empty() : listed.error().code == ErrorCode::kNotFound;
}

Result<std::unique_ptr<Domain>> open_target(io::Io& io, const ParsedOptions& options, const Domain& source) {
  const std::string path = options.argument("STORE");
  const std::string name = options.text("to-domain").value_or("");
  if (options.flag("init") && is_missing_or_empty(io, path)) {
    ASL_ASSIGN(HostRoot root, HostRoot::init(io, path));
    const std::string alias = source.state()->alias();
    ASL_TRY(root.create_local_domain(!name.empty() ? name : alias.empty() ? "local" : alias));
  }
  ASL_ASSIGN(const bool pin, pin_setting(path));
  auto target = open_other(io, path, name, {.pin_snapshots = pin});
  if (target || target.error().code != ErrorCode::kNotFound) return target;
  Error error = std::move(target).error();
  if (is_missing_or_empty(io, path)) error.hint = "is its disk mounted? --init makes a new store there";
  return fail(std::move(error));
}

Json report_json(const std::string& command, const CopyReport& report, const Domain& source,
                 const Domain& target) {
  Json json = make_json(command);
  json["from_domain"] = to_hex(source.id());
  json["to_domain"] = to_hex(target.id());
  json["copied"] = Json::array();
  for (const CopiedSnapshot& copied : report.copied)
    json["copied"].push_back({{"from_snapshot", copied.source_id},
                              {"snapshot_id", copied.target_id},
                              {"complete", copied.complete}});
  json["left_out"] = report.left_out;
  json["snapshots_present"] = report.snapshots_present;
  json["artifacts_copied"] = report.artifacts_copied;
  json["artifacts_present"] = report.artifacts_present;
  json["bytes_copied"] = report.bytes_copied;
  json["pins"] = report.pins;
  json["tombstones"] = report.tombstones;
  json["bytes_new"] = report.written.bytes_new;
  json["bytes_stored"] = report.written.bytes_stored;
  json["extents_healed"] = report.written.extents_healed;
  json["commits"] = report.written.commits;
  json["seconds"] = report.seconds;
  json["problem_count"] = report.problem_count;
  json["problems"] = Json::array();
  for (const CopyProblem& problem : report.problems) {
    Json row;
    put_bytes(row, "place", problem.place);
    row["code"] = std::string(error_code_name(problem.error.code));
    row["reason"] = printable_message(problem.error.to_string());
    json["problems"].push_back(row);
  }
  return json;
}

void print_report(Context& context, const CopyReport& report) {
  for (const CopiedSnapshot& copied : report.copied)
    context.out.line(fmt::format("snapshot {} -> {}{}", copied.source_id, copied.target_id,
                                 copied.complete ? "" : "  incomplete"));
  const bool nothing = report.copied.empty() && report.artifacts_copied == 0 && report.left_out.empty();
  if (nothing) {
    context.out.line(fmt::format("nothing to copy: all {} snapshots are there", report.snapshots_present));
    return;
  }
  context.out.line(fmt::format("  {} copied, {} there already, {} left out", report.copied.size(),
                               report.snapshots_present, report.left_out.size()));
  const double seconds = report.seconds > 0 ? report.seconds : 1e-9;
  context.out.line(fmt::format(
      "  {} artifacts, {}; {} new, {} stored, in {:.1f} s ({})", format_count(report.artifacts_copied),
      format_size(report.bytes_copied), format_size(report.written.bytes_new),
      format_size(report.written.bytes_stored), report.seconds,
      format_rate(static_cast<std::uint64_t>(static_cast<double>(report.bytes_copied) / seconds))));
  if (report.pins > 0) context.out.line(fmt::format("  {} artifacts pinned", format_count(report.pins)));
  if (report.tombstones > 0)
    context.out.line(fmt::format("  {} tombstones carried over", format_count(report.tombstones)));
  if (report.written.extents_healed > 0)
    context.out.line(fmt::format("  {} damaged extents there healed", report.written.extents_healed));
}

void warn_of(Context& context, const CopyReport& report) {
  for (const std::string& notice : report.notices) context.warn(printable_message(notice));
  for (const CopyProblem& problem : report.problems)
    context.warn(fmt::format("not copied: {}{}{}", printable(problem.place),
                             problem.place.empty() ? "" : ": ",
                             printable_message(problem.error.to_string())));
  if (report.problem_count > report.problems.size())
    context.warn(fmt::format("and {} more", report.problem_count - report.problems.size()));
  for (const std::uint64_t id : report.left_out)
    context.warn(fmt::format("snapshot {} is left out: it needs what could not be copied", id));
}

Result<int> copy_between(Context& context, const ParsedOptions& options, const std::string& command,
                         const Domain& source, Domain& target) {
  CopyOptions copy;
  ASL_ASSIGN(copy.snapshot_ids, snapshot_ids(source, options.arguments("ID")));
  ASL_ASSIGN(copy.compression, parse_compression(options.text("compress").value_or("off")));
  copy.salvage = options.flag("salvage");
  copy.jobs = static_cast<unsigned>(options.number("jobs").value_or(0));
  Result<CopyReport> report;
  {
    ProgressScope progress(context);
    report = copy_snapshots(source, target, copy, progress.counters(), context.stop);
  }
  if (!report) {
    Error error = std::move(report).error();
    if (error.code == ErrorCode::kInterrupted)
      error.hint = "run the same command again: what was committed is kept and not copied twice";
    return fail(std::move(error));
  }
  warn_of(context, *report);
  if (context.json)
    print_json(context.out, report_json(command, *report, source, target));
  else if (!context.quiet)
    print_report(context, *report);
  return report->problem_count > 0 ? exit_code(ErrorCode::kIntegrity) : kExitOk;
}

}  // namespace

Result<int> run_copy(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const std::unique_ptr<Domain> target, open_target(*store.io, options, *store.domain));
  return copy_between(context, options, "copy", *store.domain, *target);
}

Result<int> run_import(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context, {.pin_snapshots = options.flag("pin")}));
  ASL_ASSIGN(const std::unique_ptr<Domain> source,
             open_other(*store.io, options.argument("STORE"), options.text("from-domain").value_or(""), {}));
  if (const auto damage = source->corruption())
    context.warn("the other store's log is damaged, what verifies is taken: " + damage->to_string());
  return copy_between(context, options, "import", *source, *store.domain);
}

}  // namespace asl::cli
