#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <tuple>

#include <asl/auth/admission.h>
#include <asl/auth/audit.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/ceremony_date.h>
#include <asl/auth/rules.h>
#include <asl/auth/statement.h>
#include <asl/engine/log_listing.h>

namespace asl::auth {
namespace {

class Audit {
 public:
  Audit(const Domain& domain, const Authority& authority, AuditReport& report)
      : domain_(domain), authority_(authority), report_(report) {}

  Result<void> look_at(const LogRecord& record) {
    if (record.type == kLogGenesis) return look_at_genesis(record);
    if (record.type == kLogPublish) return look_at_publication(record);
    if (record.type == kLogDate) return look_at_date(record);
    if (record.type == kLogDomainState) return look_at_state(record);
    return {};
  }

 private:
  void note(const LogRecord& record, std::unexpected<Error> error) {
    report_.problems.push_back({.logseq = record.logseq,
                                .object = std::string(log_type_name(record.type)),
                                .error = std::move(error.error())});
  }

  Result<void> look_at_genesis(const LogRecord& record) {
    ASL_ASSIGN(const GenesisRecord genesis, GenesisRecord::decode(record.payload));
    if (genesis.local || domain_id_of({genesis.root_public_key}) == genesis.domain_id) return {};
    note(record, broken_rule("dam-domain", "the domain's id is not made from its root key"));
    return {};
  }

  // The record must name a publication that counts, and that names the very snapshot that is in the log.
  Result<void> look_at_publication(const LogRecord& record) {
    ++report_.publications;
    ASL_ASSIGN(const PublishRecord publish, PublishRecord::decode(record.payload));
    const auto bound =
        std::ranges::find(authority_.objects(), publish.publication.digest, &BoundObject::hash);
    if (bound == authority_.objects().end() || bound->kind != Kind::kSnapshotPublish) {
      note(record, broken_rule("publish-snapshot", "no publication that counts is bound for this snapshot",
                               std::to_string(publish.snapshot_id)));
      return {};
    }
    ASL_ASSIGN(const Value value, decode_canonical(bound->payload));
    ASL_ASSIGN(const SnapshotPublish signed_one, snapshot_publish_of(value));
    const SnapshotState* snapshot = domain_.state()->find_snapshot(publish.snapshot_id);
    const bool same = signed_one.snapshot_id == publish.snapshot_id && snapshot != nullptr &&
                      snapshot->reference == signed_one.snapshot;
    if (!same)
      note(record, broken_rule("publish-snapshot", "the publication names another snapshot",
                               std::to_string(publish.snapshot_id)));
    return {};
  }

  Result<void> look_at_state(const LogRecord& record) {
    ASL_ASSIGN(const DomainStateRecord state, DomainStateRecord::decode(record.payload));
    const auto bound = std::ranges::find(authority_.objects(), state.reference.digest, &BoundObject::hash);
    if (bound != authority_.objects().end() && bound->kind == Kind::kDomainState) {
      ASL_ASSIGN(const Value value, decode_canonical(bound->payload));
      ASL_ASSIGN(const DomainStateChange change, domain_state_of(value));
      if (change.domain_id == state.domain_id && change.to == state.standing) return {};
    }
    note(record, broken_rule("admission-state", "the record says what no signed change of state says",
                             to_hex(state.domain_id)));
    return {};
  }

  Result<void> look_at_date(const LogRecord& record) {
    ++report_.dates;
    ASL_ASSIGN(const DateRecord date, DateRecord::decode(record.payload));
    if (last_date_ && date.unix_seconds < *last_date_ && !date.correction)
      note(record, broken_rule("date-order", "a ceremony is dated before the one before it, without a reason",
                               date_text(date.unix_seconds)));
    last_date_ = date.unix_seconds;
    return {};
  }

  const Domain& domain_;
  const Authority& authority_;
  AuditReport& report_;
  std::optional<std::int64_t> last_date_;
};

}  // namespace

Result<AuditReport> audit_domain(const Domain& domain) {
  AuditReport report;
  const auto state = domain.state();
  report.head = {.logseq = state->last_logseq(), .record_hash = state->record_hash()};
  ASL_ASSIGN(const Authority authority, Authority::load(domain));
  for (const BoundObject& object : authority.objects()) {
    ++report.bound[std::string(spec_of(object.kind).name)];
    report.signatures += object.signatures.size();
  }
  report.problems = authority.problems();
  if (authority.fork()) report.problems.push_back({.logseq = 0, .object = "dam", .error = *authority.fork()});
  Audit audit(domain, authority, report);
  auto damage = list_log(domain, {}, [&](const ListedCommit& commit) -> Result<void> {
    for (const LogRecord& record : commit.records) ASL_TRY(audit.look_at(record));
    return {};
  });
  if (!damage) return fail(std::move(damage).error());
  for (Error& error : *damage)
    report.problems.push_back({.logseq = 0, .object = "log", .error = std::move(error)});
  std::ranges::sort(report.problems, {}, [](const AuthorityProblem& problem) {
    return std::tie(problem.logseq, problem.object, problem.error.message);
  });
  return report;
}

}  // namespace asl::auth
