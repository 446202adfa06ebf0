#include <cstring>
#include <fmt/format.h>

#include <asl/engine/source_errors.h>

#include "commands/open_store.h"
#include "commands/pin_text.h"
#include "commands/snapshot_json.h"
#include "commands/snapshot_names.h"
#include "text.h"

namespace asl::cli {
namespace {

constexpr std::size_t kErrorsShown = 10;

Result<std::vector<SourceError>> read_errors(const Domain& domain, const Snapshot& snapshot) {
  if (snapshot.errors.is_null()) return std::vector<SourceError>{};
  ASL_ASSIGN(const Bytes bytes, domain.read_typed(snapshot.errors, kTagErrors, kSourceErrorsSizeMax));
  return decode_source_errors(bytes);
}

void print_facts(Context& context, const Snapshot& snapshot, const SnapshotState& state, bool published,
                 const PinReport& pins) {
  const auto fact = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) context.out.line(fmt::format("{:<11} {}", name, value));
  };
  fact("snapshot", std::to_string(snapshot.snapshot_id));
  fact("reference", to_text(state.reference));
  if (snapshot.created_s) fact("time", format_time(*snapshot.created_s));
  fact("host", printable(snapshot.host));
  fact("label", printable(snapshot.label));
  for (const std::string& tag : snapshot.tags) fact("tag", printable(tag));
  for (const SnapshotRoot& root : snapshot.roots) {
    std::string text = printable(root.source_path);
    if (!root.entry.name.empty()) text += "  as " + printable(root.entry.name);
    fact("source", text);
  }
  if (snapshot.parent_id != 0) fact("parent", std::to_string(snapshot.parent_id));
  const SnapshotCounts& counts = snapshot.counts;
  fact("holds", fmt::format("{} files, {} directories, {} symlinks, {} others", format_count(counts.files),
                            format_count(counts.directories), format_count(counts.symlinks),
                            format_count(counts.others)));
  fact("size", fmt::format("{} ({} bytes)", format_size(counts.bytes), format_count(counts.bytes)));
  if (counts.partial > 0) fact("partial", format_count(counts.partial) + " files were not read whole");
  if (state.held) fact("held", state.hold_reason.empty() ? "yes" : printable(state.hold_reason));
  if (published) fact("published", "yes");
  if (const SnapshotPin* pin = pins.find(snapshot.snapshot_id))
    fact("pin", printable(pin->name) + (pin->state == PinState::kMissing ? ", which is missing" : ""));
  if (!snapshot.claim.is_null()) fact("claim", to_text(snapshot.claim));
  if (snapshot.origin)
    fact("origin",
         fmt::format("domain {}, {}", to_hex(snapshot.origin->domain_id), to_text(snapshot.origin->ref)));
}

void print_errors(Context& context, const std::vector<SourceError>& errors, std::uint64_t total, bool all) {
  if (total == 0) return;
  context.out.line(fmt::format("errors      {}", format_count(total)));
  const std::size_t shown = all ? errors.size() : std::min(errors.size(), kErrorsShown);
  for (const SourceError& error : std::span(errors).first(shown)) {
    std::string reason = printable(error.operation);
    if (error.sys_errno != 0) reason += std::string(": ") + std::strerror(error.sys_errno);
    context.out.line(fmt::format("  {}: {}", printable(error.path), reason));
  }
  if (shown < errors.size())
    context.out.line(fmt::format("  and {} more; --errors lists them", format_count(errors.size() - shown)));
  else if (total > errors.size())
    context.out.line(fmt::format("  and {} more that were not kept", format_count(total - errors.size())));
}

}  // namespace

Result<int> run_snapshot_show(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const std::uint64_t id, snapshot_id(*store.domain, options.argument("ID")));
  ASL_ASSIGN(const Snapshot snapshot, store.domain->snapshot(id));
  ASL_ASSIGN(const std::vector<SourceError> errors, read_errors(*store.domain, snapshot));
  const auto state = store.domain->state();
  const SnapshotState& anchor = *state->find_snapshot(id);
  const bool published = state->published().contains(id);
  const bool all = options.flag("errors");
  const PinReport pins = look_at_pins(*store.domain, false);
  warn_of_pins(context, pins);
  if (!context.json) {
    print_facts(context, snapshot, anchor, published, pins);
    print_errors(context, errors, snapshot.counts.errors, all);
    return kExitOk;
  }
  Json json = make_json("snapshot show");
  put_snapshot(json, snapshot, anchor, published);
  put_pin(json, pins, id);
  if (!snapshot.claim.is_null()) json["claim"] = to_text(snapshot.claim);
  json["error_list"] = Json::array();
  for (const SourceError& error :
       std::span(errors).first(all ? errors.size() : std::min(errors.size(), kErrorsShown))) {
    Json row = Json::object();
    put_bytes(row, "path", error.path);
    row["operation"] = error.operation;
    row["errno"] = error.sys_errno;
    json["error_list"].push_back(row);
  }
  print_json(context.out, json);
  return kExitOk;
}

}  // namespace asl::cli
