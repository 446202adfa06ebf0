#include <fmt/format.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/dam.h>
#include <asl/auth/files.h>

#include "commands/key_access.h"
#include "commands/object_text.h"
#include "commands/principals.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

Result<auth::Dam> make_dam(const std::optional<auth::DamChain>& chain, const auth::DamChange& change,
                           const auth::PublicKey& first_key) {
  if (chain) return auth::next_dam(chain->latest(), chain->latest_hash(), change);
  if (!change.policy_hash) return fail(ErrorCode::kUsage, "version 1 needs --policy");
  if (!change.remove.empty() || change.root_key)
    return fail(ErrorCode::kUsage, "--remove and --new-root change a chain: give --chain");
  return auth::first_dam(first_key, change.set, *change.policy_hash);
}

Json dam_json(const auth::Dam& dam) {
  Json json = Json::object();
  json["version"] = dam.version;
  json["root_key_id"] = to_hex(auth::key_id_of(dam.root_key));
  json["policy_hash"] = to_hex(dam.policy_hash);
  Json principals = Json::array();
  for (const auth::Principal& principal : dam.principals) {
    Json row = Json::object();
    row["key_id"] = to_hex(auth::key_id_of(principal.key));
    row["roles"] = principal.roles.names();
    principals.push_back(std::move(row));
  }
  json["principals"] = std::move(principals);
  return json;
}

void print_dam(Context& context, const auth::Dam& dam, const Digest& hash) {
  print_fact(context, "version", std::to_string(dam.version));
  print_fact(context, "hash", "asl1:" + to_hex(hash));
  print_fact(context, "words", auth::fingerprint(hash));
  print_fact(context, "root key", to_hex(auth::key_id_of(dam.root_key)));
  print_fact(context, "policy", to_hex(dam.policy_hash));
  for (const auth::Principal& principal : dam.principals)
    print_fact(context, "principal",
               fmt::format("{} {}", to_hex(auth::key_id_of(principal.key)),
                           fmt::join(principal.roles.names(), ",")));
}

void report_chain(Context& context, std::string_view command, const auth::DamChain& chain, bool all) {
  const std::size_t first = all ? 0 : chain.dams().size() - 1;
  if (context.json) {
    Json json = make_json(command);
    json["domain_id"] = to_hex(chain.latest().domain_id);
    json["versions"] = Json::array();
    for (std::size_t i = first; i < chain.dams().size(); ++i) {
      Json row = dam_json(chain.dams()[i]);
      const Digest hash = chain.envelopes()[i].object_hash();
      row["dam_hash"] = to_hex(hash);
      row["words"] = auth::fingerprint(hash);
      json["versions"].push_back(std::move(row));
    }
    print_json(context.out, json);
    return;
  }
  if (context.quiet) return;
  print_fact(context, "domain", to_hex(chain.latest().domain_id));
  for (std::size_t i = first; i < chain.dams().size(); ++i)
    print_dam(context, chain.dams()[i], chain.envelopes()[i].object_hash());
}

// What the first --key says it is; it proves that when it signs.
Result<auth::PublicKey> first_signing_key(const ParsedOptions& options) {
  const auto paths = options.list("key");
  if (paths.empty()) return fail(ErrorCode::kUsage, "--key must be given");
  ASL_ASSIGN(const std::string text, auth::read_key_file(paths.front()));
  auto facts = auth::inspect_key_file(text);
  if (!facts) return fail(std::move(facts.error()).with_path(paths.front()));
  return facts->public_key;
}

Result<int> show_unsigned(Context& context, const std::string& payload) {
  const auth::Envelope unsigned_object{.kind = auth::Kind::kDam, .payload = payload, .signatures = {}};
  ASL_ASSIGN(auth::Explanation explanation, auth::explain_envelope(unsigned_object));
  explanation.standings.clear();
  if (context.json) {
    Json json = make_json("dam new");
    json["dry_run"] = true;
    json.update(explanation_json(explanation));
    print_json(context.out, json);
  } else {
    print_explanation(context, explanation);
  }
  return explanation.broken ? Result<int>(fail(*explanation.broken)) : Result<int>(kExitOk);
}

// --confirm ties what is signed to what a dry run showed.
Result<void> check_confirmation(const ParsedOptions& options, const std::string& payload) {
  const auto words = options.text("confirm");
  if (!words) return {};
  auto same = auth::check_fingerprint(*words, auth::object_hash(auth::Kind::kDam, payload));
  if (same) return {};
  Error error = std::move(same).error();
  error.message = "not confirmed, nothing was signed: " + error.message;
  return fail(std::move(error));
}

}  // namespace

Result<int> run_dam_new(Context& context, const ParsedOptions& options) {
  std::optional<auth::DamChain> chain;
  const auto old_path = options.text("chain");
  if (old_path.has_value() == options.has("to"))
    return fail(ErrorCode::kUsage, "give --chain to continue a chain, or --to for a new one");
  if (old_path) {
    ASL_ASSIGN(chain, read_dam_chain(*old_path));
  }
  ASL_ASSIGN(const auth::DamChange change, parse_dam_change(options));
  ASL_ASSIGN(const auth::PublicKey first_key, first_signing_key(options));
  ASL_ASSIGN(const auth::Dam dam, make_dam(chain, change, first_key));
  const std::string payload = auth::encode_canonical(auth::to_value(dam));
  if (options.flag("dry-run")) return show_unsigned(context, payload);
  ASL_TRY(check_confirmation(options, payload));
  ASL_ASSIGN(auto keys, open_signing_keys(context, options));
  ASL_ASSIGN(auth::Envelope envelope, auth::seal_object(auth::Kind::kDam, payload, keys));
  if (chain) {
    ASL_TRY(chain->append(std::move(envelope)));
    ASL_TRY(auth::replace_text_file(*old_path, chain->encode(), auth::FileMode::kPublic));
  } else {
    ASL_ASSIGN(chain, auth::DamChain::verify({std::move(envelope)}));
    ASL_TRY(auth::write_new_file(*options.text("to"), chain->encode(), auth::FileMode::kPublic));
  }
  report_chain(context, "dam new", *chain, false);
  return kExitOk;
}

Result<int> run_dam_verify(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const auth::DamChain chain, read_dam_chain(options.argument("FILE")));
  report_chain(context, "dam verify", chain, false);
  return kExitOk;
}

Result<int> run_dam_show(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const auth::DamChain chain, read_dam_chain(options.argument("FILE")));
  report_chain(context, "dam show", chain, true);
  return kExitOk;
}

}  // namespace asl::cli
