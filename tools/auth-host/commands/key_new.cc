#include <fmt/format.h>
#include <sys/stat.h>

#include <asl/auth/files.h>
#include <asl/auth/pass_phrase.h>
#include <asl/auth/words.h>

#include "commands/key_access.h"
#include "commands/object_text.h"
#include "json_out.h"

namespace asl::cli {
namespace {

constexpr std::size_t kMixFileMax = 64 << 10;

// What is mixed into the system's randomness: a file, or what is typed, or nothing.
Result<auth::SecretBytes> extra_randomness(Context& context, const ParsedOptions& options) {
  if (options.has("mix-file") && options.flag("dice"))
    return fail(ErrorCode::kUsage, "give --dice or --mix-file, not both");
  if (options.flag("dice")) {
    ASL_ASSIGN(auth::SecretBytes rolls,
               auth::read_pass_phrase({}, auth::PassPhraseUse::kOpen, "Dice rolls, in any form",
                                      [&] { return context.stop.requested(); }));
    if (rolls.empty()) return fail(ErrorCode::kUsage, "no dice rolls were typed");
    return rolls;
  }
  const auto path = options.text("mix-file");
  if (!path) return auth::SecretBytes();
  ASL_ASSIGN(auth::SecretBytes extra, auth::read_secret_file(*path, kMixFileMax));
  if (extra.empty())
    return fail(Error{.code = ErrorCode::kUsage, .message = "the file to mix in is empty", .path = *path});
  return extra;
}

Result<void> check_unused(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};
  return fail(Error{.code = ErrorCode::kRefused, .message = "a file of this name exists", .path = path});
}

}  // namespace

Result<int> run_key_new(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const std::string class_name, required_option(options, "class"));
  const auto key_class = auth::key_class_of_name(class_name).value();
  const std::string& name = options.argument("NAME");
  const std::string comment = options.text("comment").value_or("");
  if (!auth::is_key_comment(comment))
    return fail(ErrorCode::kUsage, "the comment is not plain text, or too long");
  ASL_TRY(auth::protect_process());
  for (const char* ending : {".priv.enc", ".pub"}) ASL_TRY(check_unused(name + ending));
  ASL_ASSIGN(const auth::SecretBytes extra, extra_randomness(context, options));
  const auth::SigningKey key(key_class, auth::make_seed(extra.span()));
  ASL_ASSIGN(const auth::SecretBytes phrase, choose_pass_phrase(context, options, ""));
  // The public file comes last: where it is, the private one is known to work.
  ASL_TRY(auth::write_key_file(name + ".priv.enc", key, phrase, chosen_cost(options)));
  const std::string line = auth::encode_public_key_file({.key = key.public_key(), .comment = comment});
  ASL_TRY(auth::write_new_file(name + ".pub", line, auth::FileMode::kPublic));
  if (context.json) {
    Json json = make_json("key new");
    put_bytes(json, "private_key_file", name + ".priv.enc");
    put_bytes(json, "public_key_file", name + ".pub");
    json["class"] = class_name;
    json["key_id"] = to_hex(key.key_id());
    json["public_key"] = auth::to_text(key.public_key());
    json["words"] = auth::fingerprint(key.key_id());
    print_json(context.out, json);
  } else if (!context.quiet) {
    print_fact(context, "private key", name + ".priv.enc");
    print_fact(context, "public key", name + ".pub");
    print_fact(context, "class", class_name);
    print_fact(context, "key id", to_hex(key.key_id()));
    print_fact(context, "words", auth::fingerprint(key.key_id()));
  }
  return kExitOk;
}

}  // namespace asl::cli
