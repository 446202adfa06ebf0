#include <algorithm>

#include <asl/auth/stored_signature.h>
#include <asl/auth/text_rules.h>

#include "objects/object_reader.h"

namespace asl::auth {

Value to_value(const StoredSignature& stored) {
  return Value::Object{{"kind", "signature"},
                       {"v", 1},
                       {"payload_type", payload_type(stored.kind)},
                       {"object_hash", to_hex(stored.object_hash)},
                       {"key_id", to_hex(stored.signature.key_id)},
                       {"sig", encode_base64(stored.signature.bytes)}};
}

Result<StoredSignature> stored_signature_of(const Value& value) {
  constexpr std::size_t kTypeMax = 128;
  constexpr std::size_t kBase64Max = 88;
  ObjectReader reader(value, "signature");
  StoredSignature stored;
  reader.names_itself("signature");
  const KindSpec* spec = kind_of_payload_type(reader.identifier("payload_type", kTypeMax));
  reader.require(spec != nullptr && spec->signer, "object-value", "names no kind that is ever signed");
  if (spec != nullptr) stored.kind = spec->kind;
  stored.object_hash = reader.digest("object_hash");
  stored.signature.key_id = reader.digest("key_id");
  const auto bytes = decode_base64(reader.identifier("sig", kBase64Max));
  const bool whole = bytes && bytes->size() == stored.signature.bytes.size();
  reader.require(whole, "object-value", "has a sig that is not base64 of 64 bytes");
  if (whole) std::ranges::copy(*bytes, stored.signature.bytes.begin());
  ASL_TRY(reader.finish());
  return stored;
}

}  // namespace asl::auth
