// Certificates: offline roots vouch for a domain's root key or for a principal, under one policy
// (doc/format-certificate.md).
#pragma once

#include <cstdint>
#include <string>

#include <asl/auth/dam.h>
#include <asl/auth/envelope.h>
#include <asl/auth/public_key.h>
#include <asl/auth/roles.h>
#include <asl/auth/root_set.h>
#include <asl/auth/value.h>
#include <asl/engine/error.h>

namespace asl::auth {

enum class SubjectType : std::uint8_t { kDomainRoot, kPrincipal };

// What a certificate request asks for, and a certificate grants.
struct CertificateSubject {
  SubjectType type = SubjectType::kDomainRoot;
  PublicKey key;
  DomainId domain_id{};
  RoleSet roles;  // empty for a domain root
  Digest policy_hash{};
  std::uint32_t version = 1;  // counts the certificates for this subject

  bool operator==(const CertificateSubject&) const = default;
};

struct Certificate {
  CertificateSubject subject;
  Digest issued_by{};  // object hash of the root set
};

// The subjects that a manifest allows: its root key, or one of its principals with its roles. kNotFound if
// the manifest does not list the principal.
CertificateSubject domain_root_subject(const Dam& dam, std::uint32_t version);
Result<CertificateSubject> principal_subject(const Dam& dam, const KeyId& id, std::uint32_t version);

Value certificate_request_value(const CertificateSubject& request);
Result<CertificateSubject> certificate_request_of(const Value& value);
Value to_value(const Certificate& certificate);
Result<Certificate> certificate_of(const Value& value);

// Whether the manifest says what the subject says (rule certificate-match).
Result<void> check_subject(const CertificateSubject& subject, const Dam& dam);
// Proof of possession: the request is signed by the root key of the domain's manifest, and asks for what that
// manifest says.
Result<CertificateSubject> verify_certificate_request(const Envelope& request, const DamChain& chain);
// The certificate names a root set of the chain and reaches that set's threshold.
Result<Certificate> verify_certificate(const Envelope& certificate, const RootSetChain& roots);

}  // namespace asl::auth
