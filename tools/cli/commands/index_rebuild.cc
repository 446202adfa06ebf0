#include <fmt/format.h>

#include <asl/engine/index_rebuild.h>

#include "commands/open_store.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

void print_json_report(Context& context, const IndexRebuildReport& report) {
  Json json = make_json("index rebuild");
  json["segments"] = report.segments;
  json["artifacts"] = report.artifacts;
  json["blooms_written"] = report.blooms_written;
  json["cache_bytes_before"] = report.cache_bytes_before;
  json["cache_bytes"] = report.cache_bytes;
  json["damaged"] = Json::array();
  for (const Error& error : report.damaged)
    json["damaged"].push_back({{"object", error.object}, {"message", printable_message(error.to_string())}});
  json["seconds"] = report.seconds;
  print_json(context.out, json);
}

void print_report(Context& context, const IndexRebuildReport& report) {
  const auto many = [](std::uint64_t count, std::string_view one, std::string_view more) {
    return format_count(count) + " " + std::string(count == 1 ? one : more);
  };
  context.out.line(fmt::format("the index cache was made anew: {} of {}, {} (it had {}), in {:.1f} s",
                               many(report.artifacts, "artifact", "artifacts"),
                               many(report.segments, "segment", "segments"), format_size(report.cache_bytes),
                               format_size(report.cache_bytes_before), report.seconds));
  context.out.line(report.blooms_written == 0
                       ? "all bloom files are good"
                       : many(report.blooms_written, "bloom file was", "bloom files were") +
                             " missing or damaged, and written");
}

}  // namespace

Result<int> run_index_rebuild(Context& context, const ParsedOptions&) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  Result<IndexRebuildReport> report;
  {
    ProgressScope progress(context);
    report = rebuild_index(*store.domain, progress.counters(), context.stop);
  }
  ASL_TRY(report);
  for (const std::string& notice : report->notices) context.warn(notice);
  if (context.json)
    print_json_report(context, *report);
  else if (!context.quiet)
    print_report(context, *report);
  if (report->damaged.empty()) return kExitOk;
  if (!context.json) {
    for (const Error& error : report->damaged)
      context.out.line("damaged: " + printable_message(error.to_string()));
    if (report->segments > report->damaged.size()) context.out.line("what the other segments hold is served");
    context.out.line("  try: " + report->damaged.front().hint);
  }
  return exit_code(ErrorCode::kIntegrity);
}

}  // namespace asl::cli
