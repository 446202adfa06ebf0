#include <fmt/format.h>

#include <asl/engine/rewrite.h>

#include "commands/open_store.h"
#include "commands/snapshot_json.h"
#include "commands/snapshot_names.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

RewriteOptions rewrite_options(const ParsedOptions& options) {
  RewriteOptions rewrite;
  rewrite.filter.patterns = options.list("exclude");
  rewrite.filter.pattern_files = options.list("exclude-from");
  rewrite.filter.larger_than_bytes = options.number("exclude-larger-than");
  rewrite.sources = options.list("exclude-source");
  rewrite.forget = options.flag("forget");
  rewrite.dry_run = options.flag("dry-run");
  return rewrite;
}

std::string removed_text(const SnapshotCounts& removed) {
  std::string text;
  const auto add = [&](std::uint64_t count, std::string_view one, std::string_view many) {
    if (count > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", format_count(count), count == 1 ? one : many);
  };
  add(removed.files, "file", "files");
  add(removed.directories, "directory", "directories");
  add(removed.symlinks + removed.others, "other entry", "other entries");
  add(removed.errors, "line of its errors", "lines of its errors");
  if (removed.bytes > 0) text += " (" + format_size(removed.bytes) + ")";
  return text;
}

void print_snapshot(Context& context, const RewrittenSnapshot& snapshot, bool dry_run) {
  if (!snapshot.changes()) {
    context.out.line(fmt::format("snapshot {}: has nothing of it", snapshot.id));
  } else if (dry_run) {
    context.out.line(fmt::format("snapshot {}: would lose {}", snapshot.id, removed_text(snapshot.removed)));
  } else {
    context.out.line(fmt::format("snapshot {} is snapshot {} without {}", *snapshot.new_id, snapshot.id,
                                 removed_text(snapshot.removed)));
  }
}

Json snapshot_json_of(const RewrittenSnapshot& snapshot) {
  Json json;
  json["snapshot_id"] = snapshot.id;
  json["new_snapshot_id"] = snapshot.new_id ? Json(*snapshot.new_id) : Json();
  json["removed"] = Json::object();
  put_counts(json["removed"], snapshot.removed);
  return json;
}

void print_next_step(Context& context, const RewriteReport& report, const RewriteOptions& rewrite) {
  std::string old_ids;
  for (const RewrittenSnapshot& snapshot : report.snapshots)
    if (snapshot.changes()) old_ids += " " + std::to_string(snapshot.id);
  if (old_ids.empty() || rewrite.dry_run) return;
  if (rewrite.forget)
    context.out.line("what was taken out is still on the disk: asl gc frees it");
  else
    context.out.line(fmt::format("the old ones still have it: asl snapshot forget{}, then asl gc", old_ids));
}

}  // namespace

Result<int> run_rewrite(Context& context, const ParsedOptions& options) {
  const RewriteOptions rewrite = rewrite_options(options);
  if (rewrite.filter.patterns.empty() && rewrite.filter.pattern_files.empty() &&
      !rewrite.filter.larger_than_bytes && rewrite.sources.empty())
    return fail(Error{.code = ErrorCode::kUsage,
                      .message = "nothing says what is to be taken out",
                      .hint = "asl rewrite latest --exclude '*.key' --dry-run"});
  ASL_ASSIGN(const OpenStore store, open_store(context));
  std::vector<std::uint64_t> ids;
  if (options.flag("all") != options.arguments("ID").empty())
    return fail(ErrorCode::kUsage, "either snapshots or --all");
  if (options.flag("all")) {
    for (const auto& [id, state] : store.domain->state()->snapshots())
      if (!state.forgotten) ids.push_back(id);
  } else {
    ASL_ASSIGN(ids, snapshot_ids(*store.domain, options.arguments("ID")));
  }
  const auto done = [&] {
    ProgressScope progress(context);
    return rewrite_snapshots(*store.domain, ids, rewrite, progress.counters(), context.stop);
  }();
  if (!done) return fail(done.error());
  const RewriteReport& report = *done;
  for (const std::string& notice : report.notices) context.warn(notice);
  if (context.json) {
    Json json = make_json("rewrite");
    json["dry_run"] = rewrite.dry_run;
    json["forgotten"] = rewrite.forget && !rewrite.dry_run;
    json["snapshots"] = Json::array();
    for (const RewrittenSnapshot& snapshot : report.snapshots)
      json["snapshots"].push_back(snapshot_json_of(snapshot));
    print_json(context.out, json);
  } else if (!context.quiet) {
    for (const RewrittenSnapshot& snapshot : report.snapshots)
      print_snapshot(context, snapshot, rewrite.dry_run);
    print_next_step(context, report, rewrite);
  }
  return kExitOk;
}

}  // namespace asl::cli
