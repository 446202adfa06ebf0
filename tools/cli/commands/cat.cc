#include <asl/engine/file_content.h>

#include "commands/copy_out.h"
#include "commands/open_store.h"
#include "commands/places.h"

namespace asl::cli {
namespace {

Error at_place(Error error, const Place& place) {
  if (error.object.empty()) error.object = std::to_string(place.snapshot.snapshot_id) + ":/" + place.path;
  return error;
}

Result<void> print_file(Context& context, const Domain& domain, const std::string& text, bool fill_gaps) {
  ASL_ASSIGN(const Place place, find_place(domain, text));
  const auto content = FileContent::open(domain, place.entry);
  if (!content) return fail(at_place(content.error(), place));
  if (!fill_gaps) {
    if (auto whole = content->require_whole(); !whole)
      return fail(
          at_place(std::move(whole).error(), place).with_hint("asl cat --fill-gaps prints zeros there"));
  }
  return copy_out(context.out, content->length(), context.stop,
                  [&](std::uint64_t offset, MutableByteSpan into) { return content->read(offset, into); });
}

}  // namespace

Result<int> run_cat(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  for (const std::string& text : options.arguments("ID:PATH"))
    ASL_TRY(print_file(context, *store.domain, text, options.flag("fill-gaps")));
  return kExitOk;
}

}  // namespace asl::cli
