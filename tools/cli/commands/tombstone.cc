#include <algorithm>
#include <fmt/format.h>
#include <set>

#include <asl/engine/withdrawal.h>

#include "commands/open_store.h"
#include "commands/places.h"
#include "commands/references.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

// "ID:PATH" is what the snapshot has there; everything else is a reference.
Result<Reference> reference_of(const Domain& domain, const std::string& text) {
  if (text.find(':') == std::string::npos || text.starts_with("sha256:") || text.starts_with("asl1:"))
    return domain.resolve(text);
  ASL_ASSIGN(const Place place, find_place(domain, text));
  if (place.entry.type != EntryType::kFile && place.entry.type != EntryType::kDirectory)
    return fail(Error{.code = ErrorCode::kUsage,
                      .message = "only files and directories have content that can be withdrawn",
                      .object = text});
  return place.entry.content;
}

Result<TombstoneReason> reason_of(const ParsedOptions& options) {
  const std::string wanted = options.text("reason").value_or("none");
  for (const TombstoneReason reason :
       {TombstoneReason::kNone, TombstoneReason::kLegal, TombstoneReason::kSecret, TombstoneReason::kDamaged,
        TombstoneReason::kPolicy})
    if (tombstone_reason_name(reason) == wanted) return reason;
  return fail(ErrorCode::kUsage, "no such reason: " + wanted);
}

}  // namespace

Result<int> run_tombstone(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  const bool lift = options.flag("lift");
  if (lift && options.has("reason"))
    return fail(ErrorCode::kUsage, "--lift takes tombstones away, and --reason is for new ones");
  ASL_ASSIGN(const TombstoneReason reason, reason_of(options));
  std::set<Reference> wanted;
  const auto add = [&](const std::string& text) -> Result<void> {
    ASL_TRY(context.stop.check());
    ASL_ASSIGN(const Reference reference, reference_of(*store.domain, text));
    wanted.insert(reference);
    return {};
  };
  ASL_TRY(for_each_reference(options, add));
  const std::vector<Reference> references(wanted.begin(), wanted.end());
  const bool reached = options.flag("reached");
  ASL_ASSIGN(const Withdrawn changed,
             lift ? lift_tombstones(*store.domain, references, reached, context.stop)
                  : withdraw_artifacts(*store.domain, references, {.reason = reason, .reached = reached},
                                       context.stop));
  for (const std::string& notice : changed.notices) context.warn(notice);
  if (context.json) {
    JsonList list(context.out, make_json("tombstone"), "artifacts");
    for (const Reference& reference : changed.references) {
      Json row = Json::object();
      row["reference"] = to_text(reference);
      row["withdrawn"] = !lift;
      list.add(row);
    }
    Json trailer = Json::object();
    trailer["changed_count"] = changed.references.size();
    list.finish(trailer);
    return kExitOk;
  }
  if (context.quiet) return kExitOk;
  for (const Reference& reference : changed.references)
    context.out.line(fmt::format("{}  {}", to_text(reference), lift ? "can be read again" : "withdrawn"));
  const bool erased = reason == TombstoneReason::kLegal || reason == TombstoneReason::kSecret;
  if (changed.references.empty())
    context.out.line("nothing changed: withdrawn for this reason already");
  else if (!lift && erased)
    context.out.line("their bytes are still on the disk: asl gc takes them away");
  return kExitOk;
}

}  // namespace asl::cli
