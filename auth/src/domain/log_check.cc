#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/log_check.h>
#include <asl/auth/rules.h>
#include <asl/engine/log_listing.h>

namespace asl::auth {
namespace {

// The newest version first: a key that still may sign is shown as such.
Result<void> find_signer(const Authority& authority, const Envelope& envelope, HeadCheck& check) {
  const auto dams = authority.chain().dams();
  for (auto dam = dams.rbegin(); dam != dams.rend(); ++dam) {
    std::vector<PublicKey> keys;
    for (const Principal& principal : dam->principals)
      if (principal.roles.contains(Role::kExecute)) keys.push_back(principal.key);
    ASL_ASSIGN(const std::vector<PublicKey> signers, verify_envelope(envelope, keys));
    if (signers.empty()) continue;
    check.signer = signers.front();
    check.dam_version = dam->version;
    check.current = dam == dams.rbegin();
    return {};
  }
  return broken_rule("authority-principal",
                     "the log head is signed by no key that ever held the role execute in this domain");
}

}  // namespace

Result<void> check_log_point(const Domain& domain, const LogPoint& point) {
  const std::string name = fmt::format("record {}", point.logseq);
  if (point.logseq > domain.state()->last_logseq())
    return broken_rule("head-continues",
                       fmt::format("the log ends at record {}: it was cut back, or is another copy",
                                   domain.state()->last_logseq()),
                       name);
  std::optional<Digest> found;
  auto damage = list_log(domain, {.since_logseq = point.logseq, .last_commits = {}},
                         [&](const ListedCommit& commit) -> Result<void> {
                           for (const LogRecord& record : commit.records)
                             if (record.logseq == point.logseq) found = record.hash;
                           return {};
                         });
  if (!damage) return fail(std::move(damage).error());
  if (!damage->empty()) return fail(damage->front());
  if (found == point.record_hash) return {};
  return broken_rule("head-continues", "the log has another record there: its history was exchanged", name);
}

Result<HeadCheck> check_log_head(const Domain& domain, const Authority& authority, const Envelope& envelope) {
  if (envelope.kind != Kind::kLogHead)
    return fail(ErrorCode::kMalformed,
                fmt::format("a log head was expected, this is a {}", spec_of(envelope.kind).name));
  if (!authority.has_manifest())
    return broken_rule("authority-unbound", "the domain has no manifest that says who signs its log heads",
                       to_hex(domain.id()));
  ASL_ASSIGN(const Value value, decode_canonical(envelope.payload));
  HeadCheck check;
  ASL_ASSIGN(check.head, log_head_of(value));
  if (check.head.domain_id != domain.id())
    return broken_rule("bound-domain", "it is the log head of another domain", to_hex(check.head.domain_id));
  ASL_TRY(find_signer(authority, envelope, check));
  ASL_TRY(check_log_point(domain, check.head.point));
  check.records_since = domain.state()->last_logseq() - check.head.point.logseq;
  return check;
}

}  // namespace asl::auth
