#include <fmt/format.h>
#include <optional>

#include <asl/engine/find.h>

#include "commands/entry_text.h"
#include "commands/open_store.h"
#include "text.h"

namespace asl::cli {
namespace {

std::optional<EntryType> type_named(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  for (unsigned k = 0; k <= static_cast<unsigned>(EntryType::kSocket); ++k)
    if (type_name(static_cast<EntryType>(k)) == *name) return static_cast<EntryType>(k);
  return std::nullopt;
}

Result<FindQuery> query_of(const ParsedOptions& options) {
  FindQuery query;
  const auto& pattern = options.arguments("PATTERN");
  if (!pattern.empty()) query.pattern = pattern.front();
  query.ignore_case = options.flag("ignore-case");
  if (const auto hash = options.text("hash")) {
    ASL_ASSIGN(query.content, parse_reference_prefix(*hash));
  }
  query.larger_than_bytes = options.number("larger-than");
  query.smaller_than_bytes = options.number("smaller-than");
  query.type = type_named(options.text("type"));
  query.damaged = options.flag("damaged");
  query.incomplete = options.flag("incomplete");
  return query;
}

Result<std::vector<SnapshotPath>> places_of(const Domain& domain, const ParsedOptions& options) {
  std::vector<SnapshotPath> places;
  for (const std::string& text : options.list("snapshot")) {
    ASL_ASSIGN(SnapshotPath place, domain.parse_snapshot_path(text));
    places.push_back(std::move(place));
  }
  if (options.has("snapshot")) return places;
  for (const auto& [id, snapshot] : domain.state()->snapshots())
    if (!snapshot.forgotten) places.push_back({.snapshot_id = id, .path = ""});
  return places;
}

// Hits of one run of snapshots come together: the last one's names are asked for again and again.
class NamesOfSnapshots {
 public:
  explicit NamesOfSnapshots(const Domain& domain) : domain_(domain) {}
  Result<const Snapshot*> get(std::uint64_t id) {
    if (snapshot_.snapshot_id != id) {
      ASL_ASSIGN(snapshot_, domain_.snapshot(id));
    }
    return &snapshot_;
  }

 private:
  const Domain& domain_;
  Snapshot snapshot_;
};

std::string hit_text(const FindHit& hit, bool null) {
  const std::string start = fmt::format("{}:/", hit.last_snapshot);
  if (null) return start + hit.path + '\0';
  std::string line = start + printable(hit.path);
  if (hit.entry.type == EntryType::kDirectory) line += "/";
  if (hit.first_snapshot != hit.last_snapshot) line += fmt::format("  (since {})", hit.first_snapshot);
  return line + "\n";
}

}  // namespace

Result<int> run_find(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const FindQuery query, query_of(options));
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const std::vector<SnapshotPath> places, places_of(*store.domain, options));
  const bool null = options.flag("null");
  NamesOfSnapshots names(*store.domain);
  int status = kExitOk;
  std::optional<JsonList> list;
  if (context.json) list.emplace(context.out, make_json("find"), "hits");
  const auto show = [&](const FindHit& hit) -> Result<void> {
    if (!list) {
      context.out.write(hit_text(hit, null));
      return {};
    }
    ASL_ASSIGN(const Snapshot* snapshot, names.get(hit.last_snapshot));
    Json row = entry_json(hit.path, hit.entry, OwnerNames(*snapshot, false));
    row["first_snapshot"] = hit.first_snapshot;
    row["last_snapshot"] = hit.last_snapshot;
    row["snapshots"] = hit.snapshots;
    list->add(row);
    return {};
  };
  const auto report = [&](std::uint64_t id, const std::string& path, const Error& error) -> Result<void> {
    context.warn(fmt::format("{}:/{}: {}", id, printable(path), error.to_string()));
    status = exit_code(error.code);
    return {};
  };
  ASL_TRY(find_entries(*store.domain, query, places, show, report, context.stop));
  if (list && status == kExitOk) list->finish();
  return status;
}

}  // namespace asl::cli
