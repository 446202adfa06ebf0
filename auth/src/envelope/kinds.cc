#include <algorithm>
#include <utility>

#include <asl/auth/canonical_json.h>
#include <asl/auth/kinds.h>
#include <asl/engine/reference.h>

namespace asl::auth {
namespace {

constexpr auto kRoot = KeyClass::kOfflineRoot;
constexpr auto kDomain = KeyClass::kDomainRoot;
constexpr auto kWork = KeyClass::kOperational;
constexpr std::nullopt_t kNobody = std::nullopt;
constexpr std::size_t kSmall = kCanonicalSizeMax;
constexpr std::size_t kLists = kCanonicalSizeMaxLists;

// kind, name, tag, signer, domain root for admission, names itself, size, signed by, held in
constexpr KindSpec kKinds[] = {
    {Kind::kDam, "dam", 0x00A50010, kDomain, false, true, kSmall,
     "the domain root; where the root key changes, the old and the new", "dam/"},
    {Kind::kPolicy, "policy", 0x00A50011, kNobody, false, true, kSmall, "nobody; bound by its hash",
     "policies/"},
    {Kind::kCertificate, "certificate", 0x00A50012, kRoot, false, true, kSmall,
     "offline roots, to the threshold of their root set", "certs/"},
    {Kind::kRootSet, "root-set", 0x00A50013, kRoot, false, true, kSmall,
     "its own roots to its threshold, and those of the root set before it to theirs", "certs/"},
    {Kind::kAdmissionRequest, "admission-request", 0x00A50014, kDomain, false, true, kSmall,
     "the applicant's domain root: the proof of possession", "admission/"},
    {Kind::kAdmissionDecision, "admission-decision", 0x00A50015, kWork, false, true, kSmall,
     "a principal with the role federate", "admission/"},
    {Kind::kEnvClaim, "env-claim", 0x00A50016, kWork, false, true, kSmall,
     "a principal with the role execute", "env-claims/"},
    {Kind::kRequest, "request", 0x00A50017, kWork, true, false, kLists,
     "the requester; of type admission, the applicant's domain root", "REQUEST/"},
    {Kind::kResponse, "response", 0x00A50018, kWork, false, true, kLists, "a principal with the role execute",
     "RESPONSE/"},
    {Kind::kSignature, "signature", 0x00A50019, kNobody, false, true, kSmall, "nobody; it is one",
     "the store"},
    {Kind::kCertificateRequest, "certificate-request", 0x00A5001B, kDomain, false, true, kSmall,
     "the applicant's domain root: the proof of possession", "certs/"},
    {Kind::kPolicyRatification, "policy-ratification", 0x00A5001C, kRoot, false, true, kSmall,
     "offline roots, to the threshold of their root set", "certs/"},
    {Kind::kLease, "lease", 0x00A5001D, kWork, false, true, kSmall, "a principal with the role federate",
     "leases/"},
    {Kind::kDomainState, "domain-state", 0x00A5001E, kWork, false, true, kSmall,
     "a principal with the role federate", "leases/"},
    {Kind::kLogHead, "log-head", 0x00A5001F, kWork, false, true, kSmall, "a principal with the role execute",
     "env-claims/"},
    {Kind::kProgram, "program", 0x00A50020, kNobody, false, false, kSmall, "nobody; bound by its hash",
     "REQUEST/"},
    {Kind::kReceipt, "receipt", 0x00A50021, kWork, false, true, kLists,
     "a principal with the role execute; others may co-sign", "RESPONSE/, the store"},
    {Kind::kStatement, "statement", 0x00A50022, kWork, false, true, kSmall,
     "a principal with the role execute", "the store"},
    {Kind::kSnapshotPublish, "snapshot-publish", 0x00A50023, kWork, false, true, kSmall,
     "a principal with the role publish", "snapshots/"},
    {Kind::kBundle, "bundle", 0x00A50024, kDomain, false, false, kSmall, "the domain root", "sops-bundles/"},
    {Kind::kTrustPin, "trust-pin", 0x00A50025, kNobody, false, true, kSmall, "nobody; made by typed words",
     "host/trusted-roots/"},
    {Kind::kSessionRecord, "session-record", 0x00A50026, kWork, false, true, kSmall,
     "a principal with the role execute, if a key was unlocked in the session", "host/sessions/"},
    {Kind::kRefusal, "refusal", 0x00A5002A, kWork, false, true, kSmall, "a principal with the role execute",
     "RESPONSE/"},
    {Kind::kEdge, "edge", 0x00A50030, kNobody, false, true, kSmall, "nobody", "the store"},
};

constexpr std::string_view kTypeBegins = "application/vnd.asl.";
constexpr std::string_view kTypeEnds = ".v1+json";

struct ClassName {
  KeyClass key_class;
  std::string_view name;
};
constexpr ClassName kClasses[] = {{kRoot, "offline-root"}, {kDomain, "domain-root"}, {kWork, "operational"}};

}  // namespace

std::span<const KindSpec> kind_table() {
  return kKinds;
}

const KindSpec& spec_of(Kind kind) {
  return *std::ranges::find(kKinds, kind, &KindSpec::kind);
}

const KindSpec* find_kind(std::string_view name) {
  const auto at = std::ranges::find(kKinds, name, &KindSpec::name);
  return at == std::end(kKinds) ? nullptr : at;
}

const KindSpec* find_kind(std::uint32_t type_tag) {
  const auto at = std::ranges::find(kKinds, type_tag, &KindSpec::type_tag);
  return at == std::end(kKinds) ? nullptr : at;
}

std::string payload_type(Kind kind) {
  return std::string(kTypeBegins) + std::string(spec_of(kind).name) + std::string(kTypeEnds);
}

const KindSpec* kind_of_payload_type(std::string_view type) {
  if (!type.starts_with(kTypeBegins) || !type.ends_with(kTypeEnds)) return nullptr;
  type.remove_prefix(kTypeBegins.size());
  return find_kind(type.substr(0, type.size() - std::min(type.size(), kTypeEnds.size())));
}

std::string_view key_class_name(KeyClass key_class) {
  return std::ranges::find(kClasses, key_class, &ClassName::key_class)->name;
}

std::optional<KeyClass> key_class_of_name(std::string_view name) {
  const auto at = std::ranges::find(kClasses, name, &ClassName::name);
  if (at == std::end(kClasses)) return std::nullopt;
  return at->key_class;
}

bool may_sign(KeyClass key_class, const KindSpec& spec) {
  return spec.signer == key_class || (spec.domain_root_for_admission && key_class == kDomain);
}

Digest object_hash(Kind kind, std::string_view canonical) {
  return typed_reference(spec_of(kind).type_tag, as_bytes(canonical)).digest;
}

}  // namespace asl::auth
