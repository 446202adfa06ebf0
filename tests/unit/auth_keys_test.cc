// Public keys, key files, pass phrases, words, protected memory.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/key_file.h>
#include <asl/auth/pass_phrase.h>
#include <asl/auth/public_key.h>
#include <asl/auth/words.h>

#include "auth_support.h"

namespace asl::auth {
namespace {

using test::key_of;
using test::value_of;

SecretBytes phrase_of(std::string_view text) {
  SecretBytes phrase(text.size());
  std::ranges::copy(as_bytes(text), phrase.data());
  return phrase;
}

// The vector that the format page gives.
TEST(PublicKeys, AllZeroSeed) {
  const SigningKey key = key_of(KeyClass::kDomainRoot, 0);
  EXPECT_EQ(to_text(key.public_key()), "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29");
  EXPECT_EQ(to_hex(key.key_id()), "1cf65f5413196bca88cf6c81c9c1f98d0be1973fc3b314b4142a7752b4d37a36");
  EXPECT_EQ(to_hex(domain_id_of(key.public_key())), "bd09c28bbda440f86d133ad43e75caf7cffd69d4");
}

TEST(PublicKeys, FilesRoundTrip) {
  for (const std::string_view comment : {"", "ann", "root of caf\xC3\xA9, 2026"}) {
    const PublicKeyFile file{key_of(KeyClass::kDomainRoot, 0).public_key(), std::string(comment)};
    const PublicKeyFile decoded = value_of(decode_public_key_file(encode_public_key_file(file)));
    EXPECT_EQ(decoded.key, file.key);
    EXPECT_EQ(decoded.comment, comment);
  }
}

TEST(PublicKeys, EveryFileOfTheRejectCorpusGivesItsError) {
  test::check_reject_corpus("public-key",
                            [](const std::string& text) { return decode_public_key_file(text); });
}

TEST(Seeds, MixingInNeverMakesThemLessRandom) {
  const SecretBytes a = make_seed(as_bytes("6 6 6 6"));
  const SecretBytes b = make_seed(as_bytes("6 6 6 6"));
  const SecretBytes c = make_seed({});
  EXPECT_EQ(a.size(), kSeedSize);
  EXPECT_FALSE(equal_secrets(a.span(), b.span()));
  EXPECT_FALSE(equal_secrets(a.span(), c.span()));
}

class KeyFiles : public ::testing::Test {
 protected:
  // One for all tests: each takes a moment to make.
  static void SetUpTestSuite() {
    text_ = value_of(encrypt_key(key_of(KeyClass::kDomainRoot, 0), phrase_of("correct horse"), kKdfFloor));
  }
  static Value::Object fields() { return *value_of(decode_canonical(text_)).object(); }
  static std::string text_;
};
std::string KeyFiles::text_;

TEST_F(KeyFiles, OpenWithTheirPassPhraseOnly) {
  const SigningKey key = value_of(decrypt_key(text_, phrase_of("correct horse")));
  EXPECT_EQ(key.public_key(), key_of(KeyClass::kDomainRoot, 0).public_key());
  EXPECT_EQ(key.key_class(), KeyClass::kDomainRoot);
  ASL_EXPECT_OK(key.test_sign());
  const auto wrong = decrypt_key(text_, phrase_of("correct horse "));
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().code, ErrorCode::kRefused);
  EXPECT_EQ(wrong.error().message, "wrong pass phrase");
}

TEST_F(KeyFiles, SayWhatTheyAreWithoutThePassPhrase) {
  const KeyFileFacts facts = value_of(inspect_key_file(text_));
  EXPECT_EQ(facts.key_class, KeyClass::kDomainRoot);
  EXPECT_EQ(facts.public_key, key_of(KeyClass::kDomainRoot, 0).public_key());
  EXPECT_EQ(facts.cost, kKdfFloor);
}

// Whatever is changed is noticed: by the format, by the commitment, or by the seal.
TEST_F(KeyFiles, EveryChangedFieldIsNoticed) {
  const auto open = [](Value::Object fields) {
    return decrypt_key(encode_canonical(fields), phrase_of("correct horse"));
  };
  const auto flipped = [](const Value& hex) {
    std::string text = *hex.text();
    text.back() = text.back() == '0' ? '1' : '0';
    return text;
  };
  const auto code_of = [&](std::string_view name, Value value) {
    Value::Object changed = fields();
    changed.insert_or_assign(std::string(name), std::move(value));
    const auto opened = open(std::move(changed));
    return opened ? 0 : exit_code(opened.error().code);
  };
  EXPECT_EQ(code_of("key_class", "operational"), 5);  // a key cannot be moved to another class
  EXPECT_EQ(code_of("nonce", flipped(fields().at("nonce"))), 5);
  EXPECT_EQ(code_of("ciphertext", flipped(fields().at("ciphertext"))), 5);
  EXPECT_EQ(code_of("commitment", flipped(fields().at("commitment"))), 7);
  EXPECT_EQ(code_of("key_id", flipped(fields().at("key_id"))), 5);
  EXPECT_EQ(code_of("public_key", to_text(key_of(KeyClass::kDomainRoot, 1).public_key())), 5);
  EXPECT_EQ(code_of("aead", "aes-256-gcm"), 8);
  EXPECT_EQ(code_of("kind", "dam"), 8);
  EXPECT_EQ(code_of("v", 2), 8);
  EXPECT_EQ(code_of("note", "x"), 8);
}

TEST_F(KeyFiles, CostsOutOfBoundsAreRefusedBeforeAnyWork) {
  const auto with_cost = [](std::int64_t memory_kib, std::int64_t passes) {
    Value::Object changed = fields();
    Value::Object kdf = *changed.at("kdf").object();
    kdf.insert_or_assign("memory_kib", memory_kib);
    kdf.insert_or_assign("passes", passes);
    changed.insert_or_assign("kdf", kdf);
    return inspect_key_file(encode_canonical(changed));
  };
  EXPECT_TRUE(with_cost(64 << 10, 3).has_value());
  EXPECT_TRUE(with_cost(4 << 20, 16).has_value());
  for (const auto& [memory_kib, passes] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {(64 << 10) - 1, 3}, {64 << 10, 2}, {(4 << 20) + 1, 3}, {64 << 10, 17}, {8, 1}, {1LL << 40, 3}}) {
    const auto refused = with_cost(memory_kib, passes);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kMalformed);
    EXPECT_NE(refused.error().message.find("rule key-file-cost"), std::string::npos);
  }
}

