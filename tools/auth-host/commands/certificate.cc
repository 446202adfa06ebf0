#include <fmt/format.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/certificate.h>
#include <asl/auth/files.h>

#include "commands/key_access.h"
#include "commands/object_text.h"

namespace asl::cli {
namespace {

Result<auth::DamChain> required_chain(const ParsedOptions& options) {
  ASL_ASSIGN(const std::string path, required_option(options, "chain"));
  return read_dam_chain(path);
}

Result<auth::RootSetChain> required_root_set(const ParsedOptions& options) {
  ASL_ASSIGN(auth::RootSetChain roots, read_root_sets(options));
  if (roots.empty()) return fail(ErrorCode::kUsage, "--root-set must be given");
  return roots;
}

Result<auth::CertificateSubject> subject_asked_for(const ParsedOptions& options, const auth::Dam& dam) {
  const auto version = static_cast<std::uint32_t>(options.number("version-number").value());
  const auto principal = options.text("principal");
  if (!principal) return auth::domain_root_subject(dam, version);
  const auto id = digest_from_hex(*principal);
  if (!id)
    return fail(
        Error{.code = ErrorCode::kUsage, .message = "a key id is 64 hex digits", .object = *principal});
  return auth::principal_subject(dam, *id, version);
}

}  // namespace

Result<int> run_cert_request(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const std::string to, required_option(options, "to"));
  ASL_ASSIGN(const auth::DamChain chain, required_chain(options));
  ASL_ASSIGN(const auth::CertificateSubject subject, subject_asked_for(options, chain.latest()));
  ASL_ASSIGN(auto keys, open_signing_keys(context, options));
  const std::string payload = auth::encode_canonical(auth::certificate_request_value(subject));
  ASL_ASSIGN(const auth::Envelope envelope,
             auth::seal_object(auth::Kind::kCertificateRequest, payload, keys));
  // A request that nobody would grant is not written.
  ASL_TRY(auth::verify_certificate_request(envelope, chain));
  ASL_TRY(auth::write_new_file(to, auth::encode_envelope(envelope), auth::FileMode::kPublic));
  ASL_TRY(report_envelope(context, "cert request", to, envelope, nullptr));
  return kExitOk;
}

Result<int> run_cert_issue(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const std::string to, required_option(options, "to"));
  ASL_ASSIGN(const auth::DamChain chain, required_chain(options));
  ASL_ASSIGN(const auth::RootSetChain roots, required_root_set(options));
  ASL_ASSIGN(const auth::Envelope request, auth::read_envelope_file(options.argument("REQUEST")));
  ASL_ASSIGN(const auth::CertificateSubject subject, auth::verify_certificate_request(request, chain));
  ASL_TRY(confirm_object(context, options, request));
  ASL_ASSIGN(auto keys, open_signing_keys(context, options));
  const std::string payload = auth::encode_canonical(
      auth::to_value(auth::Certificate{.subject = subject, .issued_by = roots.latest_hash()}));
  ASL_ASSIGN(const auth::Envelope envelope, auth::seal_object(auth::Kind::kCertificate, payload, keys));
  ASL_TRY(auth::write_new_file(to, auth::encode_envelope(envelope), auth::FileMode::kPublic));
  ASL_TRY(report_envelope(context, "cert issue", to, envelope, &roots));
  return kExitOk;
}

Result<int> run_cert_verify(Context& context, const ParsedOptions& options) {
  const std::string& path = options.argument("FILE");
  ASL_ASSIGN(const auth::RootSetChain roots, required_root_set(options));
  ASL_ASSIGN(const auth::Envelope envelope, auth::read_envelope_file(path));
  ASL_ASSIGN(const auth::Certificate certificate, auth::verify_certificate(envelope, roots));
  if (options.has("chain")) {
    ASL_ASSIGN(const auth::DamChain chain, required_chain(options));
    ASL_TRY(auth::check_subject(certificate.subject, chain.latest()));
  }
  ASL_TRY(report_envelope(context, "cert verify", path, envelope, &roots));
  return kExitOk;
}

}  // namespace asl::cli
