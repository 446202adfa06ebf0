#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/admission_check.h>
#include <asl/auth/bundle.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/domain_card.h>
#include <asl/auth/files.h>
#include <asl/auth/pass_phrase.h>
#include <asl/auth/secret.h>

#include "commands/bundle_access.h"
#include "commands/domain_access.h"
#include "commands/key_access.h"
#include "commands/object_text.h"
#include "commands/principals.h"
#include "text.h"

namespace asl::cli {
namespace {

Result<auth::DomainCard> read_card(const std::string& path) {
  ASL_ASSIGN(const std::string text, auth::read_text_file(path, auth::kDomainCardMax));
  auto card = auth::decode_domain_card(text);
  if (!card) return fail(std::move(card.error()).with_path(path));
  return card;
}

std::optional<auth::LeaseTerms> lease_terms(const ParsedOptions& options) {
  const auto bytes = options.number("lease-bytes");
  if (!bytes) return std::nullopt;
  return auth::LeaseTerms{.max_bytes = *bytes,
                          .days = static_cast<std::uint32_t>(options.number("lease-days").value())};
}

// A request as a file, or out of a bundle.
struct AdmissionText {
  std::string request;
  std::optional<auth::Bundle> bundle;
};
Result<AdmissionText> read_admission(const ParsedOptions& options, const std::string& path,
                                     const auth::BundleHost& host) {
  AdmissionText given;
  if (!options.has("identity")) {
    ASL_ASSIGN(given.request, auth::read_text_file(path, auth::kCanonicalSizeMaxLists));
    return given;
  }
  ASL_ASSIGN(auth::Bundle bundle, read_bundle(options, path, host));
  if (bundle.purpose != auth::BundlePurpose::kAdmission)
    return fail(Error{.code = ErrorCode::kRefused,
                      .message = "the bundle is not for admission",
                      .path = path,
                      .hint = "asl-auth-host bundle open"});
  given.request = bundle.admission_request;
  given.bundle = std::move(bundle);
  return given;
}

Uuid random_id() {
  Uuid id{};
  std::ranges::copy(auth::random_secret(id.size()).span(), id.begin());
  return id;
}

// Another domain by its id, or the beginning of one that was decided about.
Result<DomainId> find_peer(const auth::Authority& authority, const std::string& text) {
  std::vector<DomainId> found;
  for (const auto& [id, peer] : authority.peers().all())
    if (text.size() >= kPrefixHexMin && to_hex(id).starts_with(text)) found.push_back(id);
  if (found.size() == 1) return found.front();
  return fail(
      Error{.code = ErrorCode::kNotFound,
            .message = found.empty() ? "no such domain was ever admitted" : "several domains start so",
            .object = text,
            .hint = "asl-auth-host domain show lists them"});
}

void report_decision(Context& context, const Domain& domain, const auth::Judgement& judgement,
                     const auth::AdmissionOutcome& outcome, const auth::Authority& authority,
                     const auth::AuthorityCommit& commit) {
  warn_of_notices(context, commit.notices);
  const auth::Peer* peer = authority.peers().find(judgement.request.domain_id);
  const auto standing =
      peer == nullptr ? std::string("UNRECOGNIZED") : std::string(domain_standing_name(peer->standing));
  const auto decision = auth::decision_name(judgement.decision.decision);
  if (context.json) {
    Json json = make_json("admit");
    json["domain_id"] = to_hex(judgement.request.domain_id);
    json["decision"] = decision;
    json["reasons"] = judgement.decision.reasons;
    if (!judgement.why.empty()) json["why"] = printable_message(judgement.why);
    json["state"] = standing;
    json["decision_hash"] = to_hex(outcome.decision.object_hash());
    if (outcome.lease) json["lease_hash"] = to_hex(outcome.lease->object_hash());
    put_commit(json, domain, commit);
    print_json(context.out, json);
    return;
  }
  if (context.quiet) return;
  print_fact(context, "domain", to_hex(judgement.request.domain_id));
  print_fact(context, "decision", decision);
  if (!judgement.why.empty())
    print_fact(context, "because",
               fmt::format("{}: {}", fmt::join(judgement.decision.reasons, ", "), judgement.why));
  print_fact(context, "state", standing);
  print_commit(context, domain, commit);
}

}  // namespace

Result<int> run_admission_request(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const std::string to, required_option(options, "to"));
  ASL_ASSIGN(const auth::DomainCard card, read_card(options.argument("CARD")));
  ASL_ASSIGN(const auth::RoleSet scope, parse_roles(options.text("scope").value()));
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(const auth::Authority authority, auth::Authority::load(*open.domain));
  ASL_ASSIGN(auto roots, open_root_keys(context, options, *open.domain, 0));
  const auth::AdmissionPlea plea{.audience = card.chain.latest().domain_id,
                                 .scope = scope,
                                 .lease = lease_terms(options),
                                 .request_id = random_id()};
  ASL_ASSIGN(const auth::Envelope envelope, auth::make_admission_request(authority, plea, roots.front()));
  ASL_TRY(auth::write_new_file(to, auth::encode_envelope(envelope), auth::FileMode::kPublic));
  ASL_TRY(report_envelope(context, "admission request", to, envelope, nullptr));
  return kExitOk;
}

