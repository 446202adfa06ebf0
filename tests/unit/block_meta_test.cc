#include "format/block_meta.h"

#include <functional>

#include <asl/engine/cm.h>
#include <asl/engine/hash.h>

#include "format_test_util.h"

namespace asl {
namespace {

using test::expect_error;
using test::expect_integrity_error;

BlockMeta example() {
  return {77824,
          {{0, 100, test::untyped(1).digest},
           {100, 65535, test::untyped(2).digest},
           {69632, 5000, test::untyped(3).digest}}};
}

Bytes unchecked(const BlockMeta& meta) {
  Bytes bytes;
  CmWriter writer(bytes);
  writer.array(4);
  writer.str("asl-block");
  writer.uint(1);
  writer.uint(meta.length_bytes);
  writer.array(static_cast<std::uint32_t>(meta.extents.size()));
  for (const StoredExtent& extent : meta.extents) {
    writer.array(3);
    writer.uint(extent.offset_bytes);
    writer.uint(extent.stored_length_bytes);
    writer.bin(extent.stored_digest);
  }
  return bytes;
}

Bytes unchecked_list(const std::vector<Bytes>& ids) {
  Bytes bytes;
  CmWriter writer(bytes);
  writer.array(3);
  writer.str("asl-blocks");
  writer.uint(1);
  writer.array(static_cast<std::uint32_t>(ids.size()));
  for (const Bytes& id : ids) writer.bin(id);
  return bytes;
}

TEST(BlockMeta, round_trips_and_has_one_encoding) {
  const auto bytes = encode_block_meta(example());
  ASSERT_TRUE(bytes) << bytes.error().to_string();
  EXPECT_EQ(decode_block_meta(*bytes).value(), example());
  EXPECT_EQ(unchecked(example()), *bytes);
  EXPECT_EQ(block_id_of(*bytes), sha256(*bytes));
  test::expect_one_encoding(*bytes, decode_block_meta, encode_block_meta);
}

TEST(BlockMeta, each_rule_is_enforced_by_both_sides) {
  const Digest digest{};
  const std::initializer_list<std::pair<std::string_view, std::function<void(BlockMeta&)>>> cases = {
      {"length is not possible", [](BlockMeta& m) { m.length_bytes = 0; }},
      {"length is not possible", [](BlockMeta& m) { m.length_bytes += 1; }},
      {"length is not possible", [](BlockMeta& m) { m.length_bytes = kBlockLengthMax + kPageSize; }},
      {"number of extents", [](BlockMeta& m) { m.extents.clear(); }},
      {"an extent is empty", [](BlockMeta& m) { m.extents[1].stored_length_bytes = 0; }},
      {"overlap", [](BlockMeta& m) { m.extents[1].offset_bytes = 99; }},
      {"overlap", [](BlockMeta& m) { std::swap(m.extents[0], m.extents[1]); }},
      {"overlap", [](BlockMeta& m) { m.extents[1] = m.extents[0]; }},
      {"does not start on a page", [](BlockMeta& m) { m.extents[1].stored_length_bytes = kSmallExtentMax; }},
      {"past its block's end", [](BlockMeta& m) { m.extents[2].stored_length_bytes = 8193; }},
      {"past its block's end", [&](BlockMeta& m) { m.extents.push_back({kBlockLengthMax, 1, digest}); }},
  };
  for (const auto& [rule, spoil] : cases) {
    BlockMeta meta = example();
    spoil(meta);
    expect_error(encode_block_meta(meta), ErrorCode::kMalformed, rule);
    expect_integrity_error(decode_block_meta(unchecked(meta)), rule);
  }
}

TEST(BlockMeta, offsets_that_would_wrap_are_rejected) {
  BlockMeta meta = example();
  meta.extents[2] = {0xFFFF'F000, 0x2000, {}};
  expect_error(encode_block_meta(meta), ErrorCode::kMalformed, "past its block's end");
  EXPECT_FALSE(decode_block_meta(unchecked(meta)));
}

TEST(BlockMeta, extents_that_touch_and_fill_the_block_are_accepted) {
  const BlockMeta meta{kBlockLengthMax, {{0, 4096, {}}, {4096, kBlockLengthMax - 4096, {}}}};
  test::expect_one_encoding(encode_block_meta(meta).value(), decode_block_meta, encode_block_meta);
}

TEST(BlockMeta, the_number_of_extents_is_limited) {
  BlockMeta meta{kBlockLengthMax, {}};
  for (std::uint32_t i = 0; i < kExtentsPerBlockMax; ++i) meta.extents.push_back({0x0100'0000 + i, 1, {}});
  const auto largest = encode_block_meta(meta);
  ASSERT_TRUE(largest);
  EXPECT_LE(largest->size(), kBlockMetaSizeMax);
  EXPECT_EQ(decode_block_meta(*largest).value(), meta);
  meta.extents.push_back({0x0100'0000 + kExtentsPerBlockMax, 1, {}});
  expect_error(encode_block_meta(meta), ErrorCode::kMalformed, "number of extents");
  expect_integrity_error(decode_block_meta(unchecked(meta)), "at most 65536");
}

TEST(BlockMeta, a_digest_must_have_32_bytes) {
  Bytes bytes = unchecked({4096, {{0, 1, {}}}});
  bytes.pop_back();
  const auto size_at = bytes.size() - 32;
  ASSERT_EQ(bytes[size_at], std::byte{32});
  bytes[size_at] = std::byte{31};
  expect_integrity_error(decode_block_meta(bytes), "32 bytes");
}

TEST(BlockMeta, size_is_limited_before_anything_is_decoded) {
  expect_integrity_error(decode_block_meta(Bytes(kBlockMetaSizeMax + 1)), "too large");
  expect_integrity_error(decode_block_list(Bytes(kBlockListSizeMax + 1)), "too large");
}

TEST(BlockMeta, another_version_is_refused) {
  Bytes bytes = encode_block_meta(example()).value();
  bytes[11] = std::byte{2};
  expect_error(decode_block_meta(bytes), ErrorCode::kUnsupported, "version 2");
}

TEST(BlockList, round_trips_and_has_one_encoding) {
  for (const auto& ids :
       {std::vector<BlockId>{}, std::vector<BlockId>{test::untyped(1).digest, test::untyped(2).digest}}) {
    const auto bytes = encode_block_list(ids);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(decode_block_list(*bytes).value(), ids);
    test::expect_one_encoding(*bytes, decode_block_list, encode_block_list);
  }
}

TEST(BlockList, ids_out_of_order_or_twice_are_rejected) {
  for (const std::uint8_t second : {std::uint8_t{1}, std::uint8_t{2}}) {
    expect_error(encode_block_list({test::untyped(2).digest, test::untyped(second).digest}),
                 ErrorCode::kMalformed, "not sorted");
    expect_integrity_error(decode_block_list(unchecked_list(
                               {Bytes(32, std::byte{2}), Bytes(32, static_cast<std::byte>(second))})),
                           "not sorted");
  }
}

TEST(BlockList, an_id_must_have_32_bytes) {
  expect_integrity_error(decode_block_list(unchecked_list({Bytes(31)})), "32 bytes");
  EXPECT_FALSE(decode_block_list(unchecked_list({Bytes(33)})));
}

TEST(BlockList, what_passes_the_size_limit_is_not_written) {
  std::vector<BlockId> ids(kBlockListSizeMax / 34 + 1);
  for (std::size_t i = 0; i < ids.size(); ++i) store_be<std::uint64_t>(ids[i].data(), i);
  expect_error(encode_block_list(ids), ErrorCode::kUnsupported, "too large");
}

}  // namespace
}  // namespace asl
