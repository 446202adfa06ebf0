// What a domain lets its principals do, and the ratification of a policy by offline roots
// (doc/format-policy.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/envelope.h>
#include <asl/auth/roles.h>
#include <asl/auth/value.h>
#include <asl/engine/domain_id.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kTrustedDomainsMax = 4096;

struct Policy {
  std::uint32_t version = 1;
  struct {
    bool require_signature = true;
    RoleSet allowed_roles = {Role::kPublish};
    bool snapshot_required = true;
  } publication;
  struct {
    bool per_signature_required = true;
    RoleSet allowed_roles = {Role::kExecute};
    bool deterministic_only = true;
  } execution;
  struct {
    bool export_published_only = true;
    bool require_snapshot = true;
    std::vector<DomainId> trusted_domains;  // sorted, unique
  } federation;
  struct {
    bool gc_unpublished_allowed = false;
    std::uint32_t min_snapshot_retention = 7;  // newest snapshots that gc keeps
  } retention;
  struct {
    bool internal_hidden = true;
    bool published_read_only = true;
  } visibility;
};

Value to_value(const Policy& policy);
Result<Policy> policy_of(const Value& value);
// From its canonical JSON.
Result<Policy> decode_policy(std::string_view text);
std::string encode_policy(const Policy& policy);

// The binary encoding whose SHA-256 is the policy hash: fixed order, big-endian (doc/format-policy.md).
Bytes policy_hash_input(const Policy& policy);
Digest policy_hash(const Policy& policy);
// "policy-<policy hash>.json".
std::string policy_file_name(const Policy& policy);

// The policy in that file; its name does not matter.
Result<Policy> read_policy_file(const std::string& path);

struct PolicyRatification {
  Digest policy_hash{};
  DomainId domain_id{};
};
Value to_value(const PolicyRatification& ratification);
Result<PolicyRatification> ratification_of(const Value& value);

}  // namespace asl::auth
