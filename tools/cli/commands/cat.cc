
#include "commands/open_store.h"
#include "commands/output_sink.h"
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
  OutputSink sink(context.out);
  ProgressCounters nobody_looks;
  return copy_content(*content, sink, nobody_looks, context.stop);
}

}  // namespace

Result<int> run_cat(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  for (const std::string& text : options.arguments("ID:PATH"))
    ASL_TRY(print_file(context, *store.domain, text, options.flag("fill-gaps")));
  return kExitOk;
}

}  // namespace asl::cli
