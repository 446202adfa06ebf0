// Keys first, then the domain that they are.
#include <fmt/format.h>

#include <asl/auth/files.h>
#include <asl/auth/genesis.h>
#include <asl/engine/host_root.h>
#include <asl/engine/io.h>

namespace asl::auth {
namespace {

constexpr std::string_view kEndings[] = {".priv.enc", ".pub"};
constexpr std::string_view kNames[] = {"root", "dam-signer"};

std::string ceremony_directory(const HostRoot& root, const DomainId& id) {
  return root.directory() + "/host/ceremony-" + to_hex(id);
}

Result<void> stage(const std::string& directory, const NewKey& key, const SecretBytes& pass_phrase,
                   const KdfCost& cost) {
  const std::string path = fmt::format("{}/{}", directory, key.name);
  if (key.key != nullptr) ASL_TRY(write_key_file(path + ".priv.enc", *key.key, pass_phrase, cost));
  return write_new_file(path + ".pub",
                        encode_public_key_file({.key = key.public_key, .comment = key.comment}),
                        FileMode::kPublic);
}

// A name that is taken is found before a minute is spent on keys.
Result<void> check_unused(const HostRoot& root, const std::string& alias, const DomainId& id) {
  ASL_ASSIGN(const std::vector<DomainSummary> present, root.domains());
  for (const DomainSummary& domain : present) {
    if (domain.unreadable) return fail(*domain.unreadable);  // the name may be its own
    if (domain.alias == alias || domain.id == id)
      return fail(
          Error{.code = ErrorCode::kRefused, .message = "there is such a domain already", .object = alias});
  }
  return {};
}

void discard(io::Io& io, const std::string& directory) {
  for (const std::string_view name : kNames)
    for (const std::string_view ending : kEndings)
      static_cast<void>(io.remove(fmt::format("{}/{}{}", directory, name, ending)));
  static_cast<void>(io.remove_directory(directory));
}

}  // namespace

std::string root_key_path(const std::string& domain_directory) {
  return domain_directory + "/certs/root.priv.enc";
}

std::string signer_key_path(const std::string& domain_directory) {
  return domain_directory + "/certs/dam-signer.priv.enc";
}

Result<void> recover_ceremony_keys(HostRoot& root, const DomainSummary& domain) {
  io::Io& io = root.io();
  const std::string from = ceremony_directory(root, domain.id);
  if (!io::exists(io, from)) return {};
  const std::string to = domain.directory + "/certs";
  for (const std::string_view name : kNames)
    for (const std::string_view ending : kEndings) {
      const std::string file = fmt::format("/{}{}", name, ending);
      if (io::exists(io, from + file)) ASL_TRY(io.rename(from + file, to + file, false));
    }
  ASL_TRY(io.sync_directory(to));
  ASL_TRY(io.remove_directory(from));
  return io.sync_directory(root.directory() + "/host");
}

Result<DomainSummary> make_keyed_domain(HostRoot& root, const std::string& alias,
                                        const std::vector<NewKey>& keys, const SecretBytes& pass_phrase,
                                        const KdfCost& cost) {
  const PublicKey& root_key = keys.front().public_key;
  const DomainId id = domain_id_of(root_key);
  ASL_TRY(check_unused(root, alias, id));
  io::Io& io = root.io();
  const std::string directory = ceremony_directory(root, id);
  // Of a ceremony with this root key that ended before the domain was: its other key signed nothing.
  if (io::exists(io, directory)) discard(io, directory);
  ASL_TRY(io.make_directory(directory));
  for (const NewKey& key : keys) ASL_TRY(stage(directory, key, pass_phrase, cost));
  ASL_TRY(io.sync_directory(directory));
  ASL_TRY(io.sync_directory(root.directory() + "/host"));
  auto domain = root.create_domain(alias, id, root_key.bytes);
  if (!domain) {
    // Keys of a domain that is not there are of no use; the first failure is what matters.
    const bool made = io::exists(io, root.directory() + "/domains/" + to_hex(id));
    if (!made) discard(io, directory);
    return domain;
  }
  ASL_TRY(recover_ceremony_keys(root, *domain));
  return domain;
}

}  // namespace asl::auth
