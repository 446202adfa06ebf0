#include "domain/authority_copies.h"

#include <fmt/format.h>
#include <optional>

#include <asl/auth/authority_session.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/files.h>

namespace asl::auth {
namespace {

std::optional<std::uint32_t> dam_version(const BoundObject& object) {
  const auto value = decode_canonical(object.payload);
  const auto dam = value ? dam_of(*value) : Result<Dam>(fail(value.error()));
  return dam ? std::optional(dam->version) : std::nullopt;
}

std::string policy_name(const BoundObject& object) {
  const auto policy = decode_policy(object.payload);
  return policy ? policy_file_name(*policy) : to_hex(object.hash) + ".json";
}

// Below the domain's directory, or, for claims, below the host's; empty for what has no copy.
std::string copy_path(const std::string& domain, const std::string& host, const BoundObject& object) {
  const std::string hash = to_hex(object.hash);
  switch (object.kind) {
    case Kind::kDam:
      return fmt::format("{}/dam/dam-{}.json.sig", domain, dam_version(object).value_or(0));
    case Kind::kPolicy:
      return domain + "/policies/" + policy_name(object);
    case Kind::kRootSet:
    case Kind::kCertificate:
    case Kind::kPolicyRatification:
      return fmt::format("{}/certs/{}.{}.sig", domain, hash, spec_of(object.kind).name);
    case Kind::kEnvClaim:
      return host.empty() ? "" : fmt::format("{}/env-claims/{}.claim", host, hash);
    case Kind::kTrustPin:
      return host.empty() ? "" : fmt::format("{}/host/trusted-roots/{}.pin", host, hash);
    case Kind::kAdmissionRequest:
    case Kind::kAdmissionDecision:
      return fmt::format("{}/admission/{}.{}.sig", domain, hash, spec_of(object.kind).name);
    case Kind::kLease:
    case Kind::kDomainState:
      return fmt::format("{}/leases/{}.{}.sig", domain, hash, spec_of(object.kind).name);
    case Kind::kSnapshotPublish:
      return fmt::format("{}/snapshots/{}.publish", domain, hash);
    default:
      return {};
  }
}

Result<void> write_copy(const std::string& path, const BoundObject& object) {
  auto written = object.signatures.empty() ? write_new_file(path, object.text(), FileMode::kPublic)
                                           : write_envelope_file(path, object.envelope());
  if (written) return written;
  const auto there = read_text_file(path, kCanonicalSizeMaxLists);
  if (there && *there == object.text()) return {};
  return written;
}

}  // namespace

void write_authority_copies(const Domain& domain, const std::string& host_directory,
                            std::span<const BoundObject> objects, Notices& notices) {
  for (const BoundObject& object : objects) {
    const std::string path = copy_path(domain.directory(), host_directory, object);
    if (path.empty()) continue;
    auto written = write_copy(path, object);
    if (written && object.kind == Kind::kDam) {
      // The manifest by itself, without its envelope, for whoever only wants to read it.
      const BoundObject bare{
          .kind = object.kind, .payload = object.payload, .hash = object.hash, .logseq = 0, .signatures = {}};
      written = write_copy(path.substr(0, path.size() - 4), bare);
    }
    if (!written) notices.push_back("a copy for people could not be written: " + written.error().to_string());
  }
}

std::int64_t last_date_of(const Domain& domain, std::span<const NewRecord> records) {
  std::int64_t date = domain.state()->last_date().value_or(0);
  for (const NewRecord& record : records)
    if (record.type == kLogDate)
      if (const auto decoded = DateRecord::decode(record.payload)) date = decoded->unix_seconds;
  return date;
}

std::vector<SmallFile> authority_tree(const Authority& authority) {
  std::vector<SmallFile> files;
  const Dam& dam = authority.dam();
  files.push_back({.path = "domain.id", .content = to_hex(dam.domain_id) + "\n"});
  files.push_back({.path = "domain.pubkey",
                   .content = encode_public_key_file({.key = dam.root_key, .comment = "domain root"})});
  for (const Principal& principal : dam.principals) {
    const std::string comment = fmt::format("{}", fmt::join(principal.roles.names(), ","));
    files.push_back({.path = "authorities/" + to_hex(key_id_of(principal.key)) + ".pub",
                     .content = encode_public_key_file({.key = principal.key, .comment = comment})});
  }
  files.push_back({.path = "attestations/dam.chain", .content = authority.chain().encode()});
  if (!authority.roots().empty())
    files.push_back({.path = "attestations/root-set.chain", .content = authority.roots().encode()});
  for (const BoundObject& object : authority.objects()) {
    if (object.kind == Kind::kPolicy)
      files.push_back({.path = "policies/" + policy_name(object), .content = object.payload});
    const bool attests = object.kind == Kind::kCertificate || object.kind == Kind::kPolicyRatification ||
                         (object.kind == Kind::kEnvClaim && object.hash == authority.latest_claim());
    if (attests)
      files.push_back(
          {.path = fmt::format("attestations/{}.{}", to_hex(object.hash), spec_of(object.kind).name),
           .content = object.text()});
  }
  return files;
}

}  // namespace asl::auth
