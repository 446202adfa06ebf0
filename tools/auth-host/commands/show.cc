#include <fmt/format.h>
#include <optional>

#include <asl/auth/canonical_json.h>
#include <asl/auth/domain_card.h>
#include <asl/auth/files.h>
#include <asl/auth/policy.h>

#include "commands/key_access.h"
#include "commands/object_text.h"
#include "json_out.h"

namespace asl::cli {

Result<int> run_key_show(Context& context, const ParsedOptions& options);

namespace {

// An object without signatures: a policy, for one.
Result<int> show_bare(Context& context, const std::string& path, const std::string& text) {
  auto policy = auth::decode_policy(text);
  if (!policy) return fail(std::move(policy.error()).with_path(path));
  const auto value = auth::to_value(*policy);
  if (context.json) {
    Json json = make_json("show");
    json["kind"] = "policy";
    json["policy_hash"] = to_hex(auth::policy_hash(*policy));
    print_json(context.out, json);
    return kExitOk;
  }
  print_fact(context, "object", "policy");
  print_fact(context, "policy hash", to_hex(auth::policy_hash(*policy)));
  for (const auto& [name, field] : auth::flat_fields(value))
    context.out.line(fmt::format("  {} = {}", name, field));
  return kExitOk;
}

Result<int> show_envelopes(Context& context, const ParsedOptions& options, std::string_view text) {
  ASL_ASSIGN(const auto known, read_public_keys(options.list("public")));
  ASL_ASSIGN(const auth::RootSetChain roots, read_root_sets(options));
  Json list = Json::array();
  int status = kExitOk;
  bool first = true;
  std::optional<auth::Dam> previous;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    ASL_ASSIGN(const auth::Envelope envelope, auth::decode_envelope(line));
    ASL_ASSIGN(const auth::Explanation explanation,
               auth::explain_envelope(
                   envelope, {.known = known, .roots = &roots, .previous = previous ? &*previous : nullptr}));
    if (status == kExitOk) status = verdict(explanation);
    previous.reset();
    if (auto dam = auth::dam_of(explanation.object)) previous = std::move(*dam);
    if (context.json) {
      list.push_back(explanation_json(explanation));
    } else {
      if (!first) context.out.line("");
      print_explanation(context, explanation);
    }
    first = false;
  }
  if (context.json) {
    Json json = make_json("show");
    json["envelopes"] = std::move(list);
    print_json(context.out, json);
  }
  return status;
}

// Whoever gets a card looks at it with this: everything that can be checked is, before it is shown.
Result<int> show_card(Context& context, const std::string& path, const std::string& text) {
  auto card = auth::decode_domain_card(text);
  if (!card) return fail(std::move(card.error()).with_path(path));
  const auth::Dam& dam = card->chain.latest();
  const Digest hash = card->chain.latest_hash();
  if (context.json) {
    Json json = make_json("show");
    json["kind"] = "domain-card";
    json["domain_id"] = to_hex(dam.domain_id);
    json["dam_version"] = dam.version;
    json["dam_hash"] = to_hex(hash);
    json["words"] = auth::fingerprint(hash);
    json["policy_hash"] = to_hex(dam.policy_hash);
    json["logseq"] = card->head.point.logseq;
    json["record_hash"] = to_hex(card->head.point.record_hash);
    print_json(context.out, json);
    return kExitOk;
  }
  print_fact(context, "object", "domain card");
  print_fact(context, "domain", to_hex(dam.domain_id));
  print_fact(context, "manifest", fmt::format("version {}, asl1:{}", dam.version, to_hex(hash)));
  print_fact(context, "words", auth::fingerprint(hash));
  print_fact(context, "policy", to_hex(dam.policy_hash));
  for (const auth::Principal& principal : dam.principals)
    print_fact(context, "principal",
               fmt::format("{} {}", to_hex(auth::key_id_of(principal.key)),
                           fmt::join(principal.roles.names(), ",")));
  print_fact(context, "log head", fmt::format("record {}", card->head.point.logseq));
  return kExitOk;
}

}  // namespace

Result<int> run_show(Context& context, const ParsedOptions& options) {
  const std::string& path = options.argument("FILE");
  ASL_ASSIGN(const std::string text, auth::read_text_file(path, auth::kCanonicalSizeMaxLists));
  if (text.starts_with("{\"payload\":")) {
    auto shown = show_envelopes(context, options, text);
    if (!shown && shown.error().path.empty()) return fail(std::move(shown.error()).with_path(path));
    return shown;
  }
  if (text.starts_with("asl-public-key-") || text.find("\"kind\":\"private-key\"") != text.npos)
    return run_key_show(context, options);
  if (text.starts_with("{\"dam_chain\":")) return show_card(context, path, text);
  return show_bare(context, path, text);
}

}  // namespace asl::cli
