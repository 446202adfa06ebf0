#include <asl/auth/canonical_json.h>
#include <asl/auth/env_claim.h>

#include "objects/log_point.h"

namespace asl::auth {
namespace {

constexpr std::size_t kToolNameMax = 128;

Value tool_value(const ClaimedTool& tool) {
  return Value::Object{{"name", tool.name}, {"version", tool.version}, {"sha256", to_hex(tool.sha256)}};
}

std::vector<ClaimedTool> read_tools(ObjectReader& reader) {
  std::vector<ClaimedTool> tools;
  for (ObjectReader& item : reader.objects("tools", kClaimToolsMax)) {
    ClaimedTool tool{.name = item.identifier("name", kToolNameMax),
                     .version = item.text_or_nothing("version", kClaimTextMax),
                     .sha256 = item.digest("sha256")};
    static_cast<void>(item.finish());
    item.require(tools.empty() || tools.back().name < tool.name, "object-set",
                 "must follow the one before it, sorted by name");
    tools.push_back(std::move(tool));
  }
  return tools;
}

}  // namespace

Value to_value(const EnvClaim& claim) {
  Value::Object boot{{"kernel", claim.kernel}, {"command_line", claim.command_line}};
  if (claim.root_hash) boot.emplace("root_hash", to_hex(*claim.root_hash));
  Value::Array tools;
  for (const ClaimedTool& tool : claim.tools) tools.push_back(tool_value(tool));
  Value::Object facts;
  for (const auto& [name, text] : claim.facts) facts.emplace(name, text);
  Value::Object fields{{"kind", "env-claim"},
                       {"v", 1},
                       {"boot", std::move(boot)},
                       {"tools", std::move(tools)},
                       {"store", Value::Object{{"domain_id", to_hex(claim.domain_id)},
                                               {"snapshot_id", claim.snapshot_id},
                                               {"log_head", to_value(claim.log_head)}}},
                       {"facts", std::move(facts)}};
  if (claim.image_sha256) fields.emplace("image_sha256", to_hex(*claim.image_sha256));
  if (claim.previous) fields.emplace("previous", to_hex(*claim.previous));
  return fields;
}

Result<EnvClaim> env_claim_of(const Value& value) {
  ObjectReader reader(value, "env-claim");
  EnvClaim claim;
  reader.names_itself("env-claim");
  claim.image_sha256 = reader.optional_digest("image_sha256");
  ObjectReader boot = reader.object("boot");
  claim.kernel = boot.text("kernel", kClaimTextMax);
  claim.command_line = boot.text_or_nothing("command_line", kClaimTextMax);
  claim.root_hash = boot.optional_digest("root_hash");
  static_cast<void>(boot.finish());
  claim.tools = read_tools(reader);
  ObjectReader store = reader.object("store");
  store.hex("domain_id", claim.domain_id);
  claim.snapshot_id = static_cast<std::uint64_t>(store.integer("snapshot_id", 0, kCanonicalIntegerMax));
  claim.log_head = read_log_point(store, "log_head");
  static_cast<void>(store.finish());
  claim.facts = reader.text_map("facts", kClaimFactsMax, kClaimTextMax);
  claim.previous = reader.optional_digest("previous");
  ASL_TRY(reader.finish());
  return claim;
}

}  // namespace asl::auth
