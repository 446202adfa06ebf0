#include <fmt/format.h>
#include <optional>

#include <asl/engine/diff.h>

#include "commands/entry_text.h"
#include "commands/open_store.h"
#include "commands/places.h"
#include "text.h"

namespace asl::cli {
namespace {

char letter_of(Change change) {
  constexpr std::string_view kLetters = "+-Mm";
  return kLetters[static_cast<std::size_t>(change)];
}
std::string_view word_of(Change change) {
  constexpr std::string_view kWords[] = {"added", "removed", "content", "metadata"};
  return kWords[static_cast<std::size_t>(change)];
}

Json difference_json(const Difference& difference, const std::string& path, const OwnerNames& before,
                     const OwnerNames& after) {
  Json row = Json::object();
  row["change"] = word_of(difference.change);
  put_bytes(row, "path", path);
  if (difference.before != nullptr && difference.after != nullptr)
    row["fields"] = differing_fields(*difference.before, *difference.after);
  if (difference.before != nullptr) row["before"] = entry_json(path, *difference.before, before);
  if (difference.after != nullptr) row["after"] = entry_json(path, *difference.after, after);
  return row;
}

std::string difference_text(const Difference& difference, const std::string& path, bool null) {
  const std::string start = fmt::format("{} ", letter_of(difference.change));
  if (null) return start + path + '\0';
  const Entry& entry = difference.after != nullptr ? *difference.after : *difference.before;
  return start + printable(path) + (entry.type == EntryType::kDirectory ? "/\n" : "\n");
}

}  // namespace

Result<int> run_diff(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const Place before, find_place(*store.domain, options.argument("A")));
  ASL_ASSIGN(const Place after, find_place(*store.domain, options.argument("B")));
  const OwnerNames before_names(before.snapshot, false);
  const OwnerNames after_names(after.snapshot, false);
  const bool content_only = options.flag("content-only");
  const bool null = options.flag("null");
  std::optional<JsonList> list;
  if (context.json) {
    Json header = make_json("diff");
    header["before"] = before.snapshot.snapshot_id;
    header["after"] = after.snapshot.snapshot_id;
    list.emplace(context.out, header, "differences");
  }
  const auto show = [&](const Difference& difference) -> Result<void> {
    if (content_only && difference.change == Change::kMetadata) return {};
    std::string path = difference.path;
    // The places themselves: a file has a name, a directory is where one stands.
    if (path.empty()) path = base_name(after.path).empty() ? "." : base_name(after.path);
    if (list)
      list->add(difference_json(difference, path, before_names, after_names));
    else
      context.out.write(difference_text(difference, path, null));
    return {};
  };
  ASL_ASSIGN(const DiffReport report, diff(*store.domain, {before.snapshot, before.entry},
                                           {after.snapshot, after.entry}, show, context.stop));
  if (list) {
    Json trailer = Json::object();
    trailer["added"] = report.added;
    trailer["removed"] = report.removed;
    trailer["content"] = report.content;
    trailer["metadata"] = report.metadata;
    list->finish(trailer);
  }
  return kExitOk;
}

}  // namespace asl::cli