Result<int> run_admit(Context& context, const ParsedOptions& options) {
  const std::string& path = options.argument("REQUEST");
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(const auth::Authority before, auth::Authority::load(*open.domain));
  ASL_ASSIGN(const AdmissionText given,
             read_admission(options, path, auth::bundle_host(before, *open.domain)));
  const std::string& text = given.request;
  if (!before.has_manifest()) return fail(before.require(auth::Action::kAdmitDomain, {}).error());
  auto first = auth::judge_admission(before, text);
  if (!first) return fail(std::move(first.error()).with_path(path));
  ASL_TRY(confirm_object(context, options, first->envelope));
  ASL_ASSIGN(const DateRecord date,
             confirm_ceremony_date(context, options, open.domain->state()->last_date(), "admission decided"));
  ASL_ASSIGN(auth::SigningKey key, open_operational_key(context, options, *open.domain));
  ASL_ASSIGN(auto session, auth::AuthoritySession::open(*open.domain, open.host_directory()));
  // Again, now that nobody else can write.
  ASL_ASSIGN(const auth::Judgement judgement, auth::judge_admission(session.authority(), text));
  ASL_ASSIGN(const auth::AdmissionOutcome outcome,
             auth::decide_admission(session, judgement, date.unix_seconds, key));
  session.add_record(new_record(date));
  if (given.bundle) ASL_TRY(auth::use_up_bundle(session, *given.bundle));
  ASL_ASSIGN(const auth::AuthorityCommit commit, session.commit());
  if (const auto to = options.text("to"))
    ASL_TRY(auth::write_new_file(*to, auth::encode_envelope(outcome.decision), auth::FileMode::kPublic));
  report_decision(context, *open.domain, judgement, outcome, session.authority(), commit);
  const bool refused = judgement.decision.decision == auth::Decision::kRejected;
  return refused ? exit_code(ErrorCode::kRefused) : kExitOk;
}

Result<int> run_pin(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const auth::DomainCard card, read_card(options.argument("CARD")));
  auth::TrustPin pin = auth::pin_of_card(card);
  Digest shown = pin.root_fingerprints.front();
  ASL_ASSIGN(const auth::RootSetChain roots, read_root_sets(options));
  if (!roots.empty()) {
    shown = roots.hashes().front();
    pin.root_fingerprints = {shown};
  }
  std::string words = options.text("pin-words").value_or("");
  if (words.empty()) {
    const std::string what = roots.empty() ? "the domain's genesis key" : "its root set's version 1";
    ASL_ASSIGN(words, auth::ask_terminal(fmt::format("Domain {}\nAll sixteen words of {}, from its people: ",
                                                     to_hex(pin.domain_id), what),
                                         [&] { return context.stop.requested(); }));
  }
  if (auto same = auth::check_fingerprint(words, shown); !same) {
    Error error = std::move(same).error();
    error.message = "not pinned: " + error.message;
    return fail(std::move(error));
  }
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(auto session, auth::AuthoritySession::open(*open.domain, open.host_directory()));
  ASL_TRY(session.bind_unsigned(auth::Kind::kTrustPin, auth::encode_canonical(auth::to_value(pin))));
  ASL_ASSIGN(const auth::AuthorityCommit commit, session.commit());
  warn_of_notices(context, commit.notices);
  if (context.json) {
    Json json = make_json("pin");
    json["domain_id"] = to_hex(pin.domain_id);
    json["policy_hash"] = to_hex(pin.policy_hash);
    json["fingerprint"] = to_hex(shown);
    json["words"] = auth::fingerprint(shown);
    put_commit(json, *open.domain, commit);
    print_json(context.out, json);
  } else if (!context.quiet) {
    print_fact(context, "pinned", to_hex(pin.domain_id));
    print_fact(context, "policy", to_hex(pin.policy_hash));
    print_fact(context, "words", auth::fingerprint(shown));
    print_commit(context, *open.domain, commit);
  }
  return kExitOk;
}

Result<int> run_domain_state(Context& context, const ParsedOptions& options) {
  using enum auth::StateChange;
  const std::string& action = options.argument("ACTION");
  const auto change = action == "suspend" ? kSuspend : action == "resume" ? kResume : kRevoke;
  if (action != "suspend" && action != "resume" && action != "revoke")
    return fail(Error{.code = ErrorCode::kUsage,
                      .message = "no such change of a domain's state",
                      .object = action,
                      .hint = "suspend, resume or revoke"});
  std::vector<std::string> reasons = options.list("reason");
  std::ranges::sort(reasons);
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(auth::SigningKey key, open_operational_key(context, options, *open.domain));
  ASL_ASSIGN(auto session, auth::AuthoritySession::open(*open.domain, open.host_directory()));
  ASL_ASSIGN(const DomainId id, find_peer(session.authority(), options.argument("DOMAIN")));
  ASL_ASSIGN(const auth::Envelope envelope, auth::change_domain_state(session, id, change, reasons, key));
  ASL_ASSIGN(const auth::AuthorityCommit commit, session.commit());
  warn_of_notices(context, commit.notices);
  const auto standing = domain_standing_name(session.authority().peers().find(id)->standing);
  if (context.json) {
    Json json = make_json("domain state");
    json["domain_id"] = to_hex(id);
    json["state"] = standing;
    json["object_hash"] = to_hex(envelope.object_hash());
    put_commit(json, *open.domain, commit);
    print_json(context.out, json);
  } else if (!context.quiet) {
    print_fact(context, "domain", to_hex(id));
    print_fact(context, "state", standing);
    print_commit(context, *open.domain, commit);
  }
  return kExitOk;
}

}  // namespace asl::cli
