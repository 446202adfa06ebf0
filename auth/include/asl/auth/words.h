// Bytes as words that people can read to each other: the PGP word list (P. Juola and P. Zimmermann, 1996).
// One word a byte; two-syllable words at even places, three-syllable words at odd ones, so that a word left
// out or swapped is noticed.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/secret.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kFingerprintWords = 16;    // 128 bits: nobody finds a second preimage
inline constexpr std::size_t kPhraseWordsDefault = 10;  // 80 bits behind Argon2id
inline constexpr std::size_t kPhraseWordsMin = 8;
inline constexpr std::size_t kPhraseWordsMax = 24;

std::string_view word_of(std::byte byte, std::size_t place);
std::vector<std::string_view> words_of(ByteSpan bytes);
// The words of the first 16 bytes, parted by single spaces.
std::string fingerprint(const Digest& digest);
// Whether `typed` is the whole fingerprint: case and the white space or hyphens between words do not matter.
// kRefused, saying which word differs.
Result<void> check_fingerprint(std::string_view typed, const Digest& digest);

// A confirmation: four of the sixteen words, at places that the host picks anew each time, so that nobody
// answers by habit.
inline constexpr std::size_t kChallengeWords = 4;
struct WordChallenge {
  std::array<std::size_t, kChallengeWords> places{};  // 0 to 15, ascending, different
};
WordChallenge pick_challenge();
// kRefused if a word is another one, or there are more or fewer than four.
Result<void> check_challenge(std::string_view typed, const WordChallenge& challenge, const Digest& digest);

// A pass phrase of that many random words, 8 bits of entropy each, parted by single spaces.
SecretBytes generate_phrase(std::size_t words);

}  // namespace asl::auth
