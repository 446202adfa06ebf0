#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/files.h>
#include <asl/auth/root_set.h>

#include "commands/key_access.h"
#include "commands/object_text.h"
#include "json_out.h"

namespace asl::cli {

Result<int> run_root_set_new(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const std::string to, required_option(options, "to"));
  if (!options.has("threshold")) return fail(ErrorCode::kUsage, "--threshold must be given");
  ASL_ASSIGN(const auth::RootSetChain before, read_root_sets(options, "after"));
  auth::RootSet set;
  ASL_ASSIGN(set.keys, read_public_keys(options.list("public")));
  std::ranges::sort(set.keys);
  set.threshold = static_cast<std::uint32_t>(options.number("threshold").value());
  if (!before.empty()) {
    set.version = before.latest().version + 1;
    set.previous = before.latest_hash();
  }
  ASL_TRY(auth::root_set_of(auth::to_value(set)));
  ASL_ASSIGN(auto keys, open_signing_keys(context, options));
  const std::string payload = auth::encode_canonical(auth::to_value(set));
  ASL_ASSIGN(const auth::Envelope envelope, auth::seal_object(auth::Kind::kRootSet, payload, keys));
  ASL_TRY(auth::write_new_file(to, auth::encode_envelope(envelope), auth::FileMode::kPublic));
  ASL_TRY(report_envelope(context, "root-set new", to, envelope, &before));
  return kExitOk;
}

Result<int> run_root_set_verify(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const std::string lines,
             auth::read_envelope_lines(options.arguments("FILE"), auth::kRootSetChainSizeMax));
  ASL_ASSIGN(const auth::RootSetChain roots, auth::RootSetChain::decode(lines));
  if (roots.empty()) return fail(ErrorCode::kMalformed, "no root set");
  if (const auto words = options.text("words"))
    if (auto same = auth::check_fingerprint(*words, roots.hashes().front()); !same) {
      Error error = std::move(same).error();
      error.message = "version 1 is not the root set with these words: " + error.message;
      return fail(std::move(error));
    }
  const auth::RootSet& latest = roots.latest();
  if (context.json) {
    Json json = make_json("root-set verify");
    json["version"] = latest.version;
    json["threshold"] = latest.threshold;
    json["root_set_hash"] = to_hex(roots.latest_hash());
    json["words"] = auth::fingerprint(roots.latest_hash());
    json["first_words"] = auth::fingerprint(roots.hashes().front());
    json["root_key_ids"] = Json::array();
    for (const auth::PublicKey& key : latest.keys)
      json["root_key_ids"].push_back(to_hex(auth::key_id_of(key)));
    print_json(context.out, json);
  } else if (!context.quiet) {
    print_fact(context, "root set",
               fmt::format("version {}, {} of {}", latest.version, latest.threshold, latest.keys.size()));
    for (const auth::PublicKey& key : latest.keys)
      print_fact(context, "root key", to_hex(auth::key_id_of(key)));
    print_fact(context, "hash", "asl1:" + to_hex(roots.latest_hash()));
    print_fact(context, "words", auth::fingerprint(roots.latest_hash()));
    if (latest.version > 1) print_fact(context, "first words", auth::fingerprint(roots.hashes().front()));
  }
  return kExitOk;
}

}  // namespace asl::cli
