// Every kind of authority object, as one table (doc/format-kinds.md): its type tag, who may sign it, where it
// is kept. Nothing else in the code lists kinds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl::auth {

enum class Kind : std::uint8_t {
  kDam,
  kPolicy,
  kCertificate,
  kRootSet,
  kAdmissionRequest,
  kAdmissionDecision,
  kEnvClaim,
  kRequest,
  kResponse,
  kSignature,
  kCertificateRequest,
  kPolicyRatification,
  kLease,
  kDomainState,
  kLogHead,
  kProgram,
  kReceipt,
  kStatement,
  kSnapshotPublish,
  kBundle,
  kTrustPin,
  kSessionRecord,
  kRefusal,
  kEdge,
};

// What a key is for. A key signs the kinds of its own class and refuses every other.
enum class KeyClass : std::uint8_t {
  kOfflineRoot,  // certifies domains; kept away from every host
  kDomainRoot,   // is a domain: signs its DAMs
  kOperational,  // a principal of a DAM, or a requester
};

struct KindSpec {
  Kind kind;
  std::string_view name;           // as in payload types and the field "kind"
  std::uint32_t type_tag;          // of the typed artifact that it is
  std::optional<KeyClass> signer;  // the class of keys that sign it; none: it is never signed itself
  bool domain_root_for_admission;  // also by a domain root where its request_type is "admission"
  bool names_itself;               // has the fields "kind" and "v"; the others are views of a YAML file
  std::size_t size_max;            // bytes of its encoding, and of its envelope
  std::string_view signed_by;      // in words
  std::string_view held_in;
};

std::span<const KindSpec> kind_table();
const KindSpec& spec_of(Kind kind);
const KindSpec* find_kind(std::string_view name);   // null if unknown
const KindSpec* find_kind(std::uint32_t type_tag);  // null if unknown

// "application/vnd.asl.<name>.v1+json", and back.
std::string payload_type(Kind kind);
const KindSpec* kind_of_payload_type(std::string_view type);  // null if unknown

// "offline-root", "domain-root", "operational".
std::string_view key_class_name(KeyClass key_class);
std::optional<KeyClass> key_class_of_name(std::string_view name);
// Whether a key of this class may ever sign this kind; a request needs a look at its content as well.
bool may_sign(KeyClass key_class, const KindSpec& spec);

// The object hash: SHA-256(0x01 | type tag u32 BE | length u64 BE | bytes), the digest of the object's asl1
// reference.
Digest object_hash(Kind kind, std::string_view canonical);

}  // namespace asl::auth
