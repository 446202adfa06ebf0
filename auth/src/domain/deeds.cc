#include <fmt/format.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/deeds.h>
#include <asl/auth/genesis.h>
#include <asl/auth/rules.h>
#include <asl/auth/words.h>

namespace asl::auth {
namespace {

Result<Reference> living_snapshot(const Domain& domain, std::uint64_t id) {
  const auto state = domain.state();
  const SnapshotState* snapshot = state->find_snapshot(id);
  if (snapshot == nullptr || snapshot->forgotten)
    return fail(
        Error{.code = ErrorCode::kNotFound, .message = "no such snapshot", .object = std::to_string(id)});
  return snapshot->reference;
}

std::string name_of(Kind kind, const Digest& hash) {
  return fmt::format("{} asl1:{}", spec_of(kind).name, to_hex(hash));
}

bool may_be_bound(Kind kind) {
  return kind == Kind::kDam || kind == Kind::kRootSet || kind == Kind::kCertificate ||
         kind == Kind::kPolicyRatification;
}

Result<void> check_root_words(const AuthoritySession& session, const Envelope& envelope,
                              std::string_view words) {
  if (envelope.kind != Kind::kRootSet || !session.authority().roots().empty()) return {};
  if (words.empty())
    return broken_rule("root-set-pinned", "no root set is bound yet, and this one's words were not given",
                       to_hex(envelope.object_hash()));
  auto same = check_fingerprint(words, envelope.object_hash());
  if (!same) return broken_rule("root-set-pinned", same.error().message, to_hex(envelope.object_hash()));
  return {};
}

}  // namespace

Result<Envelope> publish_snapshot(AuthoritySession& session, std::uint64_t snapshot_id, Signer& signer) {
  ASL_TRY(session.authority().require(Action::kPublishSnapshot, signer.public_key()));
  ASL_ASSIGN(const Reference reference, living_snapshot(session.domain(), snapshot_id));
  const SnapshotPublish publish{.domain_id = session.domain().id(),
                                .snapshot_id = snapshot_id,
                                .snapshot = reference,
                                .policy_hash = session.authority().dam().policy_hash,
                                .dam_hash = session.authority().chain().latest_hash(),
                                .receipt_hash = {}};
  ASL_ASSIGN(const Envelope envelope,
             seal_object(Kind::kSnapshotPublish, encode_canonical(to_value(publish)), signer));
  ASL_TRY(session.bind(envelope));
  session.add_record(
      new_record(PublishRecord{.snapshot_id = snapshot_id,
                               .publication = {.hash_id = kHashIdAsl1, .digest = envelope.object_hash()}}));
  return envelope;
}

Result<Envelope> attest_snapshot(AuthoritySession& session, std::uint64_t snapshot_id,
                                 const std::string& value, Signer& signer) {
  ASL_TRY(session.authority().require(Action::kAttest, signer.public_key()));
  ASL_ASSIGN(const Reference reference, living_snapshot(session.domain(), snapshot_id));
  const Statement statement{.domain_id = session.domain().id(),
                            .subject = reference,
                            .claim = Claim::kSnapshotRepresents,
                            .value = value,
                            .pel_program_hash = {}};
  ASL_ASSIGN(const Envelope envelope,
             seal_object(Kind::kStatement, encode_canonical(to_value(statement)), signer));
  ASL_TRY(session.bind(envelope));
  return envelope;
}

Result<Envelope> issue_dam(AuthoritySession& session, const DamChange& change, std::span<SigningKey> roots,
                           Signer* operational, EnvClaim machine) {
  if (!session.authority().has_manifest())
    return broken_rule("authority-unbound", "the domain has no manifest that another could follow",
                       to_hex(session.domain().id()));
  const DamChain& chain = session.authority().chain();
  ASL_ASSIGN(const Dam dam, next_dam(chain.latest(), chain.latest_hash(), change));
  const std::string claim = encode_canonical(to_value(claim_for(session, std::move(machine))));
  if (operational != nullptr) {
    ASL_ASSIGN(const Envelope sealed, seal_object(Kind::kEnvClaim, claim, *operational));
    ASL_TRY(session.bind(sealed));
  } else {
    ASL_TRY(session.bind_unsigned(Kind::kEnvClaim, claim));
  }
  ASL_ASSIGN(Envelope envelope, seal_object(Kind::kDam, encode_canonical(to_value(dam)), roots));
  ASL_TRY(session.bind(envelope));
  return envelope;
}

Result<BindReport> bind_text(AuthoritySession& session, std::string_view text, std::string_view root_words) {
  BindReport report;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t before = session.authority().objects().size();
    std::string name;
    if (line.starts_with("{\"payload\":")) {
      ASL_ASSIGN(const Envelope envelope, decode_envelope(line));
      if (!may_be_bound(envelope.kind))
        return broken_rule("bound-kind",
                           fmt::format("a {} is not bound by itself", spec_of(envelope.kind).name));
      ASL_TRY(check_root_words(session, envelope, root_words));
      name = name_of(envelope.kind, envelope.object_hash());
      ASL_TRY(session.bind(envelope));
    } else {
      ASL_TRY(decode_policy(line));
      name = name_of(Kind::kPolicy, object_hash(Kind::kPolicy, line));
      ASL_TRY(session.bind_unsigned(Kind::kPolicy, line));
    }
    if (session.authority().objects().size() == before)
      ++report.present;
    else
      report.bound.push_back(std::move(name));
  }
  return report;
}

}  // namespace asl::auth
