#include <fmt/format.h>

#include <asl/engine/tar.h>

#include "commands/open_store.h"
#include "commands/output_file.h"
#include "json_out.h"
#include "program.h"
#include "text.h"

namespace asl::cli {
namespace {

std::string_view kind_name(TarOmission::Kind kind) {
  switch (kind) {
    case TarOmission::Kind::kPartial:
      return "partial";
    case TarOmission::Kind::kDamaged:
      return "damaged";
    case TarOmission::Kind::kWithdrawn:
      return "withdrawn";
    case TarOmission::Kind::kMetadata:
      return "metadata";
  }
  return "";
}

Json report_json(const TarExportReport& report, std::uint64_t snapshot_id) {
  Json json = make_json("export-tar");
  json["snapshot_id"] = snapshot_id;
  json["members"] = report.members;
  json["files"] = report.files;
  json["bytes"] = report.bytes;
  json["archive_bytes"] = report.archive_bytes;
  json["sockets"] = report.sockets;
  json["omission_count"] = report.omission_count;
  json["omissions"] = Json::array();
  for (const TarOmission& omission : report.omissions) {
    Json row;
    row["kind"] = kind_name(omission.kind);
    put_bytes(row, "path", omission.path);
    row["reason"] = printable_message(omission.reason);
    json["omissions"].push_back(row);
  }
  return json;
}

void warn_of(Context& context, const TarExportReport& report) {
  for (const TarOmission& omission : report.omissions)
    context.warn(printable(omission.path) + ": " + printable_message(omission.reason));
  if (report.omission_count > report.omissions.size())
    context.warn(fmt::format("and {} more", report.omission_count - report.omissions.size()));
  if (report.sockets > 0)
    context.warn(fmt::format("{} sockets left out: a tar archive holds none", format_count(report.sockets)));
}

int exit_of(const TarExportReport& report) {
  if (report.damaged) return exit_code(ErrorCode::kIntegrity);
  return report.omission_count > 0 ? kExitSourceIncomplete : kExitOk;
}

Result<TarExportReport> export_to(Context& context, const Domain& domain, const Snapshot& snapshot,
                                  const TarExportOptions& options, Output& out) {
  const auto sink = [&](ByteSpan bytes) -> Result<void> {
    out.write(as_text(bytes));
    return out.good() ? Result<void>() : out.flush();
  };
  ProgressScope progress(context);
  return export_tar(domain, snapshot, options, sink, progress.counters(), context.stop);
}

}  // namespace

Result<int> run_export_tar(Context& context, const ParsedOptions& options) {
  const auto file = options.text("output");
  if (!file && context.out.is_terminal())
    return fail(Error{.code = ErrorCode::kUsage,
                      .message = "an archive is not written to a terminal",
                      .hint = "name a file with --output, or a pipe"});
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const SnapshotPath place, store.domain->parse_snapshot_path(options.argument("ID[:PATH]")));
  ASL_ASSIGN(const Snapshot snapshot, store.domain->snapshot(place.snapshot_id));
  const TarExportOptions tar{
      .path = place.path, .fill_gaps = options.flag("fill-gaps"), .dense = options.flag("dense")};
  if (!file) {
    ASL_ASSIGN(const TarExportReport report, export_to(context, *store.domain, snapshot, tar, context.out));
    warn_of(context, report);
    return exit_of(report);
  }
  ASL_ASSIGN(OutputFile target, OutputFile::create(*file));
  ASL_ASSIGN(const TarExportReport report, export_to(context, *store.domain, snapshot, tar, target.output()));
  ASL_TRY(target.finish());
  warn_of(context, report);
  if (context.json) {
    print_json(context.out, report_json(report, place.snapshot_id));
  } else if (!context.quiet) {
    context.out.line(fmt::format("{} members, {} files, {}; the archive has {}", format_count(report.members),
                                 format_count(report.files), format_size(report.bytes),
                                 format_size(report.archive_bytes)));
  }
  return exit_of(report);
}

}  // namespace asl::cli
