#include "commands/domain_access.h"

#include <algorithm>
#include <climits>
#include <ctime>
#include <fmt/format.h>
#include <unistd.h>

#include <asl/auth/genesis.h>
#include <asl/auth/pass_phrase.h>

#include "commands/key_access.h"
#include "commands/object_text.h"
#include "text.h"
#include "version.h"

namespace asl::cli {
namespace {

bool has_option(const ParsedOptions& options, std::string_view name) {
  return std::ranges::any_of(options.command().options,
                             [&](const OptionSpec& option) { return option.name == name; });
}

Result<std::string> key_of_this_host(const std::string& path, std::string_view option) {
  const auto io = io::make_plain_io();
  if (io::exists(*io, path)) return path;
  return fail(Error{.code = ErrorCode::kNotFound,
                    .message = "the domain's key is not on this host",
                    .path = path,
                    .hint = fmt::format("--{} FILE, from where the key is kept", option)});
}

Result<std::string> ask_date(Context& context) {
  const std::string today = auth::date_text(static_cast<std::int64_t>(std::time(nullptr)));
  auto typed = auth::ask_terminal(
      fmt::format(
          "Date of this ceremony, YYYY-MM-DD (this machine's clock says {}; Enter if that is right): ",
          today),
      [&] { return context.stop.requested(); });
  if (!typed) {
    Error error = std::move(typed).error();
    if (error.code == ErrorCode::kUsage) error.hint = "--date YYYY-MM-DD";
    return fail(std::move(error));
  }
  return typed->empty() ? today : *typed;
}

}  // namespace

Result<OpenDomain> open_domain(Context& context) {
  OpenDomain open;
  open.io = io::make_default_io();
  ASL_ASSIGN(HostRoot root, HostRoot::open(*open.io, context.root));
  open.root = std::make_unique<HostRoot>(std::move(root));
  ASL_ASSIGN(const DomainSummary summary, open.root->find_domain(context.domain.value_or("")));
  ASL_ASSIGN(open.domain, Domain::open(*open.io, summary.directory, {}));
  if (const auto damage = open.domain->corruption())
    context.warn("the log is damaged, what verifies is shown: " + damage->to_string());
  return open;
}

Result<auth::SigningKey> open_operational_key(Context& context, const ParsedOptions& options,
                                              const Domain& domain) {
  const auto given = options.text("key");
  if (given) return open_key(context, options, *given, 0);
  ASL_ASSIGN(const std::string path, key_of_this_host(auth::signer_key_path(domain.directory()), "key"));
  return open_key(context, options, path, 0);
}

Result<std::vector<auth::SigningKey>> open_root_keys(Context& context, const ParsedOptions& options,
                                                     const Domain& domain, std::size_t place) {
  std::vector<std::string> paths = options.list("root-key");
  if (paths.empty()) {
    ASL_ASSIGN(std::string path, key_of_this_host(auth::root_key_path(domain.directory()), "root-key"));
    paths.push_back(std::move(path));
  }
  std::vector<auth::SigningKey> keys;
  for (const std::string& path : paths) {
    ASL_ASSIGN(auth::SigningKey key, open_key(context, options, path, place + keys.size()));
    keys.push_back(std::move(key));
  }
  return keys;
}

Result<DateRecord> confirm_ceremony_date(Context& context, const ParsedOptions& options,
                                         std::optional<std::int64_t> last, std::string words) {
  std::vector<std::string> typed = options.list("date");
  const std::string reason =
      has_option(options, "reason") ? options.text("reason").value_or("") : std::string();
  const bool asked = typed.empty();
  if (asked) {
    ASL_ASSIGN(std::string date, ask_date(context));
    typed.push_back(std::move(date));
  }
  auto record = auth::confirm_date({.typed = typed, .reason = reason, .words = words}, last);
  if (record || !asked || record.error().message.find("(rule date-leap)") == std::string::npos) return record;
  ASL_ASSIGN(std::string again, auth::ask_terminal(record.error().message + "\nThe same date again: ",
                                                   [&] { return context.stop.requested(); }));
  typed.push_back(std::move(again));
  return auth::confirm_date({.typed = typed, .reason = reason, .words = std::move(words)}, last);
}

Result<auth::EnvClaim> describe_this_machine(const ParsedOptions& options) {
  char path[PATH_MAX] = {};
  std::vector<auth::ClaimTool> tools;
  if (::readlink("/proc/self/exe", path, sizeof path - 1) > 0)
    tools.push_back({.path = path, .name = "asl-auth-host", .version = std::string(kVersion)});
  ASL_ASSIGN(auth::EnvClaim claim, auth::describe_machine(tools));
  if (has_option(options, "image-sha256")) {
    if (const auto text = options.text("image-sha256")) {
      claim.image_sha256 = digest_from_hex(*text);
      if (!claim.image_sha256)
        return fail(
            Error{.code = ErrorCode::kUsage, .message = "an image's hash is 64 hex digits", .object = *text});
    }
  }
  return claim;
}

void warn_of_notices(Context& context, const Notices& notices) {
  for (const std::string& notice : notices) context.warn(printable_message(notice));
}

Result<std::uint64_t> parse_snapshot(const Domain& domain, const std::string& text) {
  ASL_ASSIGN(const SnapshotPath place, domain.parse_snapshot_path(text));
  if (place.path.empty()) return place.snapshot_id;
  return fail(Error{
      .code = ErrorCode::kUsage, .message = "a whole snapshot is meant, not a path in it", .object = text});
}

void put_commit(Json& json, const Domain& domain, const auth::AuthorityCommit& commit) {
  if (commit.tree.id != 0) json["authority_snapshot"] = commit.tree.id;
  json["logseq"] = domain.state()->last_logseq();
  json["record_hash"] = to_hex(domain.state()->record_hash());
}

void print_commit(Context& context, const Domain& domain, const auth::AuthorityCommit& commit) {
  if (commit.tree.id != 0)
    print_fact(context, "snapshot", fmt::format("{}, the authority tree", commit.tree.id));
  print_fact(context, "log", fmt::format("record {}", domain.state()->last_logseq()));
}

}  // namespace asl::cli
