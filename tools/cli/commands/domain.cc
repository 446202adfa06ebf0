#include <fmt/format.h>

#include <asl/engine/domain.h>
#include <asl/engine/host_root.h>

#include "commands/open_store.h"
#include "commands/pin_text.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

struct DomainFacts {
  std::uint64_t snapshots = 0;  // not forgotten
  std::optional<Snapshot> latest;
};

Result<DomainFacts> facts_of(const Domain& domain) {
  DomainFacts facts;
  const auto state = domain.state();
  for (const auto& [id, snapshot] : state->snapshots()) facts.snapshots += snapshot.forgotten ? 0 : 1;
  if (const SnapshotState* current = state->current_snapshot()) {
    ASL_ASSIGN(facts.latest, domain.snapshot(current->id));
  }
  return facts;
}

void put_facts(Json& object, const Domain& domain, const DomainFacts& facts) {
  const auto state = domain.state();
  object["domain_id"] = to_hex(domain.id());
  put_bytes(object, "alias", domain.alias());
  put_bytes(object, "directory", domain.directory());
  object["local"] = state->genesis()->local;
  object["snapshots"] = facts.snapshots;
  if (facts.latest) object["current_snapshot"] = facts.latest->snapshot_id;
  if (facts.latest && facts.latest->created_s) put_time(object, "latest", *facts.latest->created_s);
  object["logseq"] = state->last_logseq();
  object["record_hash"] = to_hex(state->record_hash());
  object["segments"] = state->segments().size();
  object["damaged"] = domain.corruption().has_value();
}

void print_domain(Context& context, const Domain& domain, const DomainFacts& facts) {
  const auto fact = [&](std::string_view name, const std::string& value) {
    context.out.line(fmt::format("{:<10} {}", name, value));
  };
  const auto state = domain.state();
  fact("domain", to_hex(domain.id()));
  fact("alias", printable(domain.alias()));
  fact("directory", printable(domain.directory()));
  fact("kind", state->genesis()->local ? "local, without a key"
                                       : "keyed, root key " + to_hex(state->genesis()->root_public_key));
  fact("state", domain.corruption() ? "damaged log: " + printable_message(domain.corruption()->to_string())
                                    : "sound log");
  std::string snapshots = format_count(facts.snapshots);
  if (facts.latest) snapshots += fmt::format(", the latest is {}", facts.latest->snapshot_id);
  if (facts.latest && facts.latest->created_s) snapshots += " of " + format_time(*facts.latest->created_s);
  fact("snapshots", snapshots);
  fact("segments", format_count(state->segments().size()));
  fact("log", fmt::format("record {}, hash {}", state->last_logseq(), to_hex(state->record_hash())));
}

}  // namespace

Result<int> run_domain_create(Context& context, const ParsedOptions& options) {
  const auto io = io::make_default_io();
  ASL_ASSIGN(HostRoot root, HostRoot::open(*io, context.root));
  ASL_ASSIGN(const DomainSummary domain, root.create_local_domain(options.argument("NAME")));
  if (context.json) {
    Json json = make_json("domain create");
    json["domain_id"] = to_hex(domain.id);
    json["alias"] = domain.alias;
    put_bytes(json, "directory", domain.directory);
    print_json(context.out, json);
  } else if (!context.quiet) {
    context.out.line(fmt::format("domain {} made: {}", domain.alias, to_hex(domain.id)));
  }
  return kExitOk;
}

Result<int> run_domain_list(Context& context, const ParsedOptions&) {
  const auto io = io::make_default_io();
  ASL_ASSIGN(const HostRoot root, HostRoot::open(*io, context.root));
  ASL_ASSIGN(const std::vector<DomainSummary> domains, root.domains());
  Table table({{"alias", Table::Align::kLeft},
               {"id", Table::Align::kLeft},
               {"snapshots", Table::Align::kRight},
               {"latest", Table::Align::kLeft}});
  Json list = Json::array();
  int status = kExitOk;
  for (const DomainSummary& summary : domains) {
    const auto domain = Domain::open(*io, summary.directory, {});
    auto facts = domain ? facts_of(**domain) : Result<DomainFacts>(fail(domain.error()));
    if (!facts) {
      context.warn(fmt::format("domain {}: {}", summary.alias, facts.error().to_string()));
      status = exit_code(facts.error().code);
      continue;
    }
    if (context.json)
      put_facts(list.emplace_back(Json::object()), **domain, *facts);
    else
      table.add({printable(summary.alias), to_hex(summary.id), format_count(facts->snapshots),
                 facts->latest && facts->latest->created_s ? format_time(*facts->latest->created_s) : ""});
  }
  if (context.json) {
    Json json = make_json("domain list");
    json["domains"] = std::move(list);
    json["complete"] = status == kExitOk;
    print_json(context.out, json);
  } else if (!table.empty()) {
    context.out.write(table.to_string());
  }
  return status;
}

Result<int> run_domain_show(Context& context, const ParsedOptions& options) {
  const auto& name = options.arguments("NAME");
  if (!name.empty()) context.domain = name.front();
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const DomainFacts facts, facts_of(*store.domain));
  const PinReport pins = look_at_pins(*store.domain, false);
  warn_of_pins(context, pins);
  if (context.json) {
    Json json = make_json("domain show");
    put_facts(json, *store.domain, facts);
    put_pins(json, pins);
    print_json(context.out, json);
  } else {
    print_domain(context, *store.domain, facts);
    if (pins.in_use) context.out.line(fmt::format("{:<10} {}", "pins", pin_summary(pins)));
  }
  return store.domain->corruption() ? exit_code(ErrorCode::kIntegrity) : kExitOk;
}

}  // namespace asl::cli
