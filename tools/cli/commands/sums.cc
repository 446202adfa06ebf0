#include <optional>

#include <asl/engine/sums.h>

#include "commands/open_store.h"
#include "commands/places.h"
#include "text.h"

namespace asl::cli {

Result<int> run_sums(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const Place place, find_place(*store.domain, options));
  const SumLineEnd end = options.flag("null") ? SumLineEnd::kNul : SumLineEnd::kNewline;
  std::optional<JsonList> list;
  if (context.json) {
    Json header = make_json("sums");
    header["snapshot_id"] = place.snapshot.snapshot_id;
    put_bytes(header, "place", place.path);
    list.emplace(context.out, header, "sums");
  }
  const auto show = [&](const std::string& path, const Digest* digest) -> Result<void> {
    ASL_TRY(context.stop.check());
    if (digest == nullptr) context.warn("not read whole, so it has no sum: " + printable(path));
    if (list) {
      Json row = Json::object();
      put_bytes(row, "path", path);
      row["sha256"] = digest == nullptr ? Json(nullptr) : Json(to_hex(*digest));
      list->add(row);
    } else if (digest != nullptr) {
      context.out.write(sum_line(*digest, path, end));
    }
    return {};
  };
  ASL_ASSIGN(const SumsReport report, list_sums(*store.domain, place.snapshot, place.path, show));
  if (list) {
    Json trailer = Json::object();
    trailer["files"] = report.files;
    trailer["partial"] = report.partial;
    list->finish(trailer);
  }
  return report.partial > 0 ? kExitSourceIncomplete : kExitOk;
}

}  // namespace asl::cli
