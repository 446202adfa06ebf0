#include <fmt/format.h>
#include <variant>

#include <asl/engine/log_listing.h>

#include "commands/open_store.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

Json record_json(const LogRecord& record, const LogDescription& description) {
  Json row = Json::object();
  row["logseq"] = record.logseq;
  row["type"] = description.name;
  row["type_number"] = record.type;
  row["words"] = description.words;
  Json facts = Json::object();
  for (const LogField& field : description.fields)
    std::visit([&](const auto& value) { facts[field.name] = value; }, field.value);
  row["facts"] = std::move(facts);
  row["hash"] = to_hex(record.hash);
  return row;
}

void print_record(Context& context, const LogRecord& record, const LogDescription& description, bool hashes) {
  context.out.line(fmt::format("{:>8}  {:<15}  {}", record.logseq, description.name, description.words));
  if (hashes) context.out.line(fmt::format("{:>8}  {}", "", to_hex(record.hash)));
}

}  // namespace

Result<int> run_log(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  const LogListingOptions listing{.since_logseq = options.number("since").value_or(1),
                                  .last_commits = options.number("last")};
  const bool hashes = options.flag("hashes");
  std::optional<JsonList> list;
  if (context.json) list.emplace(context.out, make_json("log"), "records");
  auto damage = list_log(*store.domain, listing, [&](const ListedCommit& commit) -> Result<void> {
    ASL_TRY(context.stop.check());
    if (commit.after_gap && !list) context.out.line("          -- records are missing here --");
    for (const LogRecord& record : commit.records) {
      ASL_ASSIGN(const LogDescription description, describe(record));
      if (!list) {
        print_record(context, record, description, hashes);
        continue;
      }
      Json row = record_json(record, description);
      if (commit.after_gap && &record == &commit.records.front()) row["after_gap"] = true;
      list->add(row);
    }
    return {};
  });
  ASL_TRY(damage);
  if (list) {
    Json trailer = Json::object();
    trailer["damage"] = Json::array();
    for (const Error& error : *damage) trailer["damage"].push_back(printable_message(error.to_string()));
    list->finish(trailer);
  }
  for (const Error& error : *damage) context.warn(error.to_string());
  return damage->empty() ? kExitOk : exit_code(ErrorCode::kIntegrity);
}

}  // namespace asl::cli
