#include <fmt/format.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/dam.h>
#include <asl/auth/peers.h>
#include <asl/auth/rules.h>

namespace asl::auth {
namespace {

bool admits(Decision decision) {
  return decision == Decision::kAccepted || decision == Decision::kAcceptedLimited;
}

// The newest version in a chain that was verified when it was decided about.
std::uint32_t newest_version(const AdmissionRequest& request) {
  return static_cast<std::uint32_t>(request.dam_chain.size());
}

}  // namespace

const Peer* Peers::find(const DomainId& id) const {
  const auto at = peers_.find(id);
  return at == peers_.end() ? nullptr : &at->second;
}

Result<void> Peers::take(const AdmissionRequest& request, const Digest& hash) {
  if (!request_ids_.insert(request.request_id).second)
    return broken_rule("admission-replay", "a request of this id was decided before",
                       to_hex(request.request_id));
  requests_.emplace(hash, request);
  return {};
}

Result<void> Peers::take(const AdmissionDecision& decision, const Digest& hash) {
  const auto request = requests_.find(decision.request_hash);
  if (request == requests_.end() || request->second.domain_id != decision.domain_id)
    return broken_rule("admission-link", "it decides about a request that is not bound",
                       to_hex(decision.request_hash));
  if (decision.decision_epoch != decisions_ + 1)
    return broken_rule("admission-link",
                       fmt::format("it is decision {}, after {}", decision.decision_epoch, decisions_),
                       to_hex(hash));
  decisions_ = decision.decision_epoch;
  decided_.emplace(hash, decision);
  if (!admits(decision.decision)) return {};
  Peer& peer = peers_[decision.domain_id];
  peer.decision_hash = hash;
  peer.admitted_scope = decision.admitted_scope;
  peer.dam_version = std::max(peer.dam_version, newest_version(request->second));
  peer.dam_hash = decision.dam_hash;
  return {};
}

Result<const AdmissionDecision*> Peers::find_decision(const Digest& hash, const DomainId& id) const {
  const auto decision = decided_.find(hash);
  if (decision == decided_.end() || decision->second.domain_id != id || !admits(decision->second.decision))
    return broken_rule("admission-link", "it names no decision that admits this domain", to_hex(hash));
  return &decision->second;
}

Result<void> Peers::take(const Lease& lease) {
  ASL_TRY(find_decision(lease.decision_hash, lease.domain_id));
  peers_[lease.domain_id].lease = lease;
  return {};
}

Result<void> Peers::take(const DomainStateChange& change) {
  ASL_ASSIGN(const AdmissionDecision* decision, find_decision(change.decision_hash, change.domain_id));
  const Peer now = peers_[change.domain_id];
  const bool follows = change.epoch == now.epoch + 1 && change.from == now.standing &&
                       may_follow(change.from, change.to, now.before_suspension);
  if (!follows)
    return broken_rule("admission-state",
                       fmt::format("the domain is {}, change {}: it cannot become {} by change {}",
                                   domain_standing_name(now.standing), now.epoch,
                                   domain_standing_name(change.to), change.epoch),
                       to_hex(change.domain_id));
  if (change.to == DomainStanding::kFull && decision->decision != Decision::kAccepted)
    return broken_rule("admission-state", "only a decision ACCEPTED makes a domain FULL",
                       to_hex(change.decision_hash));
  Peer& peer = peers_[change.domain_id];
  if (change.to == DomainStanding::kSuspended) peer.before_suspension = peer.standing;
  peer.standing = change.to;
  peer.epoch = change.epoch;
  return {};
}

}  // namespace asl::auth
