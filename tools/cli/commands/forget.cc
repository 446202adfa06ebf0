#include <algorithm>
#include <fmt/format.h>

#include <asl/engine/history.h>
#include <asl/engine/retention.h>

#include "commands/open_store.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

KeepRules rules_of(const ParsedOptions& options) {
  KeepRules rules;
  rules.last = options.number("keep-last").value_or(0);
  rules.hourly = options.number("keep-hourly").value_or(0);
  rules.daily = options.number("keep-daily").value_or(0);
  rules.weekly = options.number("keep-weekly").value_or(0);
  rules.monthly = options.number("keep-monthly").value_or(0);
  rules.yearly = options.number("keep-yearly").value_or(0);
  rules.within_s = options.seconds("keep-within");
  rules.tags = options.list("keep-tag");
  rules.labelled = options.flag("keep-labelled");
  return rules;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(separator)) + word;
  return text;
}

void print_decisions(Context& context, const std::vector<KeepDecision>& decisions) {
  using enum Table::Align;
  Table table({{"id", kRight}, {"time", kLeft}, {"host", kLeft}, {"sources", kLeft}, {"", kLeft}});
  for (const KeepDecision& decision : decisions) {
    const HistoryItem& item = decision.item;
    table.add({std::to_string(item.id), item.created_s ? format_time(*item.created_s) : "",
               printable(item.host), printable(joined(item.sources, " ")),
               decision.keep() ? "keep: " + printable(joined(decision.reasons, ", ")) : "forget"});
  }
  context.out.write(table.to_string());
}

Json decision_json(const KeepDecision& decision) {
  Json json;
  json["snapshot_id"] = decision.item.id;
  json["keep"] = decision.keep();
  json["reasons"] = decision.reasons;
  return json;
}

}  // namespace

Result<int> run_forget(Context& context, const ParsedOptions& options) {
  const KeepRules rules = rules_of(options);
  if (rules.empty())
    return fail(
        Error{.code = ErrorCode::kUsage,
              .message = "no rule says what to keep",
              .hint = "asl forget --keep-daily 7 --dry-run; or asl snapshot forget ID for single ones"});
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const std::vector<HistoryItem> history, snapshot_history(*store.domain));
  const std::vector<KeepDecision> decisions = apply_keep_rules(history, rules);
  std::vector<std::uint64_t> ids;
  for (const KeepDecision& decision : decisions) {
    if (!decision.keep()) ids.push_back(decision.item.id);
  }
  const bool dry_run = options.flag("dry-run");
  if (!context.json && !context.quiet) print_decisions(context, decisions);
  if (!ids.empty() && ids.size() == decisions.size())
    return fail(Error{.code = ErrorCode::kRefused,
                      .message = "these rules would keep no snapshot at all",
                      .hint = "add --keep-last 1; asl snapshot forget ID forgets single ones"});
  if (!dry_run && !ids.empty()) {
    ASL_ASSIGN(const Notices notices, forget_snapshots(*store.domain, ids));
    for (const std::string& notice : notices) context.warn(notice);
  }
  if (context.json) {
    Json json = make_json("forget");
    json["dry_run"] = dry_run;
    json["snapshots"] = Json::array();
    for (const KeepDecision& decision : decisions) json["snapshots"].push_back(decision_json(decision));
    print_json(context.out, json);
  } else if (!context.quiet) {
    context.out.line(fmt::format("{} {}, {} {}", format_count(decisions.size() - ids.size()), "kept",
                                 format_count(ids.size()), dry_run ? "would be forgotten" : "forgotten"));
    if (!dry_run && !ids.empty()) context.out.line("asl gc frees their space");
  }
  return kExitOk;
}

}  // namespace asl::cli
