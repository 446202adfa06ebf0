#include <fmt/format.h>

#include <asl/auth/files.h>
#include <asl/auth/words.h>

#include "commands/key_access.h"
#include "commands/object_text.h"
#include "json_out.h"

namespace asl::cli {
namespace {

void print_key(Context& context, std::string_view command, const auth::PublicKey& key,
               const std::vector<std::pair<std::string_view, std::string>>& facts) {
  const Digest key_id = auth::key_id_of(key);
  if (context.json) {
    Json json = make_json(command);
    json["key_id"] = to_hex(key_id);
    json["public_key"] = auth::to_text(key);
    json["words"] = auth::fingerprint(key_id);
    for (const auto& [name, value] : facts) put_bytes(json, name, value);
    print_json(context.out, json);
    return;
  }
  if (context.quiet) return;
  for (const auto& [name, value] : facts) print_fact(context, name, value);
  print_fact(context, "key id", to_hex(key_id));
  print_fact(context, "public key", auth::to_text(key));
  print_fact(context, "words", auth::fingerprint(key_id));
}

}  // namespace

Result<int> run_key_show(Context& context, const ParsedOptions& options) {
  const std::string& path = options.argument("FILE");
  ASL_ASSIGN(const std::string text, auth::read_text_file(path, auth::kKeyFileMax));
  if (!text.starts_with('{')) {
    ASL_ASSIGN(const auth::PublicKeyFile file, auth::read_public_key_file(path));
    print_key(context, "key show", file.key, {{"file", "public key"}, {"comment", file.comment}});
    return kExitOk;
  }
  auto facts = auth::inspect_key_file(text);
  if (!facts) return fail(std::move(facts.error()).with_path(path));
  print_key(context, "key show", facts->public_key,
            {{"file", "private key, encrypted"},
             {"class", std::string(auth::key_class_name(facts->key_class))},
             {"kdf", fmt::format("argon2id, {} MiB, {} passes", facts->cost.memory_kib / 1024,
                                 facts->cost.passes)}});
  return kExitOk;
}

Result<int> run_key_check(Context& context, const ParsedOptions& options) {
  const std::string& path = options.argument("FILE");
  ASL_ASSIGN(const auth::SigningKey key, open_key(context, options, path, 0));
  ASL_TRY(key.test_sign());
  if (const auto public_path = options.text("public")) {
    ASL_ASSIGN(const auth::PublicKeyFile file, auth::read_public_key_file(*public_path));
    if (file.key != key.public_key())
      return fail(Error{.code = ErrorCode::kIntegrity,
                        .message = "the private key is sound, but it is not the one of this public key",
                        .object = to_hex(key.key_id()),
                        .path = *public_path});
  }
  print_key(
      context, "key check", key.public_key(),
      {{"file", path}, {"class", std::string(auth::key_class_name(key.key_class()))}, {"state", "works"}});
  return kExitOk;
}

Result<int> run_key_passwd(Context& context, const ParsedOptions& options) {
  const std::string& path = options.argument("FILE");
  ASL_ASSIGN(const auth::SigningKey key, open_key(context, options, path, 0));
  ASL_ASSIGN(const auth::SecretBytes phrase, choose_pass_phrase(context, options, "new-"));
  ASL_TRY(auth::replace_key_file(path, key, phrase, chosen_cost(options)));
  print_key(context, "key passwd", key.public_key(),
            {{"file", path},
             {"class", std::string(auth::key_class_name(key.key_class()))},
             {"state", "re-encrypted"}});
  return kExitOk;
}

}  // namespace asl::cli
