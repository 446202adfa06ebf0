#include <algorithm>
#include <limits>

#include <asl/auth/canonical_json.h>
#include <asl/auth/certificate.h>
#include <asl/auth/rules.h>

#include "objects/object_reader.h"

namespace asl::auth {
namespace {

constexpr std::string_view kTypes[] = {"domain_root", "principal"};

std::string subject_id(const CertificateSubject& subject) {
  return subject.type == SubjectType::kDomainRoot ? to_hex(subject.domain_id)
                                                  : to_hex(key_id_of(subject.key));
}

Value::Object fields_of(const CertificateSubject& subject, std::string_view kind) {
  return {{"kind", kind},
          {"v", 1},
          {"subject_type", kTypes[static_cast<std::size_t>(subject.type)]},
          {"subject_id", subject_id(subject)},
          {"subject_public_key", to_text(subject.key)},
          {"domain_id", to_hex(subject.domain_id)},
          {"roles", subject.roles.to_value()},
          {"policy_hash", to_hex(subject.policy_hash)},
          {"version", subject.version}};
}

CertificateSubject read_subject(ObjectReader& reader, std::string_view kind) {
  CertificateSubject subject;
  reader.names_itself(kind);
  subject.type = static_cast<SubjectType>(reader.choice("subject_type", kTypes));
  constexpr std::size_t kIdMax = 64;
  const std::string id = reader.identifier("subject_id", kIdMax);
  subject.key = reader.public_key("subject_public_key");
  reader.hex("domain_id", subject.domain_id);
  subject.roles = reader.roles("roles");
  subject.policy_hash = reader.digest("policy_hash");
  subject.version =
      static_cast<std::uint32_t>(reader.integer("version", 1, std::numeric_limits<std::uint32_t>::max()));
  reader.require(id == subject_id(subject), "certificate-subject",
                 "has a subject_id that its subject does not have");
  reader.require((subject.type == SubjectType::kDomainRoot) == subject.roles.empty(), "certificate-subject",
                 "must name roles for a principal and none for a domain root");
  return subject;
}

}  // namespace

CertificateSubject domain_root_subject(const Dam& dam, std::uint32_t version) {
  return {.type = SubjectType::kDomainRoot,
          .key = dam.root_key,
          .domain_id = dam.domain_id,
          .roles = {},
          .policy_hash = dam.policy_hash,
          .version = version};
}

Result<CertificateSubject> principal_subject(const Dam& dam, const KeyId& id, std::uint32_t version) {
  const Principal* principal = dam.principal(id);
  if (principal == nullptr)
    return fail(Error{.code = ErrorCode::kNotFound,
                      .message = "the manifest lists no such principal",
                      .object = to_hex(id)});
  CertificateSubject subject = domain_root_subject(dam, version);
  subject.type = SubjectType::kPrincipal;
  subject.key = principal->key;
  subject.roles = principal->roles;
  return subject;
}

Value certificate_request_value(const CertificateSubject& request) {
  return fields_of(request, "certificate-request");
}

Result<CertificateSubject> certificate_request_of(const Value& value) {
  ObjectReader reader(value, "certificate-request");
  CertificateSubject subject = read_subject(reader, "certificate-request");
  ASL_TRY(reader.finish());
  return subject;
}

Value to_value(const Certificate& certificate) {
  Value::Object fields = fields_of(certificate.subject, "certificate");
  fields.emplace("issued_by", to_hex(certificate.issued_by));
  return fields;
}

Result<Certificate> certificate_of(const Value& value) {
  ObjectReader reader(value, "certificate");
  Certificate certificate{.subject = read_subject(reader, "certificate")};
  certificate.issued_by = reader.digest("issued_by");
  ASL_TRY(reader.finish());
  return certificate;
}

Result<void> check_subject(const CertificateSubject& subject, const Dam& dam) {
  Result<CertificateSubject> allowed = domain_root_subject(dam, subject.version);
  if (subject.type == SubjectType::kPrincipal)
    allowed = principal_subject(dam, key_id_of(subject.key), subject.version);
  if (!allowed) return fail(std::move(allowed).error());
  if (*allowed == subject) return {};
  return broken_rule("certificate-match", "it says something else than the domain's manifest");
}

Result<CertificateSubject> verify_certificate_request(const Envelope& request, const DamChain& chain) {
  ASL_ASSIGN(const Value value, decode_canonical(request.payload));
  ASL_ASSIGN(const CertificateSubject subject, certificate_request_of(value));
  const Dam& dam = chain.latest();
  const PublicKey root[] = {dam.root_key};
  ASL_ASSIGN(const auto signers, verify_envelope(request, root));
  if (signers.empty())
    return broken_rule("certificate-possession", "it is not signed by the root key of the domain's manifest");
  ASL_TRY(check_subject(subject, dam));
  return subject;
}

Result<Certificate> verify_certificate(const Envelope& certificate, const RootSetChain& roots) {
  ASL_ASSIGN(const Value value, decode_canonical(certificate.payload));
  ASL_ASSIGN(const Certificate decoded, certificate_of(value));
  const RootSet* set = roots.find(decoded.issued_by);
  if (set == nullptr)
    return broken_rule("certificate-issuer", "it names a root set that is not in the chain",
                       to_hex(decoded.issued_by));
  ASL_TRY(require_threshold(certificate, *set));
  return decoded;
}

}  // namespace asl::auth
