// Who may do what.
#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/authority.h>
#include <asl/auth/rules.h>

namespace asl::auth {
namespace {

constexpr ActionSpec kActions[] = {
    {Action::kPublishSnapshot, "publish a snapshot", Role::kPublish, Kind::kSnapshotPublish},
    {Action::kEmitReceipt, "emit a receipt", Role::kExecute, Kind::kReceipt},
    {Action::kAttest, "attest", Role::kExecute, Kind::kStatement},
    {Action::kSignClaim, "sign claims and log heads", Role::kExecute, Kind::kEnvClaim},
    {Action::kAdmitDomain, "admit a domain", Role::kFederate, Kind::kAdmissionDecision},
};

const ActionSpec& spec_of(Action action) {
  return *std::ranges::find(kActions, action, &ActionSpec::action);
}

// The list of the policy that speaks of this action; null where none does.
const RoleSet* allowed_by(const Policy& policy, Action action) {
  if (action == Action::kPublishSnapshot) return &policy.publication.allowed_roles;
  if (action == Action::kEmitReceipt || action == Action::kAttest) return &policy.execution.allowed_roles;
  return nullptr;
}

}  // namespace

std::span<const ActionSpec> action_table() {
  return kActions;
}

Result<void> Authority::require_certified() const {
  if (roots_.empty() || certificate() != nullptr) return {};
  auto refused = broken_rule("authority-certificate",
                             "no certificate of the root set covers the domain's root key and its policy",
                             to_hex(key_id_of(dam().root_key)));
  refused.error().hint = "asl-auth-host cert request, cert issue, and then asl-auth-host bind";
  return refused;
}

Result<void> Authority::require(Action action, const PublicKey& key) const {
  const ActionSpec& spec = spec_of(action);
  const std::string name = to_hex(key_id_of(key));
  if (!chain_)
    return broken_rule("authority-unbound",
                       fmt::format("nobody may {}: the domain's log binds no manifest", spec.name),
                       to_hex(genesis_.domain_id));
  if (fork_) return fail(*fork_);
  const Principal* principal = dam().principal(key_id_of(key));
  if (principal == nullptr)
    return broken_rule("authority-principal",
                       fmt::format("this key may not {}: the manifest does not list it", spec.name), name);
  if (!principal->roles.contains(spec.role))
    return broken_rule(
        "authority-role",
        fmt::format("this key may not {}: it does not hold the role {}", spec.name, role_name(spec.role)),
        name);
  if (dam().scope && !dam().scope->contains(spec.role))
    return broken_rule("authority-scope",
                       fmt::format("this key may not {}: the manifest's scope does not grant the role {}",
                                   spec.name, role_name(spec.role)),
                       name);
  const RoleSet* allowed = allowed_by(policy(), action);
  if (allowed != nullptr && !allowed->contains(spec.role))
    return broken_rule("authority-policy",
                       fmt::format("this key may not {}: the policy does not allow it to the role {}",
                                   spec.name, role_name(spec.role)),
                       name);
  return require_certified();
}

Result<PublicKey> Authority::require_signed(Action action, const Envelope& envelope) const {
  if (!chain_) return fail(require(action, {}).error());
  std::vector<PublicKey> known;
  for (const Principal& principal : dam().principals) known.push_back(principal.key);
  ASL_ASSIGN(const std::vector<PublicKey> signers, verify_envelope(envelope, known));
  std::optional<Error> refused;
  for (const PublicKey& key : signers) {
    auto allowed = require(action, key);
    if (allowed) return key;
    if (!refused) refused = std::move(allowed).error();
  }
  if (refused) return fail(*refused);
  return broken_rule("authority-principal", fmt::format("this {} is signed by no key that the manifest lists",
                                                        asl::auth::spec_of(envelope.kind).name));
}

}  // namespace asl::auth
