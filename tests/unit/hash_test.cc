#include <algorithm>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <random>
#include <string>

#include <asl/engine/hash.h>

#include "base/sha256_kernel.h"
#include "support.h"

namespace asl {
namespace {

using test::random_bytes;

Digest evp_sha256(ByteSpan bytes) {
  Digest digest;
  unsigned size = 0;
  EXPECT_EQ(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                       EVP_sha256(), nullptr),
            1);
  EXPECT_EQ(size, digest.size());
  return digest;
}

// The message with FIPS 180-4 padding: what a kernel has to be fed.
Bytes padded(ByteSpan message) {
  Bytes bytes(message.begin(), message.end());
  bytes.push_back(std::byte{0x80});
  bytes.resize(round_up(bytes.size() + 8, kSha256BlockSize));
  store_be<std::uint64_t>(bytes.data() + bytes.size() - 8, message.size() * 8);
  return bytes;
}

std::vector<const Sha256Kernel*> kernels() {
  std::vector<const Sha256Kernel*> all = {&sha256_kernel_openssl()};
  if (sha256_kernel_sha_ni() != nullptr) all.push_back(sha256_kernel_sha_ni());
  return all;
}

struct Vector {
  std::string message;
  std::string_view digest;
};

// FIPS 180-4 examples, and NIST's one-block, two-block and long messages.
std::vector<Vector> nist_vectors() {
  return {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopq"
       "rst"
       "nopqrstu",
       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
      {"\xbd", "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"},
      {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
      {std::string(1'000'000, '\0'), "d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025"},
  };
}

TEST(Sha256Kernels, give_the_nist_vectors) {
  for (const Sha256Kernel* kernel : kernels()) {
    for (const Vector& vector : nist_vectors()) {
      const Bytes message = padded(as_bytes(vector.message));
      Sha256State state = kSha256Initial;
      kernel->one(state, message.data(), message.size() / kSha256BlockSize);
      EXPECT_EQ(to_hex(sha256_digest_of(state)), vector.digest) << kernel->name;
    }
  }
}

TEST(Sha256Kernels, hash_two_different_streams_at_any_alignment) {
  const Bytes data = random_bytes(40 * kSha256BlockSize + 128, 1);
  for (const Sha256Kernel* kernel : kernels()) {
    for (std::size_t a_begin = 0; a_begin < 64; a_begin += 5) {
      for (std::size_t b_begin = 0; b_begin < 64; b_begin += 7) {
        for (const std::size_t blocks : {0U, 1U, 2U, 3U, 19U}) {
          Sha256State a = kSha256Initial;
          Sha256State b = kSha256Initial;
          b[3] ^= 1;
          Sha256State a_alone = a;
          Sha256State b_alone = b;
          const std::byte* const a_data = data.data() + a_begin;
          const std::byte* const b_data = data.data() + 20 * kSha256BlockSize + b_begin;
          kernel->two(a, a_data, b, b_data, blocks);
          sha256_kernel_openssl().one(a_alone, a_data, blocks);
          sha256_kernel_openssl().one(b_alone, b_data, blocks);
          ASSERT_EQ(a, a_alone) << kernel->name << " " << a_begin << " " << b_begin << " " << blocks;
          ASSERT_EQ(b, b_alone) << kernel->name << " " << a_begin << " " << b_begin << " " << blocks;
        }
      }
    }
  }
}

TEST(Sha256Test, gives_the_nist_vectors) {
  for (const Vector& vector : nist_vectors())
    EXPECT_EQ(to_hex(sha256(as_bytes(vector.message))), vector.digest);
}

TEST(Sha256Test, agrees_with_openssl_for_every_short_length) {
  const Bytes data = random_bytes(400, 2);
  for (std::size_t size = 0; size < data.size(); ++size)
    ASSERT_EQ(sha256(ByteSpan(data).first(size)), evp_sha256(ByteSpan(data).first(size))) << size;
}

TEST(Sha256Test, does_not_depend_on_how_the_input_is_split) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    const Bytes data = random_bytes(random() % 5000, random());
    Sha256 hash;
    ByteSpan rest(data);
    while (!rest.empty()) {
      const std::size_t size = std::min<std::size_t>(rest.size(), random() % (round % 2 == 0 ? 70 : 1000));
      hash.update(rest.first(size));
      rest = rest.subspan(size);
    }
    ASSERT_EQ(hash.finish(), evp_sha256(data)) << round;
  }
}

TEST(Sha256Test, a_copy_continues_independently) {
  const Bytes data = random_bytes(1000, 4);
  Sha256 first;
  first.update(ByteSpan(data).first(333));
  Sha256 second = first;
  second.update(as_bytes("something else"));
  first.update(ByteSpan(data).subspan(333));
  EXPECT_EQ(first.finish(), evp_sha256(data));
  EXPECT_NE(second.finish(), evp_sha256(data));
}

