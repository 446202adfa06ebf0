#include "commands/key_access.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <asl/auth/files.h>
#include <asl/auth/pass_phrase.h>
#include <asl/auth/words.h>

#include "text.h"

namespace asl::cli {
namespace {

// Which file or descriptor the options name for the `place`-th pass phrase; neither: the terminal.
auth::PassPhraseSource source_of(const ParsedOptions& options, std::string_view prefix, std::size_t place) {
  const std::string file_option = std::string(prefix) + "pass-file";
  auth::PassPhraseSource source;
  if (const auto fd = options.number(std::string(prefix) + "pass-fd"))
    source.descriptor = static_cast<int>(*fd);
  if (!options.has(file_option)) return source;
  // One file may stand for all keys.
  const auto files = prefix.empty() ? options.list(file_option) : std::vector{*options.text(file_option)};
  source.file = files[std::min(place, files.size() - 1)];
  return source;
}

// The seal protects the file; its mode says how many may try to guess the pass phrase.
void warn_of_readers(Context& context, const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0)
    context.warn(
        fmt::format("others may read this private key file, mode {:04o}: {}", status.st_mode & 07777, path));
}

}  // namespace

Result<std::string> required_option(const ParsedOptions& options, std::string_view name) {
  if (const auto value = options.text(name)) return *value;
  return fail(ErrorCode::kUsage, fmt::format("--{} must be given", name));
}

Result<auth::SigningKey> open_key(Context& context, const ParsedOptions& options, const std::string& path,
                                  std::size_t place) {
  ASL_TRY(auth::protect_process());
  ASL_ASSIGN(const std::string text, auth::read_key_file(path));
  if (const auto facts = auth::inspect_key_file(text); !facts)
    return fail(Error(facts.error()).with_path(path));
  warn_of_readers(context, path);
  ASL_ASSIGN(const auth::SecretBytes phrase,
             auth::read_pass_phrase(source_of(options, "", place), auth::PassPhraseUse::kOpen,
                                    fmt::format("Pass phrase for {}", printable(path)),
                                    [&] { return context.stop.requested(); }));
  auto key = auth::decrypt_key(text, phrase);
  if (!key) return fail(std::move(key.error()).with_path(path));
  return key;
}

Result<std::vector<auth::SigningKey>> open_signing_keys(Context& context, const ParsedOptions& options) {
  const auto paths = options.list("key");
  if (paths.empty()) return fail(ErrorCode::kUsage, "--key must be given");
  std::vector<auth::SigningKey> keys;
  for (const std::string& path : paths) {
    ASL_ASSIGN(auto key, open_key(context, options, path, keys.size()));
    keys.push_back(std::move(key));
  }
  return keys;
}

Result<auth::SecretBytes> choose_pass_phrase(Context& context, const ParsedOptions& options,
                                             std::string_view prefix) {
  if (!options.flag("generate"))
    return auth::read_pass_phrase(source_of(options, prefix, 0), auth::PassPhraseUse::kChoose,
                                  "New pass phrase", [&] { return context.stop.requested(); });
  const std::uint64_t words = options.number("words").value();
  auth::SecretBytes phrase = auth::generate_phrase(words);
  ASL_TRY(auth::tell_terminal(
      fmt::format("Pass phrase ({} words, {} bits), shown only this once:\n\n    ", words, 8 * words)));
  ASL_TRY(auth::tell_terminal(as_text(phrase.span())));
  ASL_TRY(auth::tell_terminal("\n\n"));
  return phrase;
}

auth::KdfCost chosen_cost(const ParsedOptions& options) {
  return options.text("kdf") == "moderate" ? auth::kKdfModerate : auth::kKdfDefault;
}

Result<std::vector<auth::PublicKey>> read_public_keys(const std::vector<std::string>& paths) {
  std::vector<auth::PublicKey> keys;
  for (const std::string& path : paths) {
    ASL_ASSIGN(const auth::PublicKeyFile file, auth::read_public_key_file(path));
    keys.push_back(file.key);
  }
  return keys;
}

}  // namespace asl::cli
