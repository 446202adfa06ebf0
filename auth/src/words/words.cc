#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <fmt/format.h>
#include <sodium.h>

#include <asl/auth/words.h>

#include "words/pgp_word_list.h"

namespace asl::auth {
namespace {

constexpr std::size_t kTypedMax = 1024;  // bytes; sixteen words have about 150

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    const bool between = c == '-' || std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!between)
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!words.back().empty())
      words.emplace_back();
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

bool is_word(std::string_view typed, std::string_view word) {
  return std::ranges::equal(typed, word, {}, {}, [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
}

}  // namespace

std::string_view word_of(std::byte byte, std::size_t place) {
  const auto& list = place % 2 == 0 ? kTwoSyllableWords : kThreeSyllableWords;
  return list[std::to_integer<std::size_t>(byte)];
}

std::vector<std::string_view> words_of(ByteSpan bytes) {
  std::vector<std::string_view> words;
  for (const std::byte byte : bytes) words.push_back(word_of(byte, words.size()));
  return words;
}

std::string fingerprint(const Digest& digest) {
  return fmt::format("{}", fmt::join(words_of(digest_bytes(digest).first(kFingerprintWords)), " "));
}

Result<void> check_fingerprint(std::string_view typed, const Digest& digest) {
  const auto words = typed.size() > kTypedMax ? std::vector<std::string>() : split_words(typed);
  if (words.size() != kFingerprintWords)
    return fail(ErrorCode::kRefused,
                fmt::format("{} words are needed, {} were given", kFingerprintWords, words.size()));
  for (std::size_t i = 0; i < words.size(); ++i)
    if (!is_word(words[i], word_of(digest[i], i)))
      return fail(ErrorCode::kRefused, fmt::format("word {} is another one", i + 1));
  return {};
}

WordChallenge pick_challenge() {
  start_crypto();
  std::array<std::size_t, kFingerprintWords> places{};
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  // The first four of a shuffle.
  for (std::size_t i = 0; i < kChallengeWords; ++i)
    std::swap(places[i], places[i + randombytes_uniform(static_cast<std::uint32_t>(places.size() - i))]);
  WordChallenge challenge;
  std::copy_n(places.begin(), kChallengeWords, challenge.places.begin());
  std::ranges::sort(challenge.places);
  return challenge;
}

Result<void> check_challenge(std::string_view typed, const WordChallenge& challenge, const Digest& digest) {
  const auto words = typed.size() > kTypedMax ? std::vector<std::string>() : split_words(typed);
  if (words.size() != kChallengeWords)
    return fail(ErrorCode::kRefused,
                fmt::format("{} words are needed, {} were given", kChallengeWords, words.size()));
  for (std::size_t i = 0; i < words.size(); ++i)
    if (!is_word(words[i], word_of(digest[challenge.places[i]], challenge.places[i])))
      return fail(ErrorCode::kRefused, fmt::format("word {} is another one", challenge.places[i] + 1));
  return {};
}

SecretBytes generate_phrase(std::size_t words) {
  const SecretBytes random = random_secret(words);
  constexpr std::size_t kWordMax = 16;  // the longest has 11 letters
  SecretBytes phrase(words * kWordMax);
  std::size_t size = 0;
  for (std::size_t i = 0; i < words; ++i) {
    if (i > 0) phrase.data()[size++] = std::byte{' '};
    const std::string_view word = word_of(random.data()[i], i);
    std::memcpy(phrase.data() + size, word.data(), word.size());
    size += word.size();
  }
  phrase.shrink(size);
  return phrase;
}

}  // namespace asl::auth
