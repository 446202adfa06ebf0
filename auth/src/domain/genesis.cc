#include <algorithm>

#include <asl/auth/canonical_json.h>
#include <asl/auth/domain_card.h>
#include <asl/auth/files.h>
#include <asl/auth/genesis.h>

namespace asl::auth {
namespace {

Result<Envelope> seal(Kind kind, const Value& value, Signer& signer) {
  return seal_object(kind, encode_canonical(value), signer);
}

Result<void> bind_authority(AuthoritySession& session, SigningKey& root, Signer& operational,
                            const GenesisPlan& plan, GenesisReport& report) {
  ASL_TRY(session.bind_unsigned(Kind::kPolicy, encode_policy(plan.policy)));
  ASL_ASSIGN(const Envelope claim,
             seal(Kind::kEnvClaim, to_value(claim_for(session, plan.machine)), operational));
  ASL_TRY(session.bind(claim));
  report.claim_hash = claim.object_hash();
  std::vector<Principal> principals = plan.principals;
  std::erase_if(principals, [&](const Principal& one) { return one.key == operational.public_key(); });
  principals.push_back({.key = operational.public_key(), .roles = plan.roles});
  const Dam dam = first_dam(root.public_key(), std::move(principals), policy_hash(plan.policy));
  ASL_ASSIGN(const Envelope manifest, seal(Kind::kDam, to_value(dam), root));
  ASL_TRY(session.bind(manifest));
  for (const TrustPin& pin : plan.pins)
    ASL_TRY(session.bind_unsigned(Kind::kTrustPin, encode_canonical(to_value(pin))));
  for (const Envelope& set : plan.roots.envelopes()) ASL_TRY(session.bind(set));
  session.add_record(new_record(plan.date));
  return {};
}

}  // namespace

std::string domain_card_path(const std::string& domain_directory) {
  return domain_directory + "/domain.card";
}

EnvClaim claim_for(const AuthoritySession& session, EnvClaim machine) {
  const auto state = session.domain().state();
  machine.domain_id = session.domain().id();
  machine.snapshot_id = state->current_snapshot() == nullptr ? 0 : state->current_snapshot()->id;
  machine.log_head = session.log_point();
  machine.previous = session.authority().latest_claim();
  return machine;
}

Result<Envelope> sign_log_head(const Domain& domain, Signer& operational) {
  const auto state = domain.state();
  const LogHead head{.domain_id = domain.id(),
                     .point = {.logseq = state->last_logseq(), .record_hash = state->record_hash()}};
  return seal(Kind::kLogHead, to_value(head), operational);
}

Result<void> write_domain_card(const Domain& domain, const Authority& authority, Signer& operational,
                               const std::string& path) {
  ASL_TRY(authority.require(Action::kSignClaim, operational.public_key()));
  ASL_ASSIGN(const Envelope head, sign_log_head(domain, operational));
  ASL_ASSIGN(const std::string card, encode_domain_card(authority.chain(), authority.policy(), head));
  return replace_text_file(path, card, FileMode::kPublic);
}

Result<GenesisReport> found_domain(Domain& domain, const std::string& host_directory, SigningKey& root,
                                   Signer& operational, const GenesisPlan& plan) {
  GenesisReport report;
  {
    ASL_ASSIGN(AuthoritySession session, AuthoritySession::open(domain, host_directory));
    if (session.authority().has_manifest())
      return fail(Error{.code = ErrorCode::kRefused,
                        .message = "the domain has a manifest already",
                        .object = to_hex(domain.id())});
    ASL_TRY(bind_authority(session, root, operational, plan, report));
    ASL_ASSIGN(report.commit, session.commit());
  }
  report.card_path = domain_card_path(domain.directory());
  const auto write_card = [&]() -> Result<void> {
    ASL_ASSIGN(const Authority authority, Authority::load(domain));
    return write_domain_card(domain, authority, operational, report.card_path);
  };
  if (auto written = write_card(); !written) report.card_error = std::move(written).error();
  return report;
}

}  // namespace asl::auth
