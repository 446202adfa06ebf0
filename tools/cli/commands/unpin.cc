#include <algorithm>
#include <fmt/format.h>
#include <set>

#include <asl/engine/history.h>

#include "commands/open_store.h"
#include "commands/references.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {

Result<int> run_unpin(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  std::set<Reference> wanted;
  const auto add = [&](const std::string& text) -> Result<void> {
    ASL_TRY(context.stop.check());
    ASL_ASSIGN(const Reference reference, store.domain->resolve(text));
    wanted.insert(reference);
    return {};
  };
  ASL_TRY(for_each_reference(options, add));
  const std::vector<Reference> references(wanted.begin(), wanted.end());
  ASL_ASSIGN(const Unpinned unpinned, unpin_artifacts(*store.domain, references));
  for (const std::string& notice : unpinned.notices) context.warn(notice);
  std::optional<JsonList> list;
  if (context.json) list.emplace(context.out, make_json("unpin"), "artifacts");
  for (const Reference& reference : references) {
    const bool was_pinned = std::ranges::binary_search(unpinned.references, reference);
    if (list) {
      Json row = Json::object();
      row["reference"] = to_text(reference);
      row["was_pinned"] = was_pinned;
      list->add(row);
    } else if (!context.quiet) {
      context.out.line(fmt::format("{}  {}", to_text(reference), was_pinned ? "unpinned" : "was not pinned"));
    }
  }
  if (list) {
    Json trailer = Json::object();
    trailer["unpinned_count"] = unpinned.references.size();
    list->finish(trailer);
  }
  return kExitOk;
}

}  // namespace asl::cli
