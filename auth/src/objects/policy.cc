#include <algorithm>
#include <limits>

#include <asl/auth/canonical_json.h>
#include <asl/auth/files.h>
#include <asl/auth/policy.h>
#include <asl/auth/rules.h>
#include <asl/engine/hash.h>

#include "objects/object_reader.h"

namespace asl::auth {
namespace {

constexpr std::int64_t kU32Max = std::numeric_limits<std::uint32_t>::max();

// Appends the fields of the hash input.
class HashInput {
 public:
  void truth(bool value) { bytes_.push_back(value ? std::byte{1} : std::byte{0}); }
  void u32(std::uint32_t value) {
    bytes_.resize(bytes_.size() + 4);
    store_be(bytes_.data() + bytes_.size() - 4, value);
  }
  void roles(RoleSet roles) {
    const auto list = roles.list();
    u32(static_cast<std::uint32_t>(list.size()));
    for (const Role role : list) u32(static_cast<std::uint32_t>(role));
  }
  void domains(const std::vector<DomainId>& domains) {
    u32(static_cast<std::uint32_t>(domains.size()));
    for (const DomainId& id : domains) bytes_.insert(bytes_.end(), id.begin(), id.end());
  }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

std::vector<DomainId> read_domains(ObjectReader& reader, std::string_view name) {
  std::vector<DomainId> domains;
  for (const std::string& text : reader.set(name, kTrustedDomainsMax)) {
    DomainId id{};
    reader.require(from_hex(text, id), "object-value",
                   "holds a domain id that is not 40 lower-case hex digits");
    domains.push_back(id);
  }
  return domains;
}

}  // namespace

Value to_value(const Policy& policy) {
  Value::Array domains;
  for (const DomainId& id : policy.federation.trusted_domains) domains.emplace_back(to_hex(id));
  return Value::Object{
      {"kind", "policy"},
      {"v", 1},
      {"version", policy.version},
      {"publication", Value::Object{{"require_signature", policy.publication.require_signature},
                                    {"allowed_roles", policy.publication.allowed_roles.to_value()},
                                    {"snapshot_required", policy.publication.snapshot_required}}},
      {"execution", Value::Object{{"per_signature_required", policy.execution.per_signature_required},
                                  {"allowed_roles", policy.execution.allowed_roles.to_value()},
                                  {"deterministic_only", policy.execution.deterministic_only}}},
      {"federation", Value::Object{{"export_published_only", policy.federation.export_published_only},
                                   {"require_snapshot", policy.federation.require_snapshot},
                                   {"trusted_domains", std::move(domains)}}},
      {"retention", Value::Object{{"gc_unpublished_allowed", policy.retention.gc_unpublished_allowed},
                                  {"min_snapshot_retention", policy.retention.min_snapshot_retention}}},
      {"visibility", Value::Object{{"internal_hidden", policy.visibility.internal_hidden},
                                   {"published_read_only", policy.visibility.published_read_only}}},
      {"reserved0", 0}};
}

Result<Policy> policy_of(const Value& value) {
  ObjectReader reader(value, "policy");
  Policy policy;
  reader.names_itself("policy");
  policy.version = static_cast<std::uint32_t>(reader.integer("version", 1, kU32Max));
  ObjectReader publication = reader.object("publication");
  policy.publication.require_signature = publication.boolean("require_signature");
  policy.publication.allowed_roles = publication.roles("allowed_roles");
  policy.publication.snapshot_required = publication.boolean("snapshot_required");
  ObjectReader execution = reader.object("execution");
  policy.execution.per_signature_required = execution.boolean("per_signature_required");
  policy.execution.allowed_roles = execution.roles("allowed_roles");
  policy.execution.deterministic_only = execution.boolean("deterministic_only");
  ObjectReader federation = reader.object("federation");
  policy.federation.export_published_only = federation.boolean("export_published_only");
  policy.federation.require_snapshot = federation.boolean("require_snapshot");
  policy.federation.trusted_domains = read_domains(federation, "trusted_domains");
  ObjectReader retention = reader.object("retention");
  policy.retention.gc_unpublished_allowed = retention.boolean("gc_unpublished_allowed");
  policy.retention.min_snapshot_retention =
      static_cast<std::uint32_t>(retention.integer("min_snapshot_retention", 0, kU32Max));
  ObjectReader visibility = reader.object("visibility");
  policy.visibility.internal_hidden = visibility.boolean("internal_hidden");
  policy.visibility.published_read_only = visibility.boolean("published_read_only");
  reader.integer("reserved0", 0, 0);
  for (ObjectReader* part : {&publication, &execution, &federation, &retention, &visibility})
    ASL_TRY(part->finish());
  ASL_TRY(reader.finish());
  return policy;
}

Result<Policy> decode_policy(std::string_view text) {
  ASL_ASSIGN(const Value value, decode_canonical(text, {.size_max = spec_of(Kind::kPolicy).size_max}));
  return policy_of(value);
}

std::string encode_policy(const Policy& policy) {
  return encode_canonical(to_value(policy));
}

Bytes policy_hash_input(const Policy& policy) {
  HashInput input;
  input.u32(policy.version);
  input.truth(policy.publication.require_signature);
  input.roles(policy.publication.allowed_roles);
  input.truth(policy.publication.snapshot_required);
  input.truth(policy.execution.per_signature_required);
  input.roles(policy.execution.allowed_roles);
  input.truth(policy.execution.deterministic_only);
  input.truth(policy.federation.export_published_only);
  input.truth(policy.federation.require_snapshot);
  input.domains(policy.federation.trusted_domains);
  input.truth(policy.retention.gc_unpublished_allowed);
  input.u32(policy.retention.min_snapshot_retention);
  input.truth(policy.visibility.internal_hidden);
  input.truth(policy.visibility.published_read_only);
  input.u32(0);  // reserved0
  return input.take();
}

Digest policy_hash(const Policy& policy) {
  return sha256(policy_hash_input(policy));
}

std::string policy_file_name(const Policy& policy) {
  return "policy-" + to_hex(policy_hash(policy)) + ".json";
}

Result<Policy> read_policy_file(const std::string& path) {
  ASL_ASSIGN(const std::string text, read_text_file(path, spec_of(Kind::kPolicy).size_max));
  auto policy = decode_policy(text);
  if (!policy) return fail(std::move(policy.error()).with_path(path));
  return policy;
}

Value to_value(const PolicyRatification& ratification) {
  return Value::Object{{"kind", "policy-ratification"},
                       {"v", 1},
                       {"policy_hash", to_hex(ratification.policy_hash)},
                       {"domain_id", to_hex(ratification.domain_id)}};
}

Result<PolicyRatification> ratification_of(const Value& value) {
  ObjectReader reader(value, "policy-ratification");
  PolicyRatification ratification;
  reader.names_itself("policy-ratification");
  ratification.policy_hash = reader.digest("policy_hash");
  reader.hex("domain_id", ratification.domain_id);
  ASL_TRY(reader.finish());
  return ratification;
}

}  // namespace asl::auth
