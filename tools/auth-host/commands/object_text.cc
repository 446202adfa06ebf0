#include "commands/object_text.h"

#include <fmt/format.h>

#include <asl/auth/files.h>
#include <asl/auth/pass_phrase.h>

#include "text.h"

namespace asl::cli {
namespace {

std::string_view state_text(auth::SignatureState state) {
  switch (state) {
    case auth::SignatureState::kGood:
      return "good";
    case auth::SignatureState::kUnknownKey:
      return "unknown key";
    case auth::SignatureState::kBad:
      return "BAD";
  }
  return "";
}

std::string standing_text(const auth::Standing& standing) {
  return fmt::format("{} of {} by {}", standing.reached, standing.needed, standing.by);
}

Json value_json(const auth::Value& value) {
  if (const auto* fields = value.object()) {
    Json object = Json::object();
    for (const auto& [name, field] : *fields) object[name] = value_json(field);
    return object;
  }
  if (const auto* items = value.array()) {
    Json array = Json::array();
    for (const auto& item : *items) array.push_back(value_json(item));
    return array;
  }
  if (const auto* text = value.text()) return *text;
  if (const auto* number = value.integer()) return *number;
  return *value.boolean();
}

std::string challenge_prompt(const auth::WordChallenge& challenge) {
  std::vector<std::size_t> places;
  for (const std::size_t place : challenge.places) places.push_back(place + 1);
  return fmt::format("Type the words at places {}, as you know them from elsewhere: ",
                     fmt::join(places, ", "));
}

}  // namespace

void print_fact(Context& context, std::string_view name, std::string_view value) {
  context.out.line(fmt::format("{:<12} {}", name, printable(value)));
}

void print_explanation(Context& context, const auth::Explanation& explanation) {
  print_fact(context, "object", auth::spec_of(explanation.kind).name);
  print_fact(context, "hash", "asl1:" + to_hex(explanation.object_hash));
  print_fact(context, "words", auth::fingerprint(explanation.object_hash));
  for (const auto& [name, value] : auth::flat_fields(explanation.object))
    context.out.line(fmt::format("  {} = {}", name, printable(value)));
  for (const auto& signature : explanation.signatures)
    print_fact(context, "signed by",
               fmt::format("{} {}", to_hex(signature.key_id), state_text(signature.state)));
  for (const auth::Standing& standing : explanation.standings)
    print_fact(context, "signatures", standing_text(standing));
  if (explanation.broken) print_fact(context, "BROKEN", explanation.broken->to_string());
}

Json explanation_json(const auth::Explanation& explanation) {
  Json json = Json::object();
  json["kind"] = auth::spec_of(explanation.kind).name;
  json["object_hash"] = to_hex(explanation.object_hash);
  json["words"] = auth::fingerprint(explanation.object_hash);
  json["object"] = value_json(explanation.object);
  Json signatures = Json::array();
  for (const auto& signature : explanation.signatures) {
    Json row = Json::object();
    row["key_id"] = to_hex(signature.key_id);
    row["state"] = signature.state == auth::SignatureState::kGood  ? "good"
                   : signature.state == auth::SignatureState::kBad ? "bad"
                                                                   : "unknown-key";
    signatures.push_back(std::move(row));
  }
  json["signatures"] = std::move(signatures);
  json["standings"] = Json::array();
  for (const auth::Standing& standing : explanation.standings)
    json["standings"].push_back(
        Json{{"by", standing.by}, {"signed", standing.reached}, {"needed", standing.needed}});
  if (explanation.broken) json["broken"] = explanation.broken->to_string();
  return json;
}

int verdict(const auth::Explanation& explanation) {
  for (const auto& signature : explanation.signatures)
    if (signature.state == auth::SignatureState::kBad) return exit_code(ErrorCode::kIntegrity);
  return explanation.broken ? exit_code(explanation.broken->code) : kExitOk;
}

Result<void> confirm_object(Context& context, const ParsedOptions& options, const auth::Envelope& envelope) {
  const Digest hash = envelope.object_hash();
  Result<void> confirmed;
  if (const auto words = options.text("confirm")) {
    confirmed = auth::check_fingerprint(*words, hash);
  } else {
    ASL_ASSIGN(const auth::Explanation explanation, auth::explain_envelope(envelope));
    std::string shown = fmt::format("{}\n", auth::spec_of(envelope.kind).name);
    for (const auto& [name, value] : auth::flat_fields(explanation.object))
      shown += fmt::format("  {} = {}\n", name, printable(value));
    const auth::WordChallenge challenge = auth::pick_challenge();
    auto typed =
        auth::ask_terminal(shown + challenge_prompt(challenge), [&] { return context.stop.requested(); });
    if (!typed) {
      Error error = std::move(typed).error();
      if (error.code == ErrorCode::kUsage)
        error.hint = "--confirm WORDS, with all sixteen words of the object";
      return fail(std::move(error));
    }
    confirmed = auth::check_challenge(*typed, challenge, hash);
  }
  if (confirmed) return {};
  Error error = std::move(confirmed).error();
  error.message = "not confirmed, nothing was signed: " + error.message;
  error.hint = "asl-auth-host show FILE prints the words of what is in the file";
  return fail(std::move(error));
}

Result<void> report_envelope(Context& context, std::string_view command, const std::string& path,
                             const auth::Envelope& envelope, const auth::RootSetChain* roots) {
  ASL_ASSIGN(const auth::Explanation explanation,
             auth::explain_envelope(envelope, {.known = {}, .roots = roots, .previous = nullptr}));
  if (context.json) {
    Json json = make_json(command);
    put_bytes(json, "file", path);
    json.update(explanation_json(explanation));
    print_json(context.out, json);
    return {};
  }
  if (context.quiet) return {};
  print_fact(context, auth::spec_of(envelope.kind).name, path);
  print_fact(context, "hash", "asl1:" + to_hex(explanation.object_hash));
  print_fact(context, "words", auth::fingerprint(explanation.object_hash));
  for (const auth::Standing& standing : explanation.standings)
    print_fact(context, "signatures", standing_text(standing));
  if (explanation.standings.empty())
    print_fact(context, "signatures", std::to_string(explanation.signatures.size()));
  return {};
}

Result<auth::RootSetChain> read_root_sets(const ParsedOptions& options, std::string_view option) {
  const auto paths = options.list(option);
  if (paths.empty()) return auth::RootSetChain();
  ASL_ASSIGN(const std::string lines, auth::read_envelope_lines(paths, auth::kRootSetChainSizeMax));
  return auth::RootSetChain::decode(lines);
}

Result<auth::DamChain> read_dam_chain(const std::string& path) {
  ASL_ASSIGN(const std::string text, auth::read_text_file(path, auth::kDamChainSizeMax));
  auto chain = auth::DamChain::decode(text);
  if (!chain) return fail(std::move(chain.error()).with_path(path));
  return chain;
}

}  // namespace asl::cli