TEST(Sha256Pair, agrees_with_openssl_for_all_offsets_and_lengths) {
  const Bytes data = random_bytes(1024, 5);
  const ByteSpan all(data);
  // Every state of the two pending blocks, against lengths on both sides of one and two blocks.
  for (std::size_t a_before = 0; a_before < 64; ++a_before) {
    for (std::size_t b_before = 0; b_before < 64; b_before += 3) {
      for (const std::size_t a_size : {0U, 1U, 63U, 64U, 65U, 130U, 300U}) {
        for (const std::size_t b_size : {0U, 31U, 64U, 127U, 300U}) {
          Sha256 a;
          Sha256 b;
          a.update(all.first(a_before));
          b.update(all.subspan(500, b_before));
          Sha256::update_pair(a, all.subspan(a_before, a_size), b, all.subspan(500 + b_before, b_size));
          ASSERT_EQ(a.finish(), evp_sha256(all.first(a_before + a_size)));
          ASSERT_EQ(b.finish(), evp_sha256(all.subspan(500, b_before + b_size)));
        }
      }
    }
  }
}

TEST(Sha256Pair, hashes_a_file_and_its_extents_in_one_pass) {
  const Bytes data = random_bytes(100'003, 6);
  const ByteSpan all(data);
  std::mt19937_64 random(7);
  Sha256 whole;
  for (std::size_t at = 0; at < data.size();) {
    const std::size_t size = std::min<std::size_t>(data.size() - at, 1 + random() % 9000);
    Sha256 extent;
    Sha256::update_pair(whole, all.subspan(at, size), extent, all.subspan(at, size));
    ASSERT_EQ(extent.finish(), evp_sha256(all.subspan(at, size)));
    at += size;
  }
  EXPECT_EQ(whole.finish(), evp_sha256(data));
}

// Lengths around every block and padding boundary, empty ones, and a few long ones that outlive all others.
std::vector<Bytes> messages_of_all_lengths(std::size_t count) {
  std::vector<Bytes> messages;
  for (std::size_t i = 0; i < count; ++i) messages.push_back(random_bytes(i % 200, i));
  for (const std::size_t size : {5000U, 70'000U, 4096U, 8192U})
    if (messages.size() > size % 13) messages[size % 13] = random_bytes(size, size);
  return messages;
}

TEST(Sha256Many, agrees_with_openssl_for_any_number_and_lengths_of_messages) {
  const Sha256WideKernel* const wide = sha256_kernel_avx512();
  for (const Sha256Kernel* kernel : kernels()) {
    for (const Sha256WideKernel* with : {wide, static_cast<const Sha256WideKernel*>(nullptr)}) {
      for (const std::size_t count : {0U, 1U, 2U, 3U, 7U, 8U, 9U, 15U, 16U, 17U, 31U, 200U, 500U}) {
        const std::vector<Bytes> messages = messages_of_all_lengths(count);
        const std::vector<ByteSpan> spans(messages.begin(), messages.end());
        std::vector<Digest> digests(count);
        sha256_many_with(*kernel, with, spans, digests);
        for (std::size_t i = 0; i < count; ++i)
          ASSERT_EQ(digests[i], evp_sha256(messages[i])) << kernel->name << " " << count << " " << i;
      }
    }
  }
}

TEST(Sha256Many, reads_unaligned_messages_that_lie_in_one_buffer) {
  const Bytes data = random_bytes(60'000, 8);
  std::vector<ByteSpan> spans;
  for (std::size_t at = 0, size = 1; at + size <= data.size(); at += size, size = (size * 7 + 3) % 3001)
    spans.push_back(ByteSpan(data).subspan(at, size));
  std::vector<Digest> digests(spans.size());
  sha256_many(spans, digests);
  for (std::size_t i = 0; i < spans.size(); ++i) ASSERT_EQ(digests[i], evp_sha256(spans[i])) << i;
}

TEST(Sha256WideKernelTest, hashes_sixteen_streams_at_any_alignment) {
  const Sha256WideKernel* const wide = sha256_kernel_avx512();
  if (wide == nullptr) GTEST_SKIP() << "this processor has no AVX-512";
  const Bytes data = random_bytes(10'000, 9);
  for (std::size_t shift = 0; shift < 64; ++shift) {
    for (const std::size_t blocks : {0U, 1U, 2U, 5U}) {
      Sha256WideState state;
      Sha256WideData from;
      for (std::size_t lane = 0; lane < kSha256WideLanes; ++lane) {
        from[lane] = data.data() + lane * 500 + shift;
        for (std::size_t i = 0; i < 8; ++i)
          state.words[i][lane] = kSha256Initial[i] + static_cast<std::uint32_t>(lane);
      }
      wide->sixteen(state, from, blocks);
      for (std::size_t lane = 0; lane < kSha256WideLanes; ++lane) {
        Sha256State alone = kSha256Initial;
        for (std::uint32_t& word : alone) word += static_cast<std::uint32_t>(lane);
        sha256_kernel_openssl().one(alone, from[lane], blocks);
        for (std::size_t i = 0; i < 8; ++i) ASSERT_EQ(state.words[i][lane], alone[i]) << shift << " " << lane;
      }
    }
  }
}

// Published check values of XXH3-64 with seed 0.
TEST(Xxh3, gives_the_reference_values) {
  EXPECT_EQ(xxh3({}), 0x2D06800538D394C2U);
  EXPECT_NE(xxh3(as_bytes("a")), xxh3(as_bytes("b")));
}

}  // namespace
}  // namespace asl
