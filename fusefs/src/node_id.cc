#include "node_id.h"

#include <asl/engine/hash.h>

namespace asl::fusefs {

std::uint64_t hard_link_inode(const DomainId& domain, std::uint64_t snapshot, std::uint64_t hardlink_id) {
  std::array<std::byte, sizeof(DomainId) + 2 * sizeof(std::uint64_t)> named;
  std::memcpy(named.data(), domain.data(), domain.size());
  store_le(named.data() + domain.size(), snapshot);
  store_le(named.data() + domain.size() + sizeof snapshot, hardlink_id);
  return digest_inode(sha256(named));
}

std::uint64_t digest_inode(const Digest& digest) {
  return kControlBit | load_le<std::uint64_t>(digest.data());
}

std::uint64_t path_inode(std::string_view path) {
  return digest_inode(sha256(as_bytes(path)));
}

}  // namespace asl::fusefs
