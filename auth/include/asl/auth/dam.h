// Domain Authority Manifests: which principals hold which roles in a domain, version by version
// (doc/format-dam.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/envelope.h>
#include <asl/auth/public_key.h>
#include <asl/auth/roles.h>
#include <asl/auth/value.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kPrincipalsMax = 1024;
inline constexpr std::size_t kDamVersionsMax = 4096;  // of one chain; far above a change a week for life
inline constexpr std::size_t kDamChainSizeMax = std::size_t{16} << 20;  // bytes

struct Principal {
  PublicKey key;
  RoleSet roles;
};

struct Dam {
  DomainId domain_id{};
  PublicKey genesis_key;
  std::uint32_t version = 1;
  std::optional<Digest> previous;  // object hash of the version before; none for version 1
  PublicKey root_key;
  std::vector<Principal> principals;  // sorted by key id, each once
  Digest policy_hash{};
  std::optional<RoleSet> scope;  // roles that this domain may grant; none: all

  const Principal* principal(const KeyId& id) const;  // null if not listed
};

Value to_value(const Dam& dam);
// With every rule that one manifest can be checked against by itself.
Result<Dam> dam_of(const Value& value);

// The first manifest of a domain.
Dam first_dam(const PublicKey& root_key, std::vector<Principal> principals, const Digest& policy_hash);
// What changes from one version to the next.
struct DamChange {
  std::vector<Principal> set;  // added, or given these roles instead
  std::vector<KeyId> remove;   // kNotFound if one is not listed
  std::optional<PublicKey> root_key;
  std::optional<Digest> policy_hash;
};
Result<Dam> next_dam(const Dam& current, const Digest& current_hash, const DamChange& change);

// Every version of a domain's manifest, checked from the first: the domain id is made from the genesis key,
// each version names the one before and is signed by its root key, and by its own where that changed.
class DamChain {
 public:
  // One envelope a line, version 1 first. Verified as a whole; a chain that ends before the newest version
  // cannot be told from a whole one.
  static Result<DamChain> decode(std::string_view text);
  static Result<DamChain> verify(std::vector<Envelope> envelopes);

  std::string encode() const;
  const Dam& latest() const { return dams_.back(); }
  const Digest& latest_hash() const { return latest_hash_; }
  std::span<const Dam> dams() const { return dams_; }
  std::span<const Envelope> envelopes() const { return envelopes_; }
  // Adds one more version; unchanged if it is refused.
  Result<void> append(Envelope envelope);
  // The keys that must sign the version that follows, if its root key is `root_key`: sorted, each once.
  std::vector<PublicKey> signers_of_next(const PublicKey& root_key) const;

 private:
  Result<void> check_link(const Dam& dam, const Envelope& envelope) const;

  std::vector<Envelope> envelopes_;
  std::vector<Dam> dams_;
  Digest latest_hash_{};
};

}  // namespace asl::auth
