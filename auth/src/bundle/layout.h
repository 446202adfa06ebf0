// The layout of a bundle as both directions know it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <asl/auth/bundle.h>
#include <asl/auth/strict_yaml.h>

#include "sops/secret_tree.h"

namespace asl::auth {

inline constexpr std::string_view kBundleVersion = "0.1";
inline constexpr std::string_view kBundleRegex = "^contents$";

bool is_bundle_secret(std::span<const std::string> path);
YamlSchema bundle_schema();

// What is in contents.signature but for the signature itself: the envelope up to the key id, from the key id
// to the signature, the end. So the envelope need not be decoded to be compared.
inline constexpr std::string_view kSealBegins = R"({"payload":")";
inline constexpr std::string_view kSealType =
    R"(","payloadType":"application/vnd.asl.bundle.v1+json","signatures":[{"keyid":")";
inline constexpr std::string_view kSealSignature = R"(","sig":")";
inline constexpr std::string_view kSealEnds = R"("}]})";

// "DSSEv1 ..." over the contents, in protected memory.
SecretBytes bundle_pre_authentication(const SecretBytes& canonical);
Result<void> verify_bundle_contents(const SecretBytes& canonical, const EnvelopeSignature& signature,
                                    const PublicKey& key);
// The request of a bundle for admission, which is signed by the domain's root key and says of domain,
// audience, manifests and policy what the bundle says; else rule bundle-admission.
Result<AdmissionRequest> bundle_request(const Bundle& bundle);
std::vector<std::string> recipient_texts(std::span<const AgeRecipient> recipients);

}  // namespace asl::auth