TEST_F(KeyFiles, EveryFileOfTheRejectCorpusGivesItsError) {
  test::check_reject_corpus(
      "key-file", [](const std::string& text) { return decrypt_key(text, phrase_of("correct horse")); });
}

// Made by another implementation, from the format page.
TEST_F(KeyFiles, FromAnotherHandOpen) {
  const std::string text = test::read_file(ASL_SOURCE_TREE "/tests/compat/auth/pynacl.priv.enc");
  const SigningKey key = value_of(decrypt_key(text, phrase_of("correct horse")));
  EXPECT_EQ(key.public_key(), key_of(KeyClass::kDomainRoot, 0).public_key());
  EXPECT_EQ(key.key_class(), KeyClass::kDomainRoot);
}

TEST_F(KeyFiles, AreWrittenPrivateAndNeverOverAnother) {
  const test::TempDirectory dir;
  const std::string path = dir / "root.priv.enc";
  const SigningKey key = key_of(KeyClass::kDomainRoot, 3);
  ASL_ASSERT_OK(write_key_file(path, key, phrase_of("one"), kKdfFloor));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  const auto again = write_key_file(path, key, phrase_of("two"), kKdfFloor);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kRefused);
  ASL_ASSERT_OK(replace_key_file(path, key, phrase_of("two"), kKdfFloor));
  EXPECT_FALSE(decrypt_key(value_of(read_key_file(path)), phrase_of("one")).has_value());
  EXPECT_TRUE(decrypt_key(value_of(read_key_file(path)), phrase_of("two")).has_value());
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

Result<SecretBytes> from_file(std::string_view content, PassPhraseUse use) {
  const test::TempDirectory dir;
  std::ofstream(dir / "phrase", std::ios::binary) << content;
  return read_pass_phrase({.file = dir / "phrase"}, use, "", [] { return false; });
}

TEST(PassPhrases, AreTheBytesLessOneFinalLineFeed) {
  const auto text = [](std::string_view content) {
    return std::string(as_text(value_of(from_file(content, PassPhraseUse::kOpen)).span()));
  };
  EXPECT_EQ(text("abc"), "abc");
  EXPECT_EQ(text("abc\n"), "abc");
  EXPECT_EQ(text("abc\n\n"), "abc\n");
  EXPECT_EQ(text("abc\r\n"), "abc\r");
  EXPECT_EQ(text(" a b "), " a b ");
  EXPECT_EQ(text(std::string(kPassPhraseMax, 'x') + "\n").size(), kPassPhraseMax);
  EXPECT_FALSE(from_file(std::string(kPassPhraseMax + 1, 'x'), PassPhraseUse::kOpen).has_value());
  EXPECT_FALSE(from_file("caf\xE9", PassPhraseUse::kOpen).has_value());
  EXPECT_FALSE(from_file("\n", PassPhraseUse::kChoose).has_value());
}

