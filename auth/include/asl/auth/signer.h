// Things that can sign: a key in this process (signing_key.h), later a hardware token. There is no way to
// have one sign plain bytes: it is asked through sign_object (envelope.h), which looks at what it signs, and
// for bundles through bundle.h.
#pragma once

#include <array>
#include <string_view>

#include <asl/auth/kinds.h>
#include <asl/auth/public_key.h>
#include <asl/auth/secret.h>
#include <asl/engine/error.h>

namespace asl::auth {

struct EnvelopeSignature {
  KeyId key_id{};
  std::array<std::byte, 64> bytes{};  // Ed25519
  bool operator==(const EnvelopeSignature&) const = default;
};

class Signer {
 public:
  virtual ~Signer() = default;
  virtual KeyClass key_class() const = 0;
  virtual const PublicKey& public_key() const = 0;

 private:
  friend Result<EnvelopeSignature> sign_object(Kind kind, std::string_view payload, Signer& signer);
  friend Result<EnvelopeSignature> sign_bundle_contents(const SecretBytes& canonical, Signer& signer);
  // Ed25519 over a pre-authentication encoding.
  virtual Result<std::array<std::byte, 64>> sign_encoded(ByteSpan pre_authentication) = 0;
};

}  // namespace asl::auth
