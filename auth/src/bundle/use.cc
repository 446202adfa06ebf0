#include <fmt/format.h>

#include <asl/auth/bundle.h>
#include <asl/auth/files.h>
#include <asl/auth/genesis.h>
#include <asl/auth/rules.h>
#include <asl/engine/hash.h>
#include <asl/engine/io.h>

namespace asl::auth {

Result<std::vector<std::string>> write_bundle_parts(const Bundle& bundle, const std::string& directory) {
  const auto io = io::make_plain_io();
  if (!io::exists(*io, directory)) ASL_TRY(io->make_directory(directory));
  std::vector<std::pair<std::string, std::string>> files = {
      {"root.pub",
       encode_public_key_file({.key = bundle.chain.latest().root_key, .comment = "root key, from a bundle"})},
      {"dam.chain", bundle.chain.encode()},
      {policy_file_name(bundle.policy), encode_policy(bundle.policy)}};
  if (!bundle.admission_request.empty())
    files.emplace_back("admission-request.sig", bundle.admission_request);
  for (std::size_t i = 0; i < bundle.artifacts.size(); ++i)
    files.emplace_back(fmt::format("artifact-{}.sig", i + 1), bundle.artifacts[i]);
  std::vector<std::string> paths;
  for (const auto& [name, text] : files) {
    paths.push_back(directory + "/" + name);
    ASL_TRY(write_new_file(paths.back(), text, FileMode::kPublic));
  }
  return paths;
}

Result<void> use_up_bundle(AuthoritySession& session, const Bundle& bundle) {
  const auto state = session.domain().state();
  for (const auto& used : state->bundles())
    if (used.record.bundle_id == bundle.bundle_id)
      return broken_rule("bundle-once", "this bundle was used already", uuid_text(bundle.bundle_id));
  session.add_record(
      new_record(BundleRecord{.bundle_id = bundle.bundle_id, .object_hash = bundle.contents_hash}));
  return {};
}

Result<std::string> reinstall_root(AuthoritySession& session, const Bundle& bundle,
                                   const SecretBytes& pass_phrase, const KdfCost& cost) {
  if (bundle.root_seed.empty())
    return broken_rule("bundle-custody", "only a bundle for recovery holds a root key");
  if (session.authority().genesis().domain_id != bundle.domain_id())
    return broken_rule("bundle-domain", "the bundle is of another domain than the one of this host",
                       to_hex(ByteSpan(bundle.domain_id())));
  const SigningKey key(KeyClass::kDomainRoot, bundle.root_seed);
  // The bundle may have been opened where less was known.
  if (!session.authority().has_manifest() ||
      session.authority().chain().latest().root_key != key.public_key())
    return broken_rule("bundle-domain", "the bundle's root key is not that of the domain's newest manifest",
                       to_hex(key_id_of(key.public_key())));
  ASL_TRY(use_up_bundle(session, bundle));
  const std::string path = root_key_path(session.domain().directory());
  ASL_TRY(write_key_file(path, key, pass_phrase, cost));
  auto committed = session.commit();
  if (committed) return path;
  // What the log does not know of must not be there.
  if (auto removed = remove_file(path); !removed)
    committed.error().hint = "remove " + path + ": the log does not know of it";
  return fail(std::move(committed.error()));
}

Result<void> write_bundle_file(const std::string& path, std::string_view text) {
  ASL_TRY(write_new_file(path, text, FileMode::kPrivate));
  const std::string name = path.substr(path.rfind('/') + 1);
  return write_new_file(path + ".sha256", fmt::format("{}  {}\n", to_hex(sha256(as_bytes(text))), name),
                        FileMode::kPublic);
}

}  // namespace asl::auth
