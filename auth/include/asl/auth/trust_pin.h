// Trust pins: a foreign domain that this host's operator decided to trust, by words that were compared with
// its people (doc/format-admission.md). Local and one-way; never signed.
#pragma once

#include <vector>

#include <asl/auth/value.h>
#include <asl/engine/bytes.h>
#include <asl/engine/domain_id.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kPinFingerprintsMax = 16;

struct TrustPin {
  DomainId domain_id{};
  Digest policy_hash{};  // under which the domain is trusted
  // Sorted: the object hash of version 1 of the root set that certifies the domain, or the key id of the
  // domain's own root key where nobody certifies it.
  std::vector<Digest> root_fingerprints;
  bool operator==(const TrustPin&) const = default;
};
Value to_value(const TrustPin& pin);
Result<TrustPin> trust_pin_of(const Value& value);

}  // namespace asl::auth
