#include <cstdint>
#include <gtest/gtest.h>
#include <utility>

#include <asl/engine/bytes.h>

namespace asl {
namespace {

TEST(Bytes, loads_and_stores_both_byte_orders_at_any_alignment) {
  std::array<std::byte, 16> memory = {};
  for (std::size_t at = 0; at < 8; ++at) {
    store_le<std::uint32_t>(memory.data() + at, 0x01020304U);
    EXPECT_EQ(memory[at], std::byte{4});
    EXPECT_EQ(load_be<std::uint32_t>(memory.data() + at), 0x04030201U);
    store_be<std::uint64_t>(memory.data() + at, 0x0102030405060708U);
    EXPECT_EQ(memory[at], std::byte{1});
    EXPECT_EQ(load_le<std::uint64_t>(memory.data() + at), 0x0807060504030201U);
  }
}

TEST(Bytes, hex_round_trips_every_byte) {
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i);
  const std::string hex = to_hex(all);
  EXPECT_EQ(hex.substr(0, 6), "000102");
  EXPECT_EQ(hex.substr(506), "fdfeff");
  Bytes back(256);
  ASSERT_TRUE(from_hex(hex, back));
  EXPECT_EQ(back, all);
}

TEST(Bytes, hex_of_wrong_length_case_or_character_is_rejected) {
  Bytes two(2);
  EXPECT_TRUE(from_hex("00ff", two));
  for (const std::string_view bad :
       {"", "00f", "00ff0", "00ff00", "00FF", "00Ff", "00fg", "g0ff", " 0ff", "00f ", "0x00", "/0ff", ":0ff"})
    EXPECT_FALSE(from_hex(bad, two)) << bad;
  EXPECT_FALSE(from_hex(std::string_view("00\0f", 4), two));
}

TEST(Bytes, a_digest_needs_exactly_64_digits) {
  const std::string good(64, 'a');
  const auto digest = digest_from_hex(good);
  ASSERT_TRUE(digest);
  EXPECT_EQ(to_hex(digest_bytes(*digest)), good);
  EXPECT_FALSE(digest_from_hex(good.substr(1)));
  EXPECT_FALSE(digest_from_hex(good + "a"));
  EXPECT_FALSE(digest_from_hex(std::string(64, 'A')));
}

TEST(Bytes, all_zero_sees_one_set_bit_anywhere) {
  EXPECT_TRUE(all_zero({}));
  Bytes memory(1100);
  for (std::size_t begin = 0; begin < 9; ++begin) {
    for (const std::size_t size : {1U, 7U, 8U, 9U, 255U, 256U, 257U, 700U, 1024U}) {
      const ByteSpan span(memory.data() + begin, size);
      EXPECT_TRUE(all_zero(span));
      for (std::size_t i = 0; i < size; ++i) {
        memory[begin + i] = std::byte{1};
        ASSERT_FALSE(all_zero(span)) << begin << " " << size << " " << i;
        memory[begin + i] = std::byte{0};
      }
      // What lies outside the span does not count.
      memory[begin + size] = std::byte{0x80};
      EXPECT_TRUE(all_zero(span));
      memory[begin + size] = std::byte{0};
    }
  }
}

TEST(Bytes, round_up_reaches_the_next_multiple) {
  EXPECT_EQ(round_up(0, 4096), 0U);
  EXPECT_EQ(round_up(1, 4096), 4096U);
  EXPECT_EQ(round_up(4096, 4096), 4096U);
  EXPECT_EQ(round_up(4097, 4096), 8192U);
}

TEST(AlignedBufferTest, is_aligned_and_at_least_as_large_as_asked) {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{4096}, std::size_t{5000}, std::size_t{3} << 20}) {
    AlignedBuffer buffer(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % kPageSize, 0U);
    EXPECT_EQ(buffer.size(), round_up(size, kPageSize));
    buffer.span().front() = buffer.span().back() = std::byte{7};
    EXPECT_EQ(buffer.data()[buffer.size() - 1], std::byte{7});
  }
}

TEST(AlignedBufferTest, of_no_bytes_holds_nothing) {
  AlignedBuffer buffer(0);
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_TRUE(buffer.span().empty());
}

TEST(AlignedBufferTest, moving_leaves_an_empty_source) {
  AlignedBuffer first(4096);
  std::byte* const memory = first.data();
  AlignedBuffer second(std::move(first));
  EXPECT_EQ(second.data(), memory);
  EXPECT_TRUE(
      first.span().empty());  // NOLINT(bugprone-use-after-move): the state after a move is the contract
  AlignedBuffer third;
  third = std::move(second);
  EXPECT_EQ(third.data(), memory);
  EXPECT_TRUE(second.span().empty());  // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace asl
