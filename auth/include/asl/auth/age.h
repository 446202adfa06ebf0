// age files, version 1 (https://age-encryption.org/v1, C2SP age): X25519 and scrypt recipients, armor, both
// directions, as streams. doc/age.md says what is accepted.
//
// Errors: kMalformed for what breaks the format ("age header: ...", "age armor: ..."), kIntegrity for what
// fails its authentication ("age header MAC: ...", "age payload: ..."), kRefused where no identity or pass
// phrase opens the file. Thread-safe in the sense that nothing is shared.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/secret.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl::auth {

// Fills the span, or as much of it as there is; 0 at the end.
using ByteSource = std::function<Result<std::size_t>(MutableByteSpan into)>;
using ByteSink = std::function<Result<void>(ByteSpan bytes)>;

// Whom a file is for: an X25519 public key, "age1...".
struct AgeRecipient {
  std::array<std::byte, 32> key{};
  auto operator<=>(const AgeRecipient&) const = default;
};
// kUnsupported for what age knows besides: recipients of plugins, SSH keys.
Result<AgeRecipient> parse_age_recipient(std::string_view text);
std::string to_text(const AgeRecipient& recipient);

// Who opens it: "AGE-SECRET-KEY-1...".
class AgeIdentity {
 public:
  static AgeIdentity generate();
  static Result<AgeIdentity> parse(std::string_view text);
  // `scalar` has 32 bytes.
  explicit AgeIdentity(SecretBytes scalar);
  SecretBytes text() const;
  const AgeRecipient& recipient() const { return recipient_; }
  const SecretBytes& scalar() const { return scalar_; }

 private:
  SecretBytes scalar_;
  AgeRecipient recipient_;
};

enum class AgeArmor : std::uint8_t { kNo, kYes, kDetect };

inline constexpr std::size_t kAgeHeaderMax = std::size_t{1} << 20;  // bytes: about ten thousand recipients
// scrypt's N is 2 to this power: 20 takes a gibibyte of memory. age itself writes 18.
inline constexpr unsigned kAgeWorkFactorMax = 20;
inline constexpr unsigned kAgeWorkFactorDefault = 18;
inline constexpr std::size_t kAgeChunkSize = 64 << 10;  // bytes of plaintext that are sealed together

// Every random value of a file. Whoever knows them can open it.
struct AgeRandomness {
  SecretBytes file_key;                 // 16 bytes
  std::array<std::byte, 16> nonce{};    // of the payload
  std::vector<SecretBytes> ephemerals;  // 32 bytes for each recipient, in their order
  std::array<std::byte, 16> salt{};     // scrypt only
};
AgeRandomness random_age_values(std::size_t recipients);

// To recipients, one at least, in the order given. `randomness` must be fresh for every file and is used up.
Result<void> encrypt_age(const ByteSource& plaintext, const ByteSink& file,
                         std::span<const AgeRecipient> recipients, AgeRandomness randomness, bool armor);
// To a pass phrase.
Result<void> encrypt_age(const ByteSource& plaintext, const ByteSink& file, const SecretBytes& pass_phrase,
                         unsigned work_factor, AgeRandomness randomness, bool armor);

struct AgeOpeners {
  std::span<const AgeIdentity> identities{};
  const SecretBytes* pass_phrase = nullptr;
};
struct AgeDecryptOptions {
  AgeArmor armor = AgeArmor::kDetect;
  // Where what does not fit into memory waits to be verified: an unnamed file that holds ciphertext only.
  std::string spool_directory = "/var/tmp";
};
// Nothing reaches `plaintext` before the whole file is verified: the payload is checked to its end while its
// ciphertext is kept, then decrypted again. An error of the sink itself may come after some of it.
Result<void> decrypt_age(const ByteSource& file, const ByteSink& plaintext, const AgeOpeners& openers,
                         const AgeDecryptOptions& options = {});

}  // namespace asl::auth
