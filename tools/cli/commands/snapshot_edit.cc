#include <fmt/format.h>

#include <asl/engine/history.h>

#include "commands/open_store.h"
#include "commands/snapshot_names.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

void warn_all(Context& context, const Notices& notices) {
  for (const std::string& notice : notices) context.warn(notice);
}

void print_done(Context& context, const ParsedOptions& options, const std::vector<std::uint64_t>& ids,
                const std::string& what) {
  if (context.json) {
    Json json = make_json(options.command().name);
    json["snapshot_ids"] = ids;
    print_json(context.out, json);
  } else if (!context.quiet) {
    context.out.line(fmt::format("{} {} {}", ids.size() == 1 ? "snapshot" : "snapshots", id_list(ids), what));
  }
}

Result<int> set_hold(Context& context, const ParsedOptions& options, bool on) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const std::vector<std::uint64_t> ids, snapshot_ids(*store.domain, options.arguments("ID")));
  ASL_ASSIGN(const Notices notices,
             hold_snapshots(*store.domain, ids, on, options.text("reason").value_or("")));
  warn_all(context, notices);
  print_done(context, options, ids, on ? "on hold" : "released");
  return kExitOk;
}

}  // namespace

Result<int> run_snapshot_label(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const std::uint64_t id, snapshot_id(*store.domain, options.argument("ID")));
  const std::string& label = options.argument("LABEL");
  const auto state = store.domain->state();
  const SnapshotState* holder = label.empty() ? nullptr : state->find_label(label);
  ASL_ASSIGN(const Notices notices, label_snapshot(*store.domain, id, label));
  warn_all(context, notices);
  if (context.json) {
    Json json = make_json("snapshot label");
    json["snapshot_id"] = id;
    json["label"] = label;
    if (holder != nullptr && holder->id != id) json["moved_from"] = holder->id;
    print_json(context.out, json);
  } else if (!context.quiet) {
    std::string text = label.empty() ? "has no label any more" : "labelled " + printable(label);
    if (holder != nullptr && holder->id != id) text += fmt::format(", which was snapshot {}'s", holder->id);
    context.out.line(fmt::format("snapshot {} {}", id, text));
  }
  return kExitOk;
}

Result<int> run_snapshot_forget(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const std::vector<std::uint64_t> ids, snapshot_ids(*store.domain, options.arguments("ID")));
  if (options.flag("dry-run")) {
    ASL_TRY(check_forgettable(*store.domain->state(), ids));
    print_done(context, options, ids, "would be forgotten");
    return kExitOk;
  }
  ASL_ASSIGN(const Notices notices, forget_snapshots(*store.domain, ids));
  warn_all(context, notices);
  print_done(context, options, ids, "forgotten");
  return kExitOk;
}

Result<int> run_snapshot_hold(Context& context, const ParsedOptions& options) {
  return set_hold(context, options, true);
}
Result<int> run_snapshot_release(Context& context, const ParsedOptions& options) {
  return set_hold(context, options, false);
}

}  // namespace asl::cli
