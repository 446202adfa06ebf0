#include <asl/auth/canonical_json.h>
#include <asl/auth/statement.h>

#include "objects/object_reader.h"

namespace asl::auth {
namespace {

constexpr std::string_view kClaims[] = {"artifact-at-path", "snapshot-represents", "derived-from"};

}  // namespace

std::string_view claim_name(Claim claim) {
  return kClaims[static_cast<std::size_t>(claim)];
}

Value to_value(const Statement& statement) {
  Value::Object fields{{"kind", "statement"},
                       {"v", 1},
                       {"domain_id", to_hex(statement.domain_id)},
                       {"subject", to_text(statement.subject)},
                       {"claim", claim_name(statement.claim)},
                       {"value", statement.value}};
  if (statement.pel_program_hash) fields.emplace("pel_program_hash", to_hex(*statement.pel_program_hash));
  return fields;
}

Result<Statement> statement_of(const Value& value) {
  ObjectReader reader(value, "statement");
  Statement statement;
  reader.names_itself("statement");
  reader.hex("domain_id", statement.domain_id);
  statement.subject = reader.reference("subject");
  statement.claim = static_cast<Claim>(reader.choice("claim", kClaims));
  statement.value = reader.text("value", kStatementTextMax);
  statement.pel_program_hash = reader.optional_digest("pel_program_hash");
  ASL_TRY(reader.finish());
  return statement;
}

Value to_value(const SnapshotPublish& publish) {
  Value::Object fields{{"kind", "snapshot-publish"},
                       {"v", 1},
                       {"domain_id", to_hex(publish.domain_id)},
                       {"snapshot_id", publish.snapshot_id},
                       {"snapshot", to_text(publish.snapshot)},
                       {"policy_hash", to_hex(publish.policy_hash)},
                       {"dam_hash", to_hex(publish.dam_hash)}};
  if (publish.receipt_hash) fields.emplace("receipt_hash", to_hex(*publish.receipt_hash));
  return fields;
}

Result<SnapshotPublish> snapshot_publish_of(const Value& value) {
  ObjectReader reader(value, "snapshot-publish");
  SnapshotPublish publish;
  reader.names_itself("snapshot-publish");
  reader.hex("domain_id", publish.domain_id);
  publish.snapshot_id = static_cast<std::uint64_t>(reader.integer("snapshot_id", 1, kCanonicalIntegerMax));
  publish.snapshot = reader.reference("snapshot");
  publish.policy_hash = reader.digest("policy_hash");
  publish.dam_hash = reader.digest("dam_hash");
  publish.receipt_hash = reader.optional_digest("receipt_hash");
  ASL_TRY(reader.finish());
  return publish;
}

}  // namespace asl::auth
