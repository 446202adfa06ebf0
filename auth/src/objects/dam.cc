#include <algorithm>
#include <limits>

#include <asl/auth/dam.h>
#include <asl/auth/rules.h>

#include "objects/object_reader.h"

namespace asl::auth {
namespace {

KeyId id_of(const Principal& principal) {
  return key_id_of(principal.key);
}

std::vector<Principal> read_principals(ObjectReader& reader, Result<void>& finished) {
  std::vector<Principal> principals;
  std::optional<KeyId> before;
  for (ObjectReader& item : reader.objects("principals", kPrincipalsMax)) {
    const Digest id = item.digest("principal_id");
    Principal principal{.key = item.public_key("public_key"), .roles = item.roles("roles")};
    item.require(key_id_of(principal.key) == id, "dam-principal", "has an id that is not its key's");
    item.require(!principal.roles.empty(), "dam-principal", "holds no role");
    item.require(!before || *before < id, "object-set",
                 "must follow the one before it, sorted by principal_id");
    before = id;
    principals.push_back(principal);
    if (finished) finished = item.finish();
  }
  return principals;
}

}  // namespace

const Principal* Dam::principal(const KeyId& id) const {
  const auto at = std::ranges::find(principals, id, id_of);
  return at == principals.end() ? nullptr : &*at;
}

Value to_value(const Dam& dam) {
  Value::Array principals;
  for (const Principal& principal : dam.principals)
    principals.push_back(Value::Object{{"principal_id", to_hex(id_of(principal))},
                                       {"public_key", to_text(principal.key)},
                                       {"roles", principal.roles.to_value()}});
  Value::Object fields{{"kind", "dam"},
                       {"v", 1},
                       {"domain_id", to_hex(dam.domain_id)},
                       {"genesis_key", to_text(dam.genesis_key)},
                       {"version", dam.version},
                       {"root_key", to_text(dam.root_key)},
                       {"principals", std::move(principals)},
                       {"policy_hash", to_hex(dam.policy_hash)}};
  if (dam.previous) fields.emplace("previous", to_hex(*dam.previous));
  if (dam.scope) fields.emplace("scope", dam.scope->to_value());
  return fields;
}

Result<Dam> dam_of(const Value& value) {
  ObjectReader reader(value, "dam");
  Dam dam;
  reader.names_itself("dam");
  reader.hex("domain_id", dam.domain_id);
  dam.genesis_key = reader.public_key("genesis_key");
  dam.version =
      static_cast<std::uint32_t>(reader.integer("version", 1, std::numeric_limits<std::uint32_t>::max()));
  dam.previous = reader.optional_digest("previous");
  dam.root_key = reader.public_key("root_key");
  Result<void> principals;
  dam.principals = read_principals(reader, principals);
  dam.policy_hash = reader.digest("policy_hash");
  if (reader.has("scope")) {
    dam.scope = reader.roles("scope");
    reader.require(!dam.scope->empty(), "object-value", "has a scope without roles");
  }
  ASL_TRY(principals);
  ASL_TRY(reader.finish());
  reader.require(domain_id_of(dam.genesis_key) == dam.domain_id, "dam-domain",
                 "has a domain id that its genesis key does not make");
  reader.require((dam.version == 1) == !dam.previous.has_value(), "dam-first",
                 dam.version == 1 ? "is version 1 and names a previous one" : "names no previous version");
  reader.require(dam.version != 1 || dam.root_key == dam.genesis_key, "dam-first",
                 "is version 1, and its root key is not the genesis key");
  reader.require(dam.principal(key_id_of(dam.root_key)) == nullptr, "dam-principal",
                 "lists its root key as a principal");
  ASL_TRY(reader.finish());
  return dam;
}

Dam first_dam(const PublicKey& root_key, std::vector<Principal> principals, const Digest& policy_hash) {
  std::ranges::sort(principals, {}, id_of);
  return {.domain_id = domain_id_of(root_key),
          .genesis_key = root_key,
          .version = 1,
          .previous = std::nullopt,
          .root_key = root_key,
          .principals = std::move(principals),
          .policy_hash = policy_hash,
          .scope = std::nullopt};
}

Result<Dam> next_dam(const Dam& current, const Digest& current_hash, const DamChange& change) {
  Dam next = current;
  next.version = current.version + 1;
  next.previous = current_hash;
  next.root_key = change.root_key.value_or(current.root_key);
  next.policy_hash = change.policy_hash.value_or(current.policy_hash);
  for (const KeyId& id : change.remove)
    if (std::erase_if(next.principals, [&](const Principal& listed) { return id_of(listed) == id; }) == 0)
      return fail(Error{.code = ErrorCode::kNotFound,
                        .message = "the manifest lists no such principal",
                        .object = to_hex(id)});
  for (const Principal& principal : change.set) {
    std::erase_if(next.principals, [&](const Principal& listed) { return listed.key == principal.key; });
    next.principals.push_back(principal);
  }
  std::ranges::sort(next.principals, {}, id_of);
  // Only what anybody would accept is ever offered to a signer.
  ASL_TRY(dam_of(to_value(next)));
  return next;
}

}  // namespace asl::auth
