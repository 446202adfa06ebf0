// The MAC of SOPS and the additional data of its values, for both directions.
#pragma once

#include <sodium.h>
#include <span>
#include <string>
#include <string_view>

namespace asl::auth {

// SHA-512 over the plaintexts of all leaves in file order, one right after the other, as upper-case hex. It
// covers neither keys, nor types, nor where one value ends.
class SopsMac {
 public:
  SopsMac() { crypto_hash_sha512_init(&state_); }
  SopsMac(const SopsMac&) = delete;
  SopsMac& operator=(const SopsMac&) = delete;
  // The state holds the last bytes that went in.
  ~SopsMac() { sodium_memzero(&state_, sizeof state_); }

  void add(std::string_view text) {
    crypto_hash_sha512_update(&state_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  std::string finish();

 private:
  crypto_hash_sha512_state state_{};
};

// The keys of the maps on the way, each followed by ':'. Positions in lists take no part.
std::string sops_additional_data(std::span<const std::string> path);

}  // namespace asl::auth
