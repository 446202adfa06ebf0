#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/files.h>
#include <asl/auth/policy.h>
#include <asl/auth/rules.h>

#include "commands/key_access.h"
#include "commands/object_text.h"
#include "json_out.h"

namespace asl::cli {
namespace {

Result<DomainId> parse_domain_id(const std::string& text) {
  DomainId id{};
  if (from_hex(text, id)) return id;
  return fail(
      Error{.code = ErrorCode::kUsage, .message = "a domain id is 40 lower-case hex digits", .object = text});
}

void print_policy(Context& context, std::string_view command, const std::string& path,
                  const auth::Policy& policy) {
  const std::string hash = to_hex(auth::policy_hash(policy));
  if (context.json) {
    Json json = make_json(command);
    put_bytes(json, "file", path);
    json["policy_hash"] = hash;
    json["version"] = policy.version;
    print_json(context.out, json);
  } else {
    context.out.line(hash);
  }
}

// The hash that the caller names, or that the file's name claims.
Result<Digest> claimed_hash(const ParsedOptions& options, const std::string& path) {
  const auto& given = options.arguments("HASH");
  std::string text = given.empty() ? path.substr(path.find_last_of('/') + 1) : given.front();
  if (given.empty() && text.starts_with("policy-") && text.ends_with(".json"))
    text = text.substr(7, text.size() - 12);
  const auto digest = digest_from_hex(text);
  if (digest) return *digest;
  return fail(Error{.code = ErrorCode::kUsage,
                    .message = "no hash to check against: none is given, and the file's name has none",
                    .path = path});
}

Result<void> check_ratification(const ParsedOptions& options, const std::string& path, const Digest& hash) {
  ASL_ASSIGN(const auth::RootSetChain roots, read_root_sets(options));
  if (roots.empty()) return fail(ErrorCode::kUsage, "--ratification needs --root-set");
  ASL_ASSIGN(const auth::Envelope envelope, auth::read_envelope_file(path));
  if (envelope.kind != auth::Kind::kPolicyRatification)
    return fail(Error{.code = ErrorCode::kMalformed, .message = "not a ratification", .path = path});
  ASL_ASSIGN(const auth::Value value, auth::decode_canonical(envelope.payload));
  ASL_ASSIGN(const auth::PolicyRatification ratification, auth::ratification_of(value));
  if (ratification.policy_hash != hash)
    return auth::broken_rule("policy-hash", "another policy is ratified", to_hex(ratification.policy_hash));
  return auth::require_threshold(envelope, roots.latest());
}

}  // namespace

Result<int> run_policy_new(Context& context, const ParsedOptions& options) {
  auth::Policy policy;
  policy.version = static_cast<std::uint32_t>(options.number("policy-version").value());
  policy.retention.gc_unpublished_allowed = options.flag("gc-unpublished");
  policy.retention.min_snapshot_retention =
      static_cast<std::uint32_t>(options.number("keep-snapshots").value());
  for (const std::string& text : options.list("trust")) {
    ASL_ASSIGN(const DomainId id, parse_domain_id(text));
    policy.federation.trusted_domains.push_back(id);
  }
  auto& trusted = policy.federation.trusted_domains;
  std::ranges::sort(trusted);
  trusted.erase(std::ranges::unique(trusted).begin(), trusted.end());
  const auto& directory = options.arguments("DIR");
  const std::string path =
      (directory.empty() ? "" : directory.front() + "/") + auth::policy_file_name(policy);
  ASL_TRY(auth::write_new_file(path, auth::encode_policy(policy), auth::FileMode::kPublic));
  if (context.json)
    print_policy(context, "policy new", path, policy);
  else
    context.out.line(path);
  return kExitOk;
}

Result<int> run_policy_hash(Context& context, const ParsedOptions& options) {
  const std::string& path = options.argument("FILE");
  ASL_ASSIGN(const auth::Policy policy, auth::read_policy_file(path));
  print_policy(context, "policy hash", path, policy);
  return kExitOk;
}

Result<int> run_policy_check(Context& context, const ParsedOptions& options) {
  const std::string& path = options.argument("FILE");
  ASL_ASSIGN(const auth::Policy policy, auth::read_policy_file(path));
  ASL_ASSIGN(const Digest claimed, claimed_hash(options, path));
  const Digest hash = auth::policy_hash(policy);
  if (hash != claimed) {
    auto broken = auth::broken_rule("policy-hash", "the policy's hash is " + to_hex(hash));
    return fail(std::move(broken.error()).with_path(path));
  }
  if (const auto ratification = options.text("ratification"))
    ASL_TRY(check_ratification(options, *ratification, hash));
  print_policy(context, "policy check", path, policy);
  return kExitOk;
}

Result<int> run_policy_ratify(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const std::string to, required_option(options, "to"));
  ASL_ASSIGN(const auth::Policy policy, auth::read_policy_file(options.argument("FILE")));
  ASL_ASSIGN(const DomainId domain, parse_domain_id(options.argument("DOMAIN_ID")));
  ASL_ASSIGN(auto keys, open_signing_keys(context, options));
  const std::string payload = auth::encode_canonical(auth::to_value(
      auth::PolicyRatification{.policy_hash = auth::policy_hash(policy), .domain_id = domain}));
  ASL_ASSIGN(const auth::Envelope envelope,
             auth::seal_object(auth::Kind::kPolicyRatification, payload, keys));
  ASL_TRY(auth::write_new_file(to, auth::encode_envelope(envelope), auth::FileMode::kPublic));
  ASL_TRY(report_envelope(context, "policy ratify", to, envelope, nullptr));
  return kExitOk;
}

}  // namespace asl::cli
