#include <algorithm>
#include <fmt/format.h>

#include <asl/engine/gc.h>

#include "commands/open_store.h"
#include "commands/pin_text.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

constexpr std::uint32_t kPerPercent = 10'000;  // parts per million

std::string root_text(const GcRoot& root) {
  std::string name;
  switch (root.kind) {
    case GcRootKind::kSnapshot:
      name = fmt::format("snapshot {}", root.snapshot_id);
      if (!root.label.empty()) name += " (" + printable(root.label) + ")";
      break;
    case GcRootKind::kPublication:
      name = "named by the log";
      break;
    case GcRootKind::kAuthority:
      name = "authority objects";
      break;
    case GcRootKind::kPinned:
      name = "pinned by put";
      break;
    case GcRootKind::kFixed:
      name = "made by programs";
      break;
  }
  return fmt::format("  {:<24} {:>12} artifacts  {:>10}", name, format_count(root.artifacts),
                     format_size(root.bytes));
}

Json root_json(const GcRoot& root) {
  Json json;
  json["kind"] = gc_root_kind_name(root.kind);
  if (root.kind == GcRootKind::kSnapshot) json["snapshot_id"] = root.snapshot_id;
  if (!root.label.empty()) json["label"] = root.label;
  json["artifacts"] = root.artifacts;
  json["bytes"] = root.bytes;
  return json;
}

void print_report_json(Context& context, const GcReport& report, bool dry_run) {
  Json json = make_json("gc");
  json["dry_run"] = dry_run;
  json["kept"] = Json::array();
  for (const GcRoot& root : report.kept) json["kept"].push_back(root_json(root));
  json["records_live"] = report.records_live;
  json["records_dead"] = report.records_dead;
  json["artifacts_dropped"] = report.artifacts_dropped;
  json["blocks"] = report.blocks;
  json["blocks_removed"] = report.blocks_removed;
  json["blocks_repacked"] = report.blocks_repacked;
  json["blocks_written"] = report.blocks_written;
  json["bytes_before"] = report.bytes_before;
  json["bytes_after"] = report.bytes_after;
  json["bytes_moved"] = report.bytes_moved;
  json["segments_rewritten"] = report.segments_rewritten;
  json["damage"] = Json::array();
  for (const Error& error : report.damage) json["damage"].push_back(printable_message(error.to_string()));
  put_pins(json, report.pins);
  json["pins_removed"] = report.pins_removed;
  json["seconds"] = report.seconds;
  print_json(context.out, json);
}

std::string pin_text(const SnapshotPin& pin) {
  std::string text = fmt::format("  {:<48} snapshot {}", printable(pin.name), pin.snapshot_id);
  if (pin.state == PinState::kForgotten) text += ", which was forgotten: the pin goes";
  if (pin.state == PinState::kMissing) text += ": not there yet";
  if (pin.state == PinState::kStranger) text += ", which this log does not have: it stays";
  if (pin.alone_bytes) text += fmt::format("; {} nothing else holds", format_size(*pin.alone_bytes));
  return text;
}

// What is freed comes back only when these go.
void print_pins(Context& context, const GcReport& report) {
  for (const std::string& name : report.pins_removed) context.out.line("pin removed: " + printable(name));
  const auto holds = [](const SnapshotPin& pin) { return pin.state != PinState::kMissing; };
  if (!report.pins.in_use) return;
  context.out.line(fmt::format("pins: {}", pin_summary(report.pins)));
  for (const SnapshotPin& pin : report.pins.pins) context.out.line(pin_text(pin));
  if (report.pins.held_back_bytes)
    context.out.line(fmt::format("  {} held back by all snapshots of the file system together",
                                 format_size(*report.pins.held_back_bytes)));
  if (std::ranges::any_of(report.pins.pins, holds))
    context.out.line("  space that gc frees comes back only when the pins that hold it are gone");
}

void print_report(Context& context, const GcReport& report, bool dry_run) {
  context.out.line("kept:");
  if (report.kept.empty()) context.out.line("  nothing: there is no snapshot, pin or published object");
  for (const GcRoot& root : report.kept) context.out.line(root_text(root));
  const auto freed =
      static_cast<std::int64_t>(report.bytes_before) - static_cast<std::int64_t>(report.bytes_after);
  const auto freed_bytes = static_cast<std::uint64_t>(freed < 0 ? 0 : freed);
  context.out.line(fmt::format("{} of {} in {} blocks: {} blocks {}removed, {} repacked ({} moved)",
                               (dry_run ? "would free " : "freed ") + format_size(freed_bytes),
                               format_size(report.bytes_before), format_count(report.blocks),
                               format_count(report.blocks_removed), dry_run ? "to be " : "",
                               format_count(report.blocks_repacked), format_size(report.bytes_moved)));
  print_pins(context, report);
}

}  // namespace

Result<int> run_gc(Context& context, const ParsedOptions& options) {
  GcOptions gc;
  gc.dry_run = options.flag("dry-run");
  if (const auto unused = options.parts_per_million("max-unused"))
    gc.repack_below_percent = 100 - *unused / kPerPercent;
  ASL_ASSIGN(const OpenStore store, open_store(context, {.pin_snapshots = options.flag("pin")}));
  Result<GcReport> report;
  {
    ProgressScope progress(context);
    report = collect_garbage(*store.domain, gc, progress.counters(), context.stop);
  }
  ASL_TRY(report);
  for (const std::string& notice : report->notices) context.warn(notice);
  if (gc.dry_run) warn_of_pins(context, report->pins);  // else it is among the notices
  if (context.json)
    print_report_json(context, *report, gc.dry_run);
  else if (!context.quiet)
    print_report(context, *report, gc.dry_run);
  for (const Error& error : report->damage)
    context.warn("a block was left as it is: " + printable_message(error.to_string()));
  return report->damage.empty() ? kExitOk : exit_code(ErrorCode::kIntegrity);
}

}  // namespace asl::cli
