// age files: the public vectors, the program age both ways, and what the vectors do not reach.
#include <cstdlib>
#include <gtest/gtest.h>
#include <map>
#include <sys/wait.h>
#include <zlib.h>

#include <asl/auth/age.h>
#include <asl/engine/hash.h>

#include "age/bech32.h"
#include "age/header.h"
#include "age/hkdf.h"
#include "auth_support.h"

namespace asl::auth {
namespace {

using test::value_of;

SecretBytes secret_of(std::string_view text) {
  SecretBytes secret(text.size());
  std::ranges::copy(as_bytes(text), secret.data());
  return secret;
}

// A source that gives at most `step` bytes at a time.
ByteSource source_of(std::string_view text, std::size_t step = 1 << 20) {
  return [text, step](MutableByteSpan into) mutable -> Result<std::size_t> {
    const std::size_t take = std::min({into.size(), text.size(), step});
    std::ranges::copy(as_bytes(text.substr(0, take)), into.begin());
    text.remove_prefix(take);
    return take;
  };
}

ByteSink sink_to(std::string& text) {
  return [&text](ByteSpan bytes) -> Result<void> {
    text += as_text(bytes);
    return {};
  };
}

std::string inflate_all(const std::string& packed) {
  std::string out;
  z_stream stream{};
  EXPECT_EQ(inflateInit(&stream), Z_OK);
  std::string input = packed;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  std::array<char, 65536> buffer;
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = buffer.size();
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  EXPECT_EQ(status, Z_STREAM_END);
  inflateEnd(&stream);
  return out;
}

// One file of the public set.
struct Vector {
  std::map<std::string, std::string> fields;
  std::vector<AgeIdentity> identities;
  std::string file;
};

Vector read_vector(const std::string& path) {
  Vector vector;
  std::string text = test::read_file(path);
  while (!text.starts_with('\n')) {
    const std::string line = text.substr(0, text.find('\n'));
    text.erase(0, line.size() + 1);
    const std::size_t colon = line.find(": ");
    const std::string key = line.substr(0, colon);
    const std::string value = line.substr(colon + 2);
    if (key == "identity" && value.starts_with("AGE-SECRET-KEY-1"))
      vector.identities.push_back(value_of(AgeIdentity::parse(value)));
    vector.fields[key] = value;
  }
  text.erase(0, 1);
  vector.file = vector.fields.contains("compressed") ? inflate_all(text) : text;
  return vector;
}

// What `expect` says, from our error.
std::string outcome(const Result<void>& result) {
  if (result) return "success";
  const std::string& message = result.error().message;
  if (message.starts_with("no identity")) return "no match";
  if (message.starts_with("age header MAC: ")) return "HMAC failure";
  if (message.starts_with("age header: ")) return "header failure";
  if (message.starts_with("age payload: ")) return "payload failure";
  if (message.starts_with("age armor: ")) return "armor failure";
  return message;
}

Result<void> decrypt(const Vector& vector, std::string& plaintext, std::size_t step) {
  const SecretBytes phrase =
      secret_of(vector.fields.contains("passphrase") ? vector.fields.at("passphrase") : "");
  AgeOpeners openers{.identities = vector.identities, .pass_phrase = nullptr};
  if (vector.fields.contains("passphrase")) openers.pass_phrase = &phrase;
  const AgeArmor armor = vector.fields.contains("armored") ? AgeArmor::kYes : AgeArmor::kNo;
  return decrypt_age(source_of(vector.file, step), sink_to(plaintext), openers, {.armor = armor});
}

TEST(AgeVectors, EveryFileDoesWhatItExpects) {
  const auto place = test::vectors("age");
  if (!place) GTEST_SKIP() << "no public test vectors: set ASL_VECTORS";
  std::size_t checked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*place)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("hybrid_")) continue;  // post-quantum recipients are not supported
    const Vector vector = read_vector(entry.path().string());
    std::string plaintext;
    const auto result = decrypt(vector, plaintext, 1 << 20);
    EXPECT_EQ(outcome(result), vector.fields.at("expect")) << name;
    // Nothing of a file that fails is ever released.
    EXPECT_TRUE(result.has_value() || plaintext.empty()) << name;
    if (result) {
      EXPECT_EQ(to_hex(sha256(as_bytes(plaintext))), vector.fields.at("payload")) << name;
    }
    if (vector.file.size() < 10000) {
      std::string by_bytes;
      EXPECT_EQ(outcome(decrypt(vector, by_bytes, 1)), vector.fields.at("expect"))
          << name << ", byte by byte";
    }
    ++checked;
  }
  EXPECT_GE(checked, 90U);
}

