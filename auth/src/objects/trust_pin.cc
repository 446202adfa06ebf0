#include <asl/auth/trust_pin.h>

#include "objects/object_reader.h"

namespace asl::auth {

Value to_value(const TrustPin& pin) {
  Value::Array fingerprints;
  for (const Digest& digest : pin.root_fingerprints) fingerprints.emplace_back(to_hex(digest));
  return Value::Object{{"kind", "trust-pin"},
                       {"v", 1},
                       {"domain_id", to_hex(pin.domain_id)},
                       {"policy_hash", to_hex(pin.policy_hash)},
                       {"root_fingerprints", std::move(fingerprints)}};
}

Result<TrustPin> trust_pin_of(const Value& value) {
  ObjectReader reader(value, "trust-pin");
  TrustPin pin;
  reader.names_itself("trust-pin");
  reader.hex("domain_id", pin.domain_id);
  pin.policy_hash = reader.digest("policy_hash");
  pin.root_fingerprints = reader.digests("root_fingerprints", kPinFingerprintsMax);
  ASL_TRY(reader.finish());
  reader.require(!pin.root_fingerprints.empty(), "object-value", "pins nothing");
  ASL_TRY(reader.finish());
  return pin;
}

}  // namespace asl::auth
