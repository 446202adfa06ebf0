#include <fmt/format.h>

#include <asl/auth/audit.h>
#include <asl/auth/files.h>
#include <asl/auth/genesis.h>
#include <asl/auth/log_check.h>

#include "commands/domain_access.h"
#include "commands/key_access.h"
#include "commands/object_text.h"
#include "text.h"

namespace asl::cli {

Result<int> run_log_head(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(auth::SigningKey key, open_operational_key(context, options, *open.domain));
  ASL_ASSIGN(const auth::Authority authority, auth::Authority::load(*open.domain));
  ASL_TRY(authority.require(auth::Action::kSignClaim, key.public_key()));
  ASL_ASSIGN(const auth::Envelope envelope, auth::sign_log_head(*open.domain, key));
  const std::string path = options.text("to").value_or(
      fmt::format("{}/env-claims/{}.head", open.host_directory(), to_hex(envelope.object_hash())));
  ASL_TRY(auth::write_envelope_file(path, envelope));
  ASL_TRY(report_envelope(context, "log head", path, envelope, nullptr));
  return kExitOk;
}

Result<int> run_log_check(Context& context, const ParsedOptions& options) {
  const std::string& path = options.argument("HEAD");
  ASL_ASSIGN(const auth::Envelope envelope, auth::read_envelope_file(path));
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(const auth::Authority authority, auth::Authority::load(*open.domain));
  auto checked = auth::check_log_head(*open.domain, authority, envelope);
  if (!checked) {
    Error error = std::move(checked).error();
    if (error.path.empty()) error.path = path;
    return fail(std::move(error));
  }
  if (context.json) {
    Json json = make_json("log check");
    put_bytes(json, "file", path);
    json["domain_id"] = to_hex(checked->head.domain_id);
    json["logseq"] = checked->head.point.logseq;
    json["record_hash"] = to_hex(checked->head.point.record_hash);
    json["signed_by"] = to_hex(auth::key_id_of(checked->signer));
    json["dam_version"] = checked->dam_version;
    json["key_is_current"] = checked->current;
    json["records_since"] = checked->records_since;
    print_json(context.out, json);
  } else if (!context.quiet) {
    print_fact(context, "log head", path);
    print_fact(context, "record",
               fmt::format("{} is in the log, {} records came after it", checked->head.point.logseq,
                           checked->records_since));
    print_fact(context, "signed by",
               fmt::format("{}, a key of manifest {}{}", to_hex(auth::key_id_of(checked->signer)),
                           checked->dam_version, checked->current ? "" : ", RETIRED since"));
  }
  return kExitOk;
}

Result<int> run_audit(Context& context, const ParsedOptions& options) {
  const auto& name = options.arguments("DOMAIN");
  if (!name.empty()) context.domain = name.front();
  ASL_ASSIGN(const OpenDomain open, open_domain(context));
  ASL_ASSIGN(const auth::AuditReport report, auth::audit_domain(*open.domain));
  if (context.json) {
    Json json = make_json("audit");
    json["domain_id"] = to_hex(open.domain->id());
    json["logseq"] = report.head.logseq;
    json["record_hash"] = to_hex(report.head.record_hash);
    json["words"] = auth::fingerprint(report.head.record_hash);
    json["objects"] = Json::object();
    for (const auto& [kind, count] : report.bound) json["objects"][kind] = count;
    json["signatures"] = report.signatures;
    json["publications"] = report.publications;
    json["dates"] = report.dates;
    json["problems"] = Json::array();
    for (const auth::AuthorityProblem& problem : report.problems)
      json["problems"].push_back(Json{{"logseq", problem.logseq},
                                      {"object", problem.object},
                                      {"reason", printable_message(problem.error.to_string())}});
    print_json(context.out, json);
  } else {
    if (!context.quiet) {
      for (const auto& [kind, count] : report.bound)
        print_fact(context, "objects", fmt::format("{} {}", count, kind));
      print_fact(context, "signatures", std::to_string(report.signatures));
      print_fact(context, "published", fmt::format("{} snapshots", report.publications));
      print_fact(context, "dates", std::to_string(report.dates));
      print_fact(context, "log head",
                 fmt::format("record {}, {}", report.head.logseq, to_hex(report.head.record_hash)));
      print_fact(context, "words", auth::fingerprint(report.head.record_hash));
    }
    for (const auth::AuthorityProblem& problem : report.problems)
      print_fact(
          context, "PROBLEM",
          fmt::format("log record {}: {}: {}", problem.logseq, problem.object, problem.error.to_string()));
  }
  return report.sound() ? kExitOk : exit_code(ErrorCode::kIntegrity);
}

}  // namespace asl::cli
