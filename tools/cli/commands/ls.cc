#include <optional>

#include "commands/entry_text.h"
#include "commands/open_store.h"
#include "commands/places.h"
#include "text.h"

namespace asl::cli {
namespace {

struct Layout {
  bool with_details = false;
  bool with_references = false;
  bool null = false;
};

// As wide as the longest text form, so that names stay in one column.
constexpr std::size_t kReferenceWidth = 7 + 64;

std::string line_of(const std::string& path, const Entry& entry, const OwnerNames& names,
                    const Layout& layout) {
  std::string line;
  if (layout.with_references) {
    std::string reference = entry.content.is_null() ? "-" : to_text(entry.content);
    reference.resize(std::max(reference.size(), kReferenceWidth), ' ');
    line += reference + "  ";
  }
  if (layout.with_details) line += long_text(entry, names) + " ";
  if (layout.null) return line + path + '\0';
  line += printable(path);
  if (layout.with_details) line += long_tail(entry);
  return line + "\n";
}

}  // namespace

Result<int> run_ls(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const Place place, find_place(*store.domain, options));
  const OwnerNames names(place.snapshot, options.flag("numeric-ids"));
  const Layout layout{.with_details = options.flag("long"),
                      .with_references = options.flag("references"),
                      .null = options.flag("null")};
  const bool recursive = options.flag("recursive");
  const bool is_directory = place.entry.type == EntryType::kDirectory;
  std::optional<JsonList> list;
  if (context.json) {
    Json header = make_json("ls");
    header["snapshot_id"] = place.snapshot.snapshot_id;
    put_bytes(header, "place", place.path);
    list.emplace(context.out, header, "entries");
  }
  const auto show = [&](const std::string& below, const Entry& entry) -> Result<WalkStep> {
    ASL_TRY(context.stop.check());
    // The directory asked for is not part of its own listing.
    if (below.empty() && is_directory) return WalkStep::kContinue;
    const std::string shown = below.empty() ? base_name(place.path) : below;
    if (list)
      list->add(entry_json(shown, entry, names));
    else
      context.out.write(line_of(shown, entry, names, layout));
    if (!context.out.good()) return WalkStep::kStop;
    return recursive ? WalkStep::kContinue : WalkStep::kSkipBelow;
  };
  ASL_TRY(walk_snapshot(*store.domain, place.snapshot, place.path, show));
  if (list) list->finish();
  return kExitOk;
}

}  // namespace asl::cli