TEST(PassPhrases, TakeOneLineFromADescriptorAndLeaveTheRest) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "one\ntwo\n", 8), 8);
  ::close(ends[1]);
  const PassPhraseSource source{.file = {}, .descriptor = ends[0]};
  for (const std::string_view wanted : {"one", "two"})
    EXPECT_EQ(
        as_text(value_of(read_pass_phrase(source, PassPhraseUse::kChoose, "", [] { return false; })).span()),
        wanted);
  ::close(ends[0]);
}

// A signal's handler may run between a look at the stop token and the wait for the terminal, which then goes
// on.
TEST(PassPhrases, AStopIsSeenWithoutASignalThatEndsTheWait) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  int looks = 0;
  const auto phrase = read_pass_phrase({.file = {}, .descriptor = ends[0]}, PassPhraseUse::kOpen, "",
                                       [&looks] { return ++looks > 1; });
  ASSERT_FALSE(phrase.has_value());
  EXPECT_EQ(phrase.error().code, ErrorCode::kInterrupted);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Words, AreThoseOfTheList) {
  // The fingerprint that the list's authors give as their example.
  Bytes bytes(20);
  ASSERT_TRUE(from_hex("e58294f2e9a227486e8b061b31cc528fd7fa3f19", bytes));
  std::string text;
  for (const std::string_view word : words_of(bytes)) text += std::string(word) + " ";
  EXPECT_EQ(
      text,
      "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa afflict bravado "
      "chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless ");
}

TEST(Words, ATypedFingerprintMustBeWhole) {
  Digest digest{};
  ASSERT_TRUE(
      from_hex(std::string_view("e58294f2e9a227486e8b061b31cc528fd7fa3f19"), std::span(digest).first(20)));
  const std::string words = fingerprint(digest);
  ASL_EXPECT_OK(check_fingerprint(words, digest));
  std::string loud = words;
  std::ranges::transform(loud, loud.begin(),
                         [](char c) { return c == ' ' ? '-' : static_cast<char>(std::toupper(c)); });
  ASL_EXPECT_OK(check_fingerprint("  " + loud + "\n", digest));
  EXPECT_FALSE(check_fingerprint(words.substr(words.find(' ') + 1), digest).has_value());
  EXPECT_FALSE(check_fingerprint(words + " topmost", digest).has_value());
  EXPECT_FALSE(check_fingerprint("", digest).has_value());
  EXPECT_FALSE(check_fingerprint(std::string(100000, 'a'), digest).has_value());
  digest[15] ^= std::byte{1};
  EXPECT_EQ(check_fingerprint(words, digest).error().message, "word 16 is another one");
}

TEST(Words, GeneratedPhrasesAreListWords) {
  const SecretBytes phrase = generate_phrase(kPhraseWordsDefault);
  const std::string text(as_text(phrase.span()));
  EXPECT_EQ(std::ranges::count(text, ' '), static_cast<std::ptrdiff_t>(kPhraseWordsDefault) - 1);
  EXPECT_NE(text, as_text(generate_phrase(kPhraseWordsDefault).span()));
}

TEST(Secrets, AProcessWithSecretsLeavesNoCoreAndIsNotDumpable) {
  const pid_t child = ::fork();
  if (child == 0) {
    rlimit limit{};
    const bool closed = protect_process().has_value() && ::prctl(PR_GET_DUMPABLE) == 0 &&
                        ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0;
    ::_exit(closed ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Secrets, MoveAndCompare) {
  SecretBytes a = phrase_of("abc");
  const SecretBytes copy = a.clone();
  SecretBytes moved = std::move(a);
  EXPECT_TRUE(equal_secrets(moved.span(), copy.span()));
  moved.shrink(2);
  EXPECT_EQ(as_text(moved.span()), "ab");
  EXPECT_FALSE(equal_secrets(moved.span(), copy.span()));
  moved = phrase_of("x");
  EXPECT_EQ(as_text(moved.span()), "x");
}

}  // namespace
}  // namespace asl::auth
