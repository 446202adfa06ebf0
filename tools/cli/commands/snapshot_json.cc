#include "commands/snapshot_json.h"

#include <fmt/format.h>

#include <asl/engine/host_root.h>

#include "text.h"

namespace asl::cli {

void put_counts(Json& object, const SnapshotCounts& counts) {
  object["files"] = counts.files;
  object["directories"] = counts.directories;
  object["symlinks"] = counts.symlinks;
  object["others"] = counts.others;
  object["bytes"] = counts.bytes;
  object["errors"] = counts.errors;
  object["partial"] = counts.partial;
}

void put_snapshot(Json& object, const Snapshot& snapshot, const SnapshotState& state, bool published) {
  object["snapshot_id"] = snapshot.snapshot_id;
  object["reference"] = to_text(state.reference);
  object["parent_id"] = snapshot.parent_id;
  if (snapshot.created_s) put_time(object, "created", *snapshot.created_s);
  object["host"] = snapshot.host;
  object["label"] = snapshot.label;
  object["tags"] = snapshot.tags;
  object["sources"] = Json::array();
  for (const SnapshotRoot& root : snapshot.roots) {
    Json source = Json::object();
    put_bytes(source, "path", root.source_path);
    put_bytes(source, "name", root.entry.name);
    if (!root.entry.content.is_null()) source["content"] = to_text(root.entry.content);
    object["sources"].push_back(source);
  }
  put_counts(object, snapshot.counts);
  object["held"] = state.held;
  if (!state.hold_reason.empty()) object["hold_reason"] = state.hold_reason;
  object["published"] = published;
  if (snapshot.origin) {
    object["origin"] = {{"domain_id", to_hex(snapshot.origin->domain_id)},
                        {"snapshot", to_text(snapshot.origin->ref)}};
  }
}

std::string snapshot_remarks(const Snapshot& snapshot, const SnapshotState& state, bool published) {
  std::string text;
  const auto add = [&](const std::string& remark) { text += (text.empty() ? "" : ", ") + remark; };
  if (state.held) add("held");
  if (published) add("published");
  if (snapshot.counts.errors > 0) add(fmt::format("{} errors", format_count(snapshot.counts.errors)));
  if (snapshot.counts.partial > 0) add(fmt::format("{} partial", format_count(snapshot.counts.partial)));
  return text;
}

}  // namespace asl::cli