std::string encrypted(std::string_view plaintext, std::span<const AgeRecipient> recipients, bool armor) {
  std::string file;
  value_of(encrypt_age(source_of(plaintext), sink_to(file), recipients, random_age_values(recipients.size()),
                       armor));
  return file;
}

std::string decrypted(std::string_view file, const AgeIdentity& identity) {
  std::string plaintext;
  value_of(decrypt_age(source_of(file), sink_to(plaintext),
                       {.identities = std::span(&identity, 1), .pass_phrase = nullptr}));
  return plaintext;
}

TEST(Age, EveryLengthAroundAChunkComesBack) {
  const AgeIdentity identity = AgeIdentity::generate();
  const AgeRecipient recipient[] = {identity.recipient()};
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kAgeChunkSize - 1, kAgeChunkSize, kAgeChunkSize + 1,
        2 * kAgeChunkSize, 2 * kAgeChunkSize + 1, std::size_t{40} * kAgeChunkSize})
    for (const bool armor : {false, true}) {
      const Bytes bytes = test::random_bytes(size, size);
      EXPECT_EQ(decrypted(encrypted(as_text(bytes), recipient, armor), identity), as_text(bytes)) << size;
    }
}

TEST(Age, EachRecipientOpensAndNobodyElse) {
  std::vector<AgeIdentity> identities;
  std::vector<AgeRecipient> recipients;
  for (int i = 0; i < 3; ++i) {
    identities.push_back(AgeIdentity::generate());
    recipients.push_back(identities.back().recipient());
  }
  const std::string file = encrypted("hello", recipients, true);
  for (const AgeIdentity& identity : identities) EXPECT_EQ(decrypted(file, identity), "hello");
  const AgeIdentity stranger = AgeIdentity::generate();
  std::string plaintext;
  const auto refused = decrypt_age(source_of(file), sink_to(plaintext),
                                   {.identities = std::span(&stranger, 1), .pass_phrase = nullptr});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
}

TEST(Age, PassPhrases) {
  const SecretBytes phrase = secret_of("correct horse");
  const SecretBytes wrong = secret_of("correct horse ");
  std::string file;
  ASL_ASSERT_OK(encrypt_age(source_of("hello"), sink_to(file), phrase, 10, random_age_values(0), false));
  std::string plaintext;
  ASL_ASSERT_OK(decrypt_age(source_of(file), sink_to(plaintext), {.identities = {}, .pass_phrase = &phrase}));
  EXPECT_EQ(plaintext, "hello");
  EXPECT_EQ(
      outcome(decrypt_age(source_of(file), sink_to(plaintext), {.identities = {}, .pass_phrase = &wrong})),
      "no match");
  EXPECT_FALSE(
      encrypt_age(source_of("x"), sink_to(file), phrase, kAgeWorkFactorMax + 1, random_age_values(0), false)
          .has_value());
}

// Equal random values give equal files: nothing else is random.
TEST(Age, RandomnessIsAnInput) {
  const AgeRecipient recipient[] = {AgeIdentity(secret_of("0123456789abcdef0123456789abcdef")).recipient()};
  std::string files[2];
  for (std::string& file : files) {
    AgeRandomness values;
    values.file_key = secret_of("sixteen bytes ok");
    values.ephemerals.push_back(secret_of("another 32 bytes of ephemeral ke"));
    ASL_ASSERT_OK(encrypt_age(source_of("hello"), sink_to(file), recipient, std::move(values), false));
  }
  EXPECT_EQ(files[0], files[1]);
  EXPECT_FALSE(
      encrypt_age(source_of("x"), sink_to(files[0]), recipient, random_age_values(2), false).has_value());
  EXPECT_FALSE(encrypt_age(source_of("x"), sink_to(files[0]), {}, random_age_values(0), false).has_value());
}

// Every byte of a small file matters, and every cut is noticed; nothing is released.
TEST(Age, EveryChangedByteAndEveryCutIsNoticed) {
  const AgeIdentity identity = AgeIdentity::generate();
  const AgeRecipient recipient[] = {identity.recipient()};
  for (const bool armor : {false, true}) {
    const std::string file = encrypted("hello, world", recipient, armor);
    const AgeOpeners openers{.identities = std::span(&identity, 1), .pass_phrase = nullptr};
    for (std::size_t at = 0; at < file.size(); ++at) {
      std::string changed = file;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      std::string plaintext;
      EXPECT_FALSE(decrypt_age(source_of(changed), sink_to(plaintext), openers).has_value()) << at;
      // White space may follow armor, so the final line feed may be missing.
      const bool whole = armor && at + 1 == file.size();
      EXPECT_EQ(decrypt_age(source_of(std::string_view(file).substr(0, at)), sink_to(plaintext), openers)
                    .has_value(),
                whole)
          << at;
      EXPECT_TRUE(plaintext.empty() || whole);
    }
  }
}

