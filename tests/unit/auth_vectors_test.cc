// The primitives, by the Wycheproof vectors: what must verify does, what must not does not.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sodium.h>

#include <asl/auth/envelope.h>
#include <asl/auth/secret.h>

#include "age/hkdf.h"
#include "auth_support.h"

namespace asl::auth {
namespace {

using Json = nlohmann::json;

Bytes from(const Json& hex) {
  const auto text = hex.get<std::string>();
  Bytes bytes(text.size() / 2);
  if (!from_hex(text, bytes)) throw std::runtime_error("not hex: " + text);
  return bytes;
}

const unsigned char* raw(const Bytes& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

class Wycheproof : public ::testing::Test {
 protected:
  void SetUp() override {
    start_crypto();
    place_ = test::vectors("wycheproof");
    if (!place_) GTEST_SKIP() << "no public test vectors: set ASL_VECTORS";
  }

  // Calls check(group, test) for every test of the file; it says whether the operation succeeded as the
  // vector describes. "acceptable" may go either way.
  template <typename Check>
  void run(const std::string& name, std::size_t at_least, Check&& check) {
    const Json file = Json::parse(test::read_file(*place_ + "/" + name));
    std::size_t done = 0;
    for (const Json& group : file.at("testGroups"))
      for (const Json& test : group.at("tests")) {
        const std::optional<bool> succeeded = check(group, test);
        if (!succeeded) continue;
        ++done;
        if (test.at("result") == "acceptable") continue;
        EXPECT_EQ(*succeeded, test.at("result") == "valid")
            << name << " tcId " << test.at("tcId") << ": " << test.at("comment");
      }
    EXPECT_GE(done, at_least) << name;
  }

  std::optional<std::string> place_;
};

// Whether `open`, one of the library's combined AEADs for nonces of `nonce_bits`, gives back the message.
template <typename Open>
std::optional<bool> opens_as_said(const Json& group, const Json& test, int nonce_bits, Open open) {
  if (group.at("ivSize") != nonce_bits) return std::nullopt;
  const Bytes key = from(test.at("key"));
  const Bytes nonce = from(test.at("iv"));
  const Bytes bound = from(test.at("aad"));
  Bytes sealed = from(test.at("ct"));
  const Bytes tag = from(test.at("tag"));
  sealed.insert(sealed.end(), tag.begin(), tag.end());
  Bytes plain(sealed.size());
  unsigned long long size = 0;
  if (open(reinterpret_cast<unsigned char*>(plain.data()), &size, nullptr, raw(sealed), sealed.size(),
           raw(bound), bound.size(), raw(nonce), raw(key)) != 0)
    return false;
  return to_hex(ByteSpan(plain).first(size)) == test.at("msg").get<std::string>();
}

TEST_F(Wycheproof, Ed25519) {
  run("ed25519_test.json", 100, [](const Json& group, const Json& test) -> std::optional<bool> {
    const Bytes key =
        from(group.contains("publicKey") ? group.at("publicKey").at("pk") : group.at("key").at("pk"));
    const Bytes message = from(test.at("msg"));
    const Bytes signature = from(test.at("sig"));
    return key.size() == 32 && signature.size() == 64 &&
           crypto_sign_verify_detached(raw(signature), raw(message), message.size(), raw(key)) == 0;
  });
}

TEST_F(Wycheproof, X25519) {
  run("x25519_test.json", 400, [](const Json&, const Json& test) -> std::optional<bool> {
    const Bytes scalar = from(test.at("private"));
    const Bytes point = from(test.at("public"));
    std::array<unsigned char, 32> shared{};
    // Zero secrets are refused by us, and "acceptable" there.
    return crypto_scalarmult(shared.data(), raw(scalar), raw(point)) == 0 &&
           to_hex(std::as_bytes(std::span(shared))) == test.at("shared").get<std::string>();
  });
}

TEST_F(Wycheproof, ChaCha20Poly1305) {
  run("chacha20_poly1305_test.json", 200, [](const Json& group, const Json& test) {
    return opens_as_said(group, test, 96, crypto_aead_chacha20poly1305_ietf_decrypt);
  });
}

TEST_F(Wycheproof, XChaCha20Poly1305) {
  run("xchacha20_poly1305_test.json", 200, [](const Json& group, const Json& test) {
    return opens_as_said(group, test, 192, crypto_aead_xchacha20poly1305_ietf_decrypt);
  });
}

TEST_F(Wycheproof, HkdfSha256) {
  run("hkdf_sha256_test.json", 50, [](const Json&, const Json& test) -> std::optional<bool> {
    const auto size = test.at("size").get<std::size_t>();
    if (size > 255 * 32) return std::nullopt;  // beyond what HKDF can give, and what we ever ask
    const Bytes info = from(test.at("info"));
    return to_hex(hkdf_sha256(from(test.at("ikm")), from(test.at("salt")), as_text(info), size).span()) ==
           test.at("okm").get<std::string>();
  });
}

TEST_F(Wycheproof, HmacSha256) {
  run("hmac_sha256_test.json", 100, [](const Json& group, const Json& test) -> std::optional<bool> {
    const SecretBytes mac = hmac_sha256(from(test.at("key")), from(test.at("msg")));
    const auto size = group.at("tagSize").get<std::size_t>() / 8;
    return to_hex(mac.span().first(size)) == test.at("tag").get<std::string>();
  });
}

}  // namespace
}  // namespace asl::auth
