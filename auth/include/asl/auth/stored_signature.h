// A signature as an artifact of its own: how a store keeps what an envelope holds
// (doc/format-authority-log.md).
#pragma once

#include <asl/auth/envelope.h>
#include <asl/auth/value.h>
#include <asl/engine/error.h>

namespace asl::auth {

struct StoredSignature {
  Kind kind = Kind::kDam;  // of what is signed
  Digest object_hash{};
  EnvelopeSignature signature;
  bool operator==(const StoredSignature&) const = default;
};
Value to_value(const StoredSignature& signature);
Result<StoredSignature> stored_signature_of(const Value& value);

}  // namespace asl::auth
