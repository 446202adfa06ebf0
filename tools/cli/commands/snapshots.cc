#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <vector>

#include "commands/open_store.h"
#include "commands/pin_text.h"
#include "commands/snapshot_json.h"
#include "text.h"

namespace asl::cli {
namespace {

bool is_wanted(const Snapshot& snapshot, const ParsedOptions& options) {
  if (const auto host = options.text("host"); host && *host != snapshot.host) return false;
  if (const auto source = options.text("source")) {
    std::string path = *source;
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    if (std::ranges::none_of(snapshot.roots,
                             [&](const SnapshotRoot& root) { return root.source_path == path; }))
      return false;
  }
  const std::vector<std::string> tags = options.list("tag");
  return std::ranges::all_of(tags, [&](const std::string& tag) {
    return std::ranges::find(snapshot.tags, tag) != snapshot.tags.end();
  });
}

std::vector<std::string> cells(const Snapshot& snapshot, const SnapshotState& state, bool published,
                               const PinReport& pins) {
  std::string names = snapshot.label;
  for (const std::string& tag : snapshot.tags) names += (names.empty() ? "#" : " #") + tag;
  std::string sources;
  for (const SnapshotRoot& root : snapshot.roots)
    sources += (sources.empty() ? "" : " ") + printable(root.source_path);
  std::string remarks = snapshot_remarks(snapshot, state, published);
  const std::string pin = pin_remark(pins, snapshot.snapshot_id);
  if (!pin.empty()) remarks += (remarks.empty() ? "" : ", ") + pin;
  return {std::to_string(snapshot.snapshot_id),
          snapshot.created_s ? format_time(*snapshot.created_s) : "",
          printable(snapshot.host),
          printable(names),
          sources,
          format_count(snapshot.counts.files),
          format_size(snapshot.counts.bytes),
          remarks};
}

Table snapshot_table() {
  using enum Table::Align;
  return Table({{"id", kRight},
                {"time", kLeft},
                {"host", kLeft},
                {"label", kLeft},
                {"sources", kLeft},
                {"files", kRight},
                {"size", kRight},
                {"", kLeft}});
}

}  // namespace

Result<int> run_snapshots(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  const auto state = store.domain->state();
  std::vector<Snapshot> found;
  std::optional<Error> damage;
  const std::uint64_t wanted = options.number("last").value_or(state->snapshots().size());
  // From the newest, so that the last few of many are not a matter of all.
  for (auto at = state->snapshots().rbegin(); at != state->snapshots().rend() && found.size() < wanted;
       ++at) {
    ASL_TRY(context.stop.check());
    const auto& [id, anchor] = *at;
    if (anchor.forgotten) continue;
    auto snapshot = store.domain->snapshot(id);
    if (!snapshot) {
      context.warn(fmt::format("snapshot {}: {}", id, snapshot.error().to_string()));
      damage = std::move(snapshot).error();
      continue;
    }
    if (is_wanted(*snapshot, options)) found.push_back(std::move(*snapshot));
  }
  std::ranges::reverse(found);
  const PinReport pins = look_at_pins(*store.domain, false);
  warn_of_pins(context, pins);
  Table table = snapshot_table();
  Json list = Json::array();
  for (const Snapshot& snapshot : found) {
    const SnapshotState& anchor = *state->find_snapshot(snapshot.snapshot_id);
    const bool published = state->published().contains(snapshot.snapshot_id);
    if (!context.json) {
      table.add(cells(snapshot, anchor, published, pins));
      continue;
    }
    Json& row = list.emplace_back(Json::object());
    put_snapshot(row, snapshot, anchor, published);
    put_pin(row, pins, snapshot.snapshot_id);
  }
  if (context.json) {
    JsonList out(context.out, make_json("snapshots"), "snapshots");
    for (const Json& row : list) out.add(row);
    if (!damage) out.finish();
  } else if (!table.empty()) {
    context.out.write(table.to_string());
  }
  return damage ? exit_code(damage->code) : kExitOk;
}

}  // namespace asl::cli