TEST(Age, KeysHaveOneSpelling) {
  const AgeIdentity identity = AgeIdentity::generate();
  const std::string recipient = to_text(identity.recipient());
  EXPECT_EQ(value_of(parse_age_recipient(recipient)), identity.recipient());
  const SecretBytes text = identity.text();
  EXPECT_EQ(value_of(AgeIdentity::parse(as_text(text.span()))).recipient(), identity.recipient());
  std::string upper = recipient;
  std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
  EXPECT_FALSE(parse_age_recipient(upper).has_value());
  EXPECT_FALSE(parse_age_recipient(recipient + "q").has_value());
  EXPECT_FALSE(parse_age_recipient(as_text(text.span())).has_value());
  EXPECT_FALSE(parse_age_recipient("").has_value());
  for (const std::string_view other :
       {"age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", "age1pq1q",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA"}) {
    const auto result = parse_age_recipient(other);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kUnsupported) << other;
  }
  for (std::size_t at = 0; at < recipient.size(); ++at) {
    std::string changed = recipient;
    changed[at] = changed[at] == 'q' ? 'p' : 'q';
    EXPECT_TRUE(changed == recipient || !parse_age_recipient(changed).has_value()) << at;
  }
  const Bytes zeros(32);
  EXPECT_FALSE(parse_age_recipient(as_text(encode_bech32("age", zeros).span())).has_value()) << "small order";
}

TEST(Age, LargeHeadersAreRefusedBeforeTheyAreHeld) {
  std::string file = "age-encryption.org/v1\n";
  while (file.size() <= kAgeHeaderMax) file += "-> grease\n" + std::string(64, 'A') + "\n\n";
  std::string plaintext;
  EXPECT_EQ(outcome(decrypt_age(source_of(file), sink_to(plaintext), {})), "header failure");
}

TEST(Hkdf, RefusesNothingAndMatchesRfc5869) {
  // RFC 5869, test case 1.
  const Bytes key(22, std::byte{0x0b});
  Bytes salt(13);
  for (std::size_t i = 0; i < salt.size(); ++i) salt[i] = static_cast<std::byte>(i);
  const std::string info = "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9";
  EXPECT_EQ(to_hex(hkdf_sha256(key, salt, info, 42).span()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

class AgeProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("age --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "the program age is not installed";
  }
  static int run(const std::string& command) {
    return WEXITSTATUS(std::system((command + " 2>/dev/null").c_str()));
  }
  void write(const std::string& name, std::string_view text) {
    std::ofstream(dir_ / name, std::ios::binary) << text;
  }
  test::TempDirectory dir_;
};

TEST_F(AgeProgram, OpensOurs) {
  const AgeIdentity identity = AgeIdentity::generate();
  const AgeRecipient recipients[] = {AgeIdentity::generate().recipient(), identity.recipient()};
  const SecretBytes text = identity.text();
  write("key", as_text(text.span()));
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, kAgeChunkSize, 3 * kAgeChunkSize + 1})
    for (const bool armor : {false, true}) {
      const Bytes bytes = test::random_bytes(size, size);
      write("file", encrypted(as_text(bytes), recipients, armor));
      ASSERT_EQ(run("age -d -i " + (dir_ / "key") + " " + (dir_ / "file") + " >" + (dir_ / "out")), 0)
          << size;
      EXPECT_EQ(test::read_file(dir_ / "out"), as_text(bytes)) << size;
    }
}

TEST_F(AgeProgram, WritesWhatWeOpen) {
  const AgeIdentity identity = AgeIdentity::generate();
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, kAgeChunkSize, 3 * kAgeChunkSize + 1})
    for (const std::string armor : {"", " -a"}) {
      const Bytes bytes = test::random_bytes(size, size);
      write("plain", as_text(bytes));
      ASSERT_EQ(run("age" + armor + " -r " + to_text(identity.recipient()) + " -o " + (dir_ / "file") + " " +
                    (dir_ / "plain")),
                0);
      EXPECT_EQ(decrypted(test::read_file(dir_ / "file"), identity), as_text(bytes)) << size;
    }
}

TEST_F(AgeProgram, MakesKeysWeKnow) {
  ASSERT_EQ(run("age-keygen -o " + (dir_ / "key")), 0);
  const std::string text = test::read_file(dir_ / "key");
  const std::size_t at = text.find("AGE-SECRET-KEY-1");
  const AgeIdentity identity = value_of(AgeIdentity::parse(text.substr(at, text.find('\n', at) - at)));
  EXPECT_NE(text.find(to_text(identity.recipient())), text.npos);
}

}  // namespace
}  // namespace asl::auth
