#include <fmt/format.h>

#include <asl/engine/artifact_details.h>
#include <asl/engine/file_content.h>

#include "commands/entry_text.h"
#include "commands/open_store.h"
#include "commands/places.h"
#include "text.h"

namespace asl::cli {
namespace {

Json extent_json(const ExtentDetails& extent) {
  Json row = Json::object();
  row["offset"] = extent.artifact_offset_bytes;
  row["length"] = extent.length_bytes;
  row["hole"] = extent.hole;
  if (extent.hole) return row;
  row["block"] = to_hex(extent.location.block);
  row["block_offset"] = extent.location.offset_bytes;
  row["stored_length"] = extent.location.stored_length_bytes;
  row["codec"] = extent.location.codec == Codec::kZstd ? "zstd" : "none";
  row["sha256"] = to_hex(extent.location.digest);
  row["damaged"] = extent.damaged;
  return row;
}

std::string extent_text(const ExtentDetails& extent) {
  if (extent.hole)
    return fmt::format("  {:>14} {:>10}  hole", extent.artifact_offset_bytes, extent.length_bytes);
  return fmt::format("  {:>14} {:>10}  {} block {} at {}{}{}", extent.artifact_offset_bytes,
                     extent.length_bytes, to_hex(extent.location.digest), to_hex(extent.location.block),
                     extent.location.offset_bytes, extent.location.codec == Codec::kZstd ? ", zstd" : "",
                     extent.damaged ? ", DAMAGED" : "");
}

Json artifact_json(const ArtifactDetails& details) {
  Json json = Json::object();
  json["reference"] = to_text(details.reference);
  json["kind"] = artifact_kind_name(details.type_tag);
  if (details.type_tag) json["type_tag"] = fmt::format("0x{:08x}", *details.type_tag);
  json["length"] = details.length_bytes;
  json["data_extents"] = details.data_extents;
  json["hole_extents"] = details.hole_extents;
  json["hole_bytes"] = details.hole_bytes;
  json["stored_bytes"] = details.stored_bytes;
  json["blocks"] = details.blocks;
  json["damaged_extents"] = details.damaged_extents;
  json["copies"] = Json::array();
  for (const ArtifactCopy& copy : details.copies)
    json["copies"].push_back({{"segment_id", copy.segment_id},
                              {"logseq", copy.sealed_logseq},
                              {"pinned", copy.pinned},
                              {"fixed", copy.fixed}});
  json["pinned"] = details.pinned;
  json["named_by_log"] = details.named_by_log;
  json["snapshots"] = details.snapshots;
  if (details.tombstone)
    json["tombstone"] = {{"logseq", details.tombstone->logseq},
                         {"reason", tombstone_reason_name(details.tombstone->reason)}};
  return json;
}

void print_artifact(Context& context, const ArtifactDetails& details) {
  const auto fact = [&](std::string_view name, const std::string& value) {
    context.out.line(fmt::format("{:<11} {}", name, value));
  };
  fact("artifact", to_text(details.reference));
  fact("kind", details.type_tag ? fmt::format("{} (type 0x{:08x})", artifact_kind_name(details.type_tag),
                                              *details.type_tag)
                                : std::string(artifact_kind_name(details.type_tag)));
  fact("length",
       fmt::format("{} ({} bytes)", format_size(details.length_bytes), format_count(details.length_bytes)));
  fact("extents", fmt::format("{} of data in {} blocks, {} stored", format_count(details.data_extents),
                              format_count(details.blocks), format_size(details.stored_bytes)));
  if (details.hole_extents > 0)
    fact("holes", fmt::format("{}, {}", format_count(details.hole_extents), format_size(details.hole_bytes)));
  std::string segments;
  for (const ArtifactCopy& copy : details.copies)
    segments +=
        fmt::format("{}{} (log {})", segments.empty() ? "" : ", ", copy.segment_id, copy.sealed_logseq);
  fact("segments", segments);
  fact("pinned", details.pinned ? "yes" : "no");
  for (const std::uint64_t id : details.snapshots) fact("snapshot", std::to_string(id));
  if (details.named_by_log) fact("log", "names it: gc keeps it");
  if (details.tombstone)
    fact("tombstone", fmt::format("log {}, reason {}", details.tombstone->logseq,
                                  tombstone_reason_name(details.tombstone->reason)));
  if (details.damaged_extents > 0)
    fact("damaged",
         format_count(details.damaged_extents) + " extents; ingesting the original again heals them");
}

void print_entry(Context& context, const Place& place, const OwnerNames& names) {
  const Entry& entry = place.entry;
  const auto fact = [&](std::string_view name, const std::string& value) {
    context.out.line(fmt::format("{:<11} {}", name, value));
  };
  fact("path", fmt::format("{}:/{}", place.snapshot.snapshot_id, printable(place.path)));
  fact("type", std::string(type_name(entry.type)));
  fact("mode", fmt::format("{:04o} {}", entry.mode, mode_text(entry)));
  fact("owner", fmt::format("{} ({}), group {} ({})", printable(names.user(entry)), entry.uid,
                            printable(names.group(entry)), entry.gid));
  fact("modified", format_time(entry.mtime_s, entry.mtime_ns));
  if (entry.btime_s) fact("born", format_time(*entry.btime_s, entry.btime_ns));
  if (entry.type == EntryType::kFile) fact("size", format_count(entry.size_bytes) + " bytes");
  if (entry.type == EntryType::kDirectory) fact("below", format_count(entry.below) + " entries");
  if (entry.type == EntryType::kSymlink) fact("target", printable(entry.symlink_target));
  if (entry.nlink > 1 && entry.type != EntryType::kDirectory) fact("links", format_count(entry.nlink));
  for (const Xattr& xattr : entry.xattrs)
    fact("xattr",
         printable(as_text(xattr.name)) + (xattr.ref.is_null() ? fmt::format(", {} bytes", xattr.value.size())
                                                               : ", " + to_text(xattr.ref)));
  for (const std::string_view word : flag_words(entry)) fact("flag", std::string(word));
}

// Everything about an entry that its JSON in listings leaves out.
void put_rest(Json& json, const Entry& entry, const std::vector<PartialGap>& gaps) {
  if (entry.btime_s) put_time(json, "btime", *entry.btime_s, entry.btime_ns);
  if (entry.inode_flags != 0) json["inode_flags"] = entry.inode_flags;
  json["xattrs"] = Json::array();
  for (const Xattr& xattr : entry.xattrs) {
    Json row = Json::object();
    put_bytes(row, "name", as_text(xattr.name));
    if (xattr.ref.is_null())
      put_bytes(row, "value", as_text(xattr.value));
    else
      row["value_reference"] = to_text(xattr.ref);
    json["xattrs"].push_back(row);
  }
  if (gaps.empty()) return;
  json["gaps"] = Json::array();
  for (const PartialGap& gap : gaps)
    json["gaps"].push_back({{"offset", gap.offset_bytes},
                            {"length", gap.length_bytes},
                            {"status", std::string(1, static_cast<char>(gap.status))}});
}

// With `extents` their list is part of it: bounded by what a person would want to look at, like any document.
Result<Json> read_artifact_json(Context& context, const Domain& domain, const Reference& reference,
                                bool extents) {
  Json rows = Json::array();
  const auto add = [&](const ExtentDetails& extent) -> Result<void> {
    if (extents) rows.push_back(extent_json(extent));
    return context.stop.check();
  };
  ASL_ASSIGN(const ArtifactDetails details, artifact_details(domain, reference, add));
  Json json = artifact_json(details);
  if (extents) json["extents"] = std::move(rows);
  return json;
}

Result<void> show_artifact(Context& context, const Domain& domain, const Reference& reference, bool extents) {
  ASL_ASSIGN(const ArtifactDetails details, artifact_details(domain, reference));
  print_artifact(context, details);
  if (!extents) return {};
  const auto print = [&](const ExtentDetails& extent) -> Result<void> {
    context.out.line(extent_text(extent));
    return context.stop.check();
  };
  ASL_TRY(artifact_details(domain, reference, print));
  return {};
}

Result<int> stat_artifact(Context& context, const Domain& domain, const Reference& reference, bool extents) {
  if (!context.json) {
    ASL_TRY(show_artifact(context, domain, reference, extents));
    return kExitOk;
  }
  Json json = make_json("stat");
  ASL_ASSIGN(json["artifact"], read_artifact_json(context, domain, reference, extents));
  print_json(context.out, json);
  return kExitOk;
}

Result<int> stat_place(Context& context, const Domain& domain, const Place& place, bool extents) {
  const OwnerNames names(place.snapshot, false);
  std::vector<PartialGap> gaps;
  if ((place.entry.flags & kEntryPartial) != 0) {
    ASL_ASSIGN(const FileContent content, FileContent::open(domain, place.entry));
    gaps = content.gaps();
  }
  const Reference& reference = place.entry.content;
  if (!context.json) {
    print_entry(context, place, names);
    for (const PartialGap& gap : gaps)
      context.out.line(fmt::format("{:<11} {}", "not read", describe_gaps({gap})));
    if (!reference.is_null()) ASL_TRY(show_artifact(context, domain, reference, extents));
    return kExitOk;
  }
  Json json = make_json("stat");
  json["snapshot_id"] = place.snapshot.snapshot_id;
  json["entry"] = entry_json(place.path, place.entry, names);
  put_rest(json["entry"], place.entry, gaps);
  if (!reference.is_null()) {
    ASL_ASSIGN(json["artifact"], read_artifact_json(context, domain, reference, extents));
  }
  print_json(context.out, json);
  return kExitOk;
}

}  // namespace

Result<int> run_stat(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  const std::string& text = options.argument("REF|ID:PATH");
  const bool extents = options.flag("extents");
  if (parse_reference_prefix(text)) {
    ASL_ASSIGN(const Reference reference, store.domain->resolve(text));
    return stat_artifact(context, *store.domain, reference, extents);
  }
  ASL_ASSIGN(const Place place, find_place(*store.domain, text));
  return stat_place(context, *store.domain, place, extents);
}

}  // namespace asl::cli
