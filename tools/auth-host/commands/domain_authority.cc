// Commands on a domain's authority: show, issue, bind, publish, attest, date, card.
#include <fmt/format.h>

#include <asl/auth/deeds.h>
#include <asl/auth/domain_card.h>
#include <asl/auth/files.h>
#include <asl/auth/genesis.h>

#include "commands/domain_access.h"
#include "commands/key_access.h"
#include "commands/object_text.h"
#include "commands/principals.h"
#include "text.h"

namespace asl::cli {
namespace {

constexpr std::size_t kBindSizeMax = auth::kDamChainSizeMax;

void report_bound(Context& context, std::string_view command, const Domain& domain,
                  const auth::Envelope& envelope, const auth::AuthorityCommit& commit) {
  warn_of_notices(context, commit.notices);
  const Digest hash = envelope.object_hash();
  if (context.json) {
    Json json = make_json(command);
    json["domain_id"] = to_hex(domain.id());
    json["kind"] = auth::spec_of(envelope.kind).name;
    json["object_hash"] = to_hex(hash);
    json["words"] = auth::fingerprint(hash);
    put_commit(json, domain, commit);
    print_json(context.out, json);
    return;
  }
  if (context.quiet) return;
  print_fact(context, auth::spec_of(envelope.kind).name, "asl1:" + to_hex(hash));
  print_fact(context, "words", auth::fingerprint(hash));
  print_commit(context, domain, commit);
}

Json principals_json(const auth::Dam& dam) {
  Json list = Json::array();
  for (const auth::Principal& principal : dam.principals)
    list.push_back(
        Json{{"key_id", to_hex(auth::key_id_of(principal.key))}, {"roles", principal.roles.names()}});
  return list;
}

Json authority_json(const Domain& domain, const auth::Authority& authority) {
  Json json = make_json("domain show");
  json["domain_id"] = to_hex(domain.id());
  put_bytes(json, "alias", domain.alias());
  json["local"] = authority.genesis().local;
  json["acts"] = authority.has_manifest() && !authority.fork();
  if (authority.has_manifest()) {
    json["dam_version"] = authority.dam().version;
    json["dam_hash"] = to_hex(authority.chain().latest_hash());
    json["words"] = auth::fingerprint(authority.chain().latest_hash());
    json["root_key_id"] = to_hex(auth::key_id_of(authority.dam().root_key));
    json["policy_hash"] = to_hex(authority.dam().policy_hash);
    json["principals"] = principals_json(authority.dam());
    json["certified"] = authority.certificate() != nullptr;
  }
  if (!authority.roots().empty()) json["root_set_hash"] = to_hex(authority.roots().latest_hash());
  json["peers"] = Json::array();
  for (const auto& [id, peer] : authority.peers().all()) {
    Json row{{"domain_id", to_hex(id)}, {"state", domain_standing_name(peer.standing)}};
    if (peer.lease) put_time(row, "lease_ends", auth::lease_end(*peer.lease));
    json["peers"].push_back(std::move(row));
  }
  json["pins"] = Json::array();
  for (const auto& [id, pin] : authority.pins()) json["pins"].push_back(to_hex(id));
  if (authority.fork()) json["fork"] = printable_message(authority.fork()->to_string());
  if (const auto date = domain.state()->last_date()) put_time(json, "last_date", *date);
  json["logseq"] = domain.state()->last_logseq();
  json["problems"] = authority.problems().size();
  return json;
}

void print_authority(Context& context, const Domain& domain, const auth::Authority& authority) {
  print_fact(context, "domain", fmt::format("{} {}", to_hex(domain.id()), domain.alias()));
  if (!authority.has_manifest()) {
    print_fact(context, "authority", authority.genesis().local ? "none: a local domain" : "none yet");
    return;
  }
  const auth::Dam& dam = authority.dam();
  print_fact(context, "manifest",
             fmt::format("version {}, asl1:{}", dam.version, to_hex(authority.chain().latest_hash())));
  print_fact(context, "words", auth::fingerprint(authority.chain().latest_hash()));
  print_fact(context, "root key", to_hex(auth::key_id_of(dam.root_key)));
  print_fact(context, "policy", to_hex(dam.policy_hash));
  for (const auth::Principal& principal : dam.principals)
    print_fact(context, "principal",
               fmt::format("{} {}", to_hex(auth::key_id_of(principal.key)),
                           fmt::join(principal.roles.names(), ",")));
  if (authority.roots().empty())
    print_fact(context, "root set", "none: the domain is trusted by those who compared its words");
  else
    print_fact(context, "root set",
               fmt::format("version {}, asl1:{}; {}", authority.roots().latest().version,
                           to_hex(authority.roots().latest_hash()),
                           authority.certificate() != nullptr ? "certified" : "NOT CERTIFIED"));
  for (const auto& [id, peer] : authority.peers().all())
    print_fact(
        context, "peer",
        fmt::format("{} {}{}", to_hex(id), domain_standing_name(peer.standing),
                    peer.lease ? ", lease until " + auth::date_text(auth::lease_end(*peer.lease)) : ""));
  for (const auto& [id, pin] : authority.pins()) print_fact(context, "pinned", to_hex(id));
  if (const auto date = domain.state()->last_date()) print_fact(context, "last date", auth::date_text(*date));
  print_fact(context, "log", fmt::format("record {}", domain.state()->last_logseq()));
}

}  // namespace

Result<int> run_domain_show(Context& context, const ParsedOptions& options) {
  const auto& name = options.arguments("NAME");
  if (!name.empty()) context.domain = name.front();
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(const auth::Authority authority, auth::Authority::load(*open.domain));
  for (const auth::AuthorityProblem& problem : authority.problems())
    context.warn(fmt::format("log record {}: {} has no effect: {}", problem.logseq, problem.object,
                             printable_message(problem.error.to_string())));
  if (context.json)
    print_json(context.out, authority_json(*open.domain, authority));
  else
    print_authority(context, *open.domain, authority);
  if (authority.fork()) return fail(*authority.fork());
  return kExitOk;
}

Result<int> run_dam_issue(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(const auth::DamChange change, parse_dam_change(options));
  ASL_ASSIGN(const DateRecord date,
             confirm_ceremony_date(context, options, open.domain->state()->last_date(), "manifest issued"));
  ASL_ASSIGN(auth::EnvClaim machine, describe_this_machine(options));
  ASL_ASSIGN(auto roots, open_root_keys(context, options, *open.domain, 0));
  std::optional<auth::SigningKey> operational;
  if (const auto path = options.text("key")) {
    ASL_ASSIGN(operational, open_key(context, options, *path, roots.size()));
  }
  ASL_ASSIGN(auto session, auth::AuthoritySession::open(*open.domain, open.host_directory()));
  if (const auto path = options.text("policy")) {
    ASL_ASSIGN(const auth::Policy policy, auth::read_policy_file(*path));
    ASL_TRY(session.bind_unsigned(auth::Kind::kPolicy, auth::encode_policy(policy)));
  }
  ASL_ASSIGN(
      const auth::Envelope envelope,
      auth::issue_dam(session, change, roots, operational ? &*operational : nullptr, std::move(machine)));
  session.add_record(new_record(date));
  ASL_ASSIGN(const auth::AuthorityCommit commit, session.commit());
  report_bound(context, "dam issue", *open.domain, envelope, commit);
  if (!session.authority().roots().empty() && session.authority().certificate() == nullptr)
    context.warn(
        "the root set has not certified this manifest's root key and policy: the domain can do nothing "
        "until a certificate is bound");
  return kExitOk;
}

Result<int> run_bind(Context& context, const ParsedOptions& options) {
  std::string text;
  for (const std::string& path : options.arguments("FILE")) {
    ASL_ASSIGN(const std::string part, auth::read_text_file(path, kBindSizeMax));
    text += part;
    if (!text.ends_with('\n')) text += '\n';
  }
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(auto session, auth::AuthoritySession::open(*open.domain, open.host_directory()));
  ASL_ASSIGN(const auth::BindReport report,
             auth::bind_text(session, text, options.text("root-words").value_or("")));
  ASL_ASSIGN(const auth::AuthorityCommit commit, session.commit());
  warn_of_notices(context, commit.notices);
  if (context.json) {
    Json json = make_json("bind");
    json["domain_id"] = to_hex(open.domain->id());
    json["bound"] = report.bound;
    json["present"] = report.present;
    put_commit(json, *open.domain, commit);
    print_json(context.out, json);
  } else if (!context.quiet) {
    for (const std::string& name : report.bound) print_fact(context, "bound", name);
    if (report.present > 0) print_fact(context, "there", std::to_string(report.present));
    print_commit(context, *open.domain, commit);
  }
  if (session.authority().fork()) return fail(*session.authority().fork());
  return kExitOk;
}

Result<int> run_publish(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(const std::uint64_t id, parse_snapshot(*open.domain, options.argument("SNAPSHOT")));
  ASL_ASSIGN(auth::SigningKey key, open_operational_key(context, options, *open.domain));
  ASL_ASSIGN(auto session, auth::AuthoritySession::open(*open.domain, open.host_directory()));
  ASL_ASSIGN(const auth::Envelope envelope, auth::publish_snapshot(session, id, key));
  ASL_ASSIGN(const auth::AuthorityCommit commit, session.commit());
  report_bound(context, "publish", *open.domain, envelope, commit);
  return kExitOk;
}

Result<int> run_attest(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(const std::uint64_t id, parse_snapshot(*open.domain, options.argument("SNAPSHOT")));
  std::string value = options.text("value").value_or("");
  if (value.empty()) {
    ASL_ASSIGN(const Snapshot snapshot, open.domain->snapshot(id));
    value = fmt::format("{} as of log record {}", printable(snapshot.roots.front().source_path),
                        open.domain->state()->find_snapshot(id)->logseq);
  }
  ASL_ASSIGN(auth::SigningKey key, open_operational_key(context, options, *open.domain));
  ASL_ASSIGN(auto session, auth::AuthoritySession::open(*open.domain, open.host_directory()));
  ASL_ASSIGN(const auth::Envelope envelope, auth::attest_snapshot(session, id, value, key));
  ASL_ASSIGN(const auth::AuthorityCommit commit, session.commit());
  if (const auto to = options.text("to"))
    ASL_TRY(auth::write_new_file(*to, auth::encode_envelope(envelope), auth::FileMode::kPublic));
  report_bound(context, "attest", *open.domain, envelope, commit);
  return kExitOk;
}

Result<int> run_date(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(const DateRecord date,
             confirm_ceremony_date(context, options, open.domain->state()->last_date(), "date confirmed"));
  ASL_ASSIGN(auto session, auth::AuthoritySession::open(*open.domain, open.host_directory()));
  session.add_record(new_record(date));
  ASL_ASSIGN(const auth::AuthorityCommit commit, session.commit());
  warn_of_notices(context, commit.notices);
  if (context.json) {
    Json json = make_json("date");
    json["domain_id"] = to_hex(open.domain->id());
    put_time(json, "date", date.unix_seconds);
    json["correction"] = date.correction;
    put_commit(json, *open.domain, commit);
    print_json(context.out, json);
  } else if (!context.quiet) {
    print_fact(context, "date", auth::date_text(date.unix_seconds));
    print_commit(context, *open.domain, commit);
  }
  return kExitOk;
}

Result<int> run_card(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(auth::SigningKey key, open_operational_key(context, options, *open.domain));
  ASL_ASSIGN(const auth::Authority authority, auth::Authority::load(*open.domain));
  const std::string path = options.text("to").value_or(auth::domain_card_path(open.domain->directory()));
  if (!authority.has_manifest())
    return fail(authority.require(auth::Action::kSignClaim, key.public_key()).error());
  ASL_TRY(auth::write_domain_card(*open.domain, authority, key, path));
  const Digest hash = authority.chain().latest_hash();
  if (context.json) {
    Json json = make_json("card");
    put_bytes(json, "file", path);
    json["domain_id"] = to_hex(open.domain->id());
    json["dam_hash"] = to_hex(hash);
    json["words"] = auth::fingerprint(hash);
    print_json(context.out, json);
  } else if (!context.quiet) {
    print_fact(context, "card", path);
    print_fact(context, "words", auth::fingerprint(hash));
  }
  return kExitOk;
}

}  // namespace asl::cli
