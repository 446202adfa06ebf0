#include <algorithm>
#include <ctime>
#include <fmt/format.h>

#include <asl/auth/admission.h>
#include <asl/auth/bundle.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/files.h>
#include <asl/auth/pass_phrase.h>
#include <asl/auth/words.h>

#include "commands/bundle_access.h"
#include "commands/domain_access.h"
#include "commands/key_access.h"
#include "commands/object_text.h"
#include "text.h"

namespace asl::cli {
namespace {

constexpr std::int64_t kFirstMoment = 0;

std::string sops_time(std::int64_t unix_seconds) {
  return fmt::format("{}T{:02}:{:02}:{:02}Z", auth::date_text(unix_seconds), unix_seconds / 3600 % 24,
                     unix_seconds / 60 % 60, unix_seconds % 60);
}

// What this host knows; without a host the bundle is judged by itself.
struct Place {
  std::optional<OpenDomain> open;
  std::optional<auth::Authority> authority;
};
Result<Place> open_place(Context& context) {
  Place place;
  const auto io = io::make_plain_io();
  if (!io::exists(*io, context.root + "/host/layout")) return place;
  ASL_ASSIGN(place.open, open_domain(context));
  ASL_ASSIGN(place.authority, auth::Authority::load(*place.open->domain));
  return place;
}
// The authority must have its final place first.
auth::BundleHost host_of(const Place& place) {
  if (!place.authority) return {};
  return auth::bundle_host(*place.authority, *place.open->domain);
}

void report_bundle(Context& context, std::string_view command, const std::string& path,
                   const auth::Bundle& bundle, const std::vector<std::string>& written) {
  std::vector<std::string> recipients;
  for (const auto& recipient : bundle.recipients) recipients.push_back(auth::to_text(recipient));
  if (context.json) {
    Json json = make_json(command);
    put_bytes(json, "file", path);
    json["bundle_id"] = auth::uuid_text(bundle.bundle_id);
    json["created_at"] = bundle.created_at;
    json["purpose"] = auth::purpose_name(bundle.purpose);
    json["domain_id"] = to_hex(bundle.domain_id());
    json["audience"] = to_hex(bundle.audience);
    json["dam_version"] = bundle.chain.latest().version;
    json["policy_hash"] = to_hex(auth::policy_hash(bundle.policy));
    json["recipients"] = recipients;
    json["artifacts"] = bundle.artifacts.size();
    json["object_hash"] = to_hex(bundle.contents_hash);
    json["words"] = auth::fingerprint(bundle.contents_hash);
    json["checked_by_host"] = bundle.known_here;
    Json files = Json::array();
    for (const std::string& file : written) files.push_back(printable(file));
    json["written"] = files;
    print_json(context.out, json);
    return;
  }
  if (context.quiet) return;
  print_fact(context, "bundle", path);
  print_fact(context, "id", auth::uuid_text(bundle.bundle_id));
  print_fact(context, "purpose", auth::purpose_name(bundle.purpose));
  print_fact(context, "created", bundle.created_at);
  print_fact(context, "domain", to_hex(bundle.domain_id()));
  print_fact(context, "audience", to_hex(bundle.audience));
  print_fact(context, "manifest", fmt::format("version {}", bundle.chain.latest().version));
  for (const std::string& recipient : recipients) print_fact(context, "recipient", recipient);
  if (!bundle.notes.empty()) print_fact(context, "notes", bundle.notes);
  print_fact(context, "words", auth::fingerprint(bundle.contents_hash));
  if (!bundle.known_here)
    print_fact(context, "host", "does not know this domain: only the words say that it is the right one");
  for (const std::string& file : written) print_fact(context, "written", file);
}

Result<std::vector<auth::AgeRecipient>> read_custody(const std::string& host_directory) {
  const std::string path = host_directory + "/host/host-policy.json";
  auto text = auth::read_text_file(path, auth::kCanonicalSizeMax);
  if (!text) {
    text.error().message = "no host policy that lists custody recipients: " + text.error().message;
    text.error().hint = "doc/format-bundle.md, \"Custody\"";
    return fail(std::move(text.error()));
  }
  auto recipients = auth::parse_host_policy(*text);
  if (!recipients) return fail(std::move(recipients.error()).with_path(path));
  return recipients;
}

Result<std::vector<auth::AgeRecipient>> parse_recipients(const std::vector<std::string>& texts) {
  if (texts.empty()) return fail(ErrorCode::kUsage, "--recipient must be given");
  std::vector<auth::AgeRecipient> recipients;
  for (const std::string& text : texts) {
    ASL_ASSIGN(const auth::AgeRecipient recipient, auth::parse_age_recipient(text));
    recipients.push_back(recipient);
  }
  return recipients;
}

Result<void> take_request(auth::Bundle& bundle, const std::string& path) {
  ASL_ASSIGN(const auth::Envelope envelope, auth::read_envelope_file(path));
  ASL_ASSIGN(const auth::Value value, auth::decode_canonical(envelope.payload));
  ASL_ASSIGN(const auth::AdmissionRequest request, auth::admission_request_of(value));
  bundle.admission_request = auth::encode_envelope(envelope);
  bundle.audience = request.audience;
  return {};
}

Result<auth::Bundle> plan_bundle(const ParsedOptions& options, const auth::Authority& authority,
                                 const Domain& domain) {
  ASL_ASSIGN(const std::string purpose, required_option(options, "purpose"));
  auth::Bundle bundle{.created_at = sops_time(static_cast<std::int64_t>(std::time(nullptr))),
                      .purpose = auth::purpose_of_name(purpose).value(),
                      .audience = authority.genesis().domain_id,
                      .chain = authority.chain(),
                      .policy = authority.policy(),
                      .known_here = true};
  std::ranges::copy(auth::random_secret(bundle.bundle_id.size()).span(), bundle.bundle_id.begin());
  const auto state = domain.state();
  bundle.key_created_at =
      sops_time(state->dates().empty() ? kFirstMoment : state->dates().front().record.unix_seconds);
  ASL_ASSIGN(bundle.recipients, parse_recipients(options.list("recipient")));
  if (const auto request = options.text("request")) ASL_TRY(take_request(bundle, *request));
  for (const std::string& path : options.list("artifact")) {
    ASL_ASSIGN(const auth::Envelope envelope, auth::read_envelope_file(path));
    bundle.artifacts.push_back(auth::encode_envelope(envelope));
  }
  bundle.notes = options.text("notes").value_or("");
  return bundle;
}

Result<void> confirm_bundle(Context& context, const ParsedOptions& options, const auth::Bundle& bundle) {
  std::string words = options.text("confirm").value_or("");
  if (words.empty()) {
    std::string shown = fmt::format("Bundle for {} of domain {}\n", auth::purpose_name(bundle.purpose),
                                    to_hex(bundle.domain_id()));
    for (const auto& recipient : bundle.recipients) shown += "  recipient " + auth::to_text(recipient) + "\n";
    ASL_ASSIGN(words, auth::ask_terminal(shown + "All sixteen words of it, from who made it: ",
                                         [&] { return context.stop.requested(); }));
  }
  auto same = auth::check_fingerprint(words, bundle.contents_hash);
  if (same) return {};
  same.error().message = "not opened: " + same.error().message;
  return same;
}

}  // namespace

Result<auth::Bundle> read_bundle(const ParsedOptions& options, const std::string& path,
                                 const auth::BundleHost& host) {
  ASL_TRY(auth::protect_process());
  ASL_ASSIGN(const std::string identity_path, required_option(options, "identity"));
  ASL_ASSIGN(const std::string text, auth::read_text_file(path, auth::kBundleFileMax));
  ASL_ASSIGN(const auth::SecretBytes secret, auth::read_secret_file(identity_path, auth::kIdentityFileMax));
  const auto identities = auth::parse_identities(secret);
  if (!identities) return fail(Error(identities.error()).with_path(identity_path));
  auto bundle = auth::open_bundle(text, *identities, host);
  if (!bundle) return fail(std::move(bundle.error()).with_path(path));
  return bundle;
}

Result<int> run_bundle_create(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(const auth::Authority authority, auth::Authority::load(*open.domain));
  if (!authority.has_manifest()) return fail(authority.require(auth::Action::kAdmitDomain, {}).error());
  ASL_ASSIGN(auth::Bundle bundle, plan_bundle(options, authority, *open.domain));
  std::vector<auth::AgeRecipient> custody;
  const bool recovery = bundle.purpose == auth::BundlePurpose::kRecovery;
  if (recovery) {
    ASL_ASSIGN(custody, read_custody(open.host_directory()));
  }
  ASL_ASSIGN(auto roots, open_root_keys(context, options, *open.domain, 0));
  if (recovery) bundle.root_seed = roots.front().seed();
  ASL_ASSIGN(const std::string text, auth::seal_bundle(bundle, roots.front(), custody));
  const std::string path =
      options.text("to").value_or(open.host_directory() + "/sops-bundles/" + auth::bundle_file_name(bundle));
  ASL_TRY(auth::write_bundle_file(path, text));
  report_bundle(context, "bundle create", path, bundle, {});
  return kExitOk;
}

Result<int> run_bundle_verify(Context& context, const ParsedOptions& options) {
  const std::string& path = options.argument("FILE");
  ASL_ASSIGN(const Place place, open_place(context));
  ASL_ASSIGN(const auth::Bundle bundle, read_bundle(options, path, host_of(place)));
  report_bundle(context, "bundle verify", path, bundle, {});
  return kExitOk;
}

Result<int> run_bundle_open(Context& context, const ParsedOptions& options) {
  const std::string& path = options.argument("FILE");
  const bool reinstall = options.flag("reinstall-root");
  ASL_ASSIGN(const Place place, open_place(context));
  if (reinstall && !place.open)
    return fail(Error{.code = ErrorCode::kNotFound,
                      .message = "--reinstall-root is for the domain of a host, and there is none",
                      .path = context.root,
                      .hint = "copy the domain's directory to this host first"});
  ASL_ASSIGN(const auth::Bundle bundle, read_bundle(options, path, host_of(place)));
  ASL_TRY(confirm_bundle(context, options, bundle));
  std::vector<std::string> written;
  if (const auto to = options.text("to")) {
    ASL_ASSIGN(written, auth::write_bundle_parts(bundle, *to));
  }
  if (reinstall) {
    ASL_ASSIGN(const auth::SecretBytes phrase, choose_pass_phrase(context, options, "new-"));
    ASL_ASSIGN(auto session, auth::AuthoritySession::open(*place.open->domain, place.open->host_directory()));
    ASL_ASSIGN(std::string key, auth::reinstall_root(session, bundle, phrase, chosen_cost(options)));
    written.push_back(std::move(key));
  }
  report_bundle(context, "bundle open", path, bundle, written);
  context.warn("a bundle is for the way only: destroy it now, and every copy on media: " + printable(path));
  return kExitOk;
}

}  // namespace asl::cli
