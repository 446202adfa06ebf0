// The other domains that a domain has decided about, as its log binds it: requests, decisions, leases, states
// (doc/format-admission.md). A part of Authority; a value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include <asl/auth/admission.h>
#include <asl/engine/bytes.h>
#include <asl/engine/domain_id.h>
#include <asl/engine/error.h>

namespace asl::auth {

struct Peer {
  DomainStanding standing = DomainStanding::kUnrecognized;
  DomainStanding before_suspension = DomainStanding::kUnrecognized;
  std::uint64_t epoch = 0;  // of its last change of state
  Digest decision_hash{};   // the last decision about it that admits
  RoleSet admitted_scope;
  std::optional<Lease> lease;
  std::uint32_t dam_version = 0;  // the newest that was ever accepted
  Digest dam_hash{};
};

class Peers {
 public:
  // Null for a domain that nothing was decided about.
  const Peer* find(const DomainId& id) const;
  const std::map<DomainId, Peer>& all() const { return peers_; }
  bool knows_request(const Uuid& request_id) const { return request_ids_.contains(request_id); }
  std::uint64_t decisions() const { return decisions_; }

  // Each fails by the rule that it breaks, and changes nothing then. The signature is the caller's matter.
  Result<void> take(const AdmissionRequest& request, const Digest& hash);
  Result<void> take(const AdmissionDecision& decision, const Digest& hash);
  Result<void> take(const Lease& lease);
  Result<void> take(const DomainStateChange& change);

 private:
  Result<const AdmissionDecision*> find_decision(const Digest& hash, const DomainId& id) const;

  std::map<DomainId, Peer> peers_;
  std::set<Uuid> request_ids_;
  std::map<Digest, AdmissionRequest> requests_;
  std::map<Digest, AdmissionDecision> decided_;
  std::uint64_t decisions_ = 0;
};

}  // namespace asl::auth
