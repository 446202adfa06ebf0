#include <limits>

#include <asl/engine/cm.h>

#include "format_test_util.h"

namespace asl {
namespace {

using test::expect_error;
using test::expect_integrity_error;
using test::from_hex_text;

template <typename Write>
Bytes written(const Write& write) {
  Bytes bytes;
  CmWriter writer(bytes);
  write(writer);
  return bytes;
}

template <typename Pack>
Bytes packed_by_msgpack_c(const Pack& pack) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  pack(packer);
  const ByteSpan span = as_bytes({buffer.data(), buffer.size()});
  return {span.begin(), span.end()};
}

// Every power of two and its neighbours: all places where the form changes are among them.
std::vector<std::uint64_t> interesting_integers() {
  std::vector<std::uint64_t> values = {0, std::numeric_limits<std::uint64_t>::max()};
  for (unsigned bit = 0; bit < 64; ++bit)
    for (const std::uint64_t delta : {-1ULL, 0ULL, 1ULL}) values.push_back((1ULL << bit) + delta);
  return values;
}

TEST(Cm, unsigned_integers_are_written_as_msgpack_c_does_and_read_back) {
  for (const std::uint64_t value : interesting_integers()) {
    const Bytes bytes = written([&](CmWriter& w) { w.uint(value); });
    EXPECT_EQ(bytes, packed_by_msgpack_c([&](auto& p) { p.pack(value); })) << value;
    CmReader reader(bytes);
    const auto back = reader.uint();
    ASSERT_TRUE(back) << back.error().to_string();
    EXPECT_EQ(*back, value);
    EXPECT_TRUE(reader.finish());
  }
}

TEST(Cm, signed_integers_are_written_as_msgpack_c_does_and_read_back) {
  for (const std::uint64_t raw : interesting_integers()) {
    for (const auto value : {static_cast<std::int64_t>(raw), static_cast<std::int64_t>(0 - raw)}) {
      const Bytes bytes = written([&](CmWriter& w) { w.sint(value); });
      EXPECT_EQ(bytes, packed_by_msgpack_c([&](auto& p) { p.pack(value); })) << value;
      CmReader reader(bytes);
      const auto back = reader.sint();
      ASSERT_TRUE(back) << value << ": " << back.error().to_string();
      EXPECT_EQ(*back, value);
      EXPECT_TRUE(reader.finish());
    }
  }
}

TEST(Cm, strings_of_every_length_form_are_written_as_msgpack_c_does_and_read_back) {
  for (const std::size_t size : {0U, 1U, 31U, 32U, 255U, 256U, 65535U, 65536U}) {
    const std::string text(size, 'x');
    const auto length = static_cast<std::uint32_t>(size);
    const Bytes str = written([&](CmWriter& w) { w.str(text); });
    EXPECT_EQ(str, packed_by_msgpack_c([&](auto& p) { p.pack(text); })) << size;
    CmReader str_reader(str);
    EXPECT_EQ(str_reader.str().value(), text);
    EXPECT_TRUE(str_reader.finish());

    const Bytes bin = written([&](CmWriter& w) { w.bin(as_bytes(text)); });
    EXPECT_EQ(bin,
              packed_by_msgpack_c([&](auto& p) { p.pack_bin(length).pack_bin_body(text.data(), length); }));
    CmReader bin_reader(bin);
    EXPECT_EQ(as_text(bin_reader.bin().value()), text);
    EXPECT_TRUE(bin_reader.finish());
  }
}

TEST(Cm, arrays_of_every_length_form_are_written_as_msgpack_c_does_and_read_back) {
  for (const std::uint32_t count : {0U, 1U, 15U, 16U, 65535U, 65536U}) {
    const Bytes bytes = written([&](CmWriter& w) {
      w.array(count);
      for (std::uint32_t i = 0; i < count; ++i) w.boolean(i % 2 == 0);
    });
    EXPECT_EQ(bytes, packed_by_msgpack_c([&](auto& p) {
                p.pack_array(count);
                for (std::uint32_t i = 0; i < count; ++i) p.pack(i % 2 == 0);
              }));
    CmReader reader(bytes);
    EXPECT_EQ(reader.array().value(), count);
    for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(reader.boolean().value(), i % 2 == 0);
    EXPECT_TRUE(reader.finish());
  }
}

TEST(Cm, nil_and_references_round_trip) {
  const Bytes bytes = written([](CmWriter& w) {
    w.array(3);
    w.nil();
    w.reference(test::typed(7));
    w.reference_or_nil({});
  });
  EXPECT_EQ(test::repacked_by_msgpack_c(bytes), bytes);
  CmReader reader(bytes);
  ASSERT_TRUE(reader.array_exactly(3));
  EXPECT_TRUE(reader.at_nil());
  ASSERT_TRUE(reader.nil());
  EXPECT_FALSE(reader.at_nil());
  EXPECT_EQ(reader.reference_or_nil().value(), test::typed(7));
  EXPECT_TRUE(reader.reference_or_nil().value().is_null());
  EXPECT_TRUE(reader.finish());
}

TEST(Cm, the_documented_example_is_what_is_written) {
  const Bytes bytes = written([](CmWriter& w) {
    w.array(7);
    w.str("asl");
    w.uint(1);
    w.uint(300);
    w.sint(-40);
    w.bin(as_bytes(std::string_view("\xFF\x00", 2)));
    w.nil();
    w.boolean(true);
  });
  EXPECT_EQ(bytes, test::doc_example("format-msgpack.md"));
  EXPECT_EQ(test::repacked_by_msgpack_c(bytes), bytes);
}

TEST(Cm, integers_that_are_not_in_their_shortest_form_are_rejected) {
  for (const char* hex : {"cc00", "cc7f", "cd0000", "cd00ff", "ce00000000", "ce0000ffff",
                          "cf0000000000000000", "cf00000000ffffffff"}) {
    const Bytes bytes = from_hex_text(hex);
    expect_integrity_error(CmReader(bytes).uint(), "shortest form");
    expect_integrity_error(CmReader(bytes).sint(), "shortest form");
  }
  for (const char* hex : {"d000", "d07f", "d0e0", "d0ff", "d10000", "d1ff80", "d17fff", "d2ffff8000",
                          "d20000ffff", "d3ffffffff80000000", "d37fffffffffffffff"}) {
    const Bytes bytes = from_hex_text(hex);
    expect_integrity_error(CmReader(bytes).sint(), "shortest form");
    expect_integrity_error(CmReader(bytes).uint(), "not an unsigned integer");
  }
}

TEST(Cm, shortest_wide_forms_at_the_border_are_accepted) {
  EXPECT_EQ(CmReader(from_hex_text("d0df")).sint().value(), -33);
  EXPECT_EQ(CmReader(from_hex_text("d1ff7f")).sint().value(), -129);
  EXPECT_EQ(CmReader(from_hex_text("d2ffff7fff")).sint().value(), -32769);
  EXPECT_EQ(CmReader(from_hex_text("d3ffffffff7fffffff")).sint().value(), -2147483649LL);
}

TEST(Cm, an_unsigned_integer_beyond_the_signed_range_is_no_signed_one) {
  expect_integrity_error(CmReader(from_hex_text("cf8000000000000000")).sint(), "is more than");
}

TEST(Cm, strings_and_arrays_that_are_not_in_their_shortest_form_are_rejected) {
  for (const char* hex : {"d90161", "d91f61", "da000161", "da00ff61", "db0000000161", "db0000ffff61"})
    expect_integrity_error(CmReader(from_hex_text(hex)).str(), "shortest form");
  for (const char* hex : {"c5000161", "c500ff61", "c60000000161", "c60000ffff61"})
    expect_integrity_error(CmReader(from_hex_text(hex)).bin(), "shortest form");
  for (const char* hex : {"dc0001c0", "dc000fc0", "dd00000001c0", "dd0000ffffc0"})
    expect_integrity_error(CmReader(from_hex_text(hex)).array(), "shortest form");
}

TEST(Cm, every_other_kind_of_value_is_rejected_by_every_getter) {
  // Small and wide maps, the unused marker, extension types, floats.
  for (const unsigned marker : {0x80U, 0x81U, 0x8FU, 0xDEU, 0xDFU, 0xC1U, 0xC7U, 0xC8U, 0xC9U, 0xCAU, 0xCBU,
                                0xD4U, 0xD5U, 0xD6U, 0xD7U, 0xD8U}) {
    Bytes bytes(20);
    bytes[0] = static_cast<std::byte>(marker);
    expect_integrity_error(CmReader(bytes).array(), "a value is not");
    expect_integrity_error(CmReader(bytes).uint(), "a value is not");
    expect_integrity_error(CmReader(bytes).sint(), "a value is not");
    expect_integrity_error(CmReader(bytes).bin(), "a value is not");
    expect_integrity_error(CmReader(bytes).str(), "a value is not");
    expect_integrity_error(CmReader(bytes).boolean(), "a value is not");
    expect_integrity_error(CmReader(bytes).nil(), "a value is not");
    expect_integrity_error(CmReader(bytes).reference(), "a value is not");
  }
}

TEST(Cm, a_getter_rejects_every_first_byte_of_another_kind) {
  int accepted = 0;
  for (unsigned marker = 0; marker <= 0xFF; ++marker) {
    Bytes bytes(300, std::byte{0x61});
    bytes[0] = static_cast<std::byte>(marker);
    accepted += CmReader(bytes).array().has_value() ? 1 : 0;
    accepted += CmReader(bytes).sint().has_value() ? 1 : 0;
    accepted += CmReader(bytes).bin().has_value() ? 1 : 0;
    accepted += CmReader(bytes).str().has_value() ? 1 : 0;
    accepted += CmReader(bytes).boolean().has_value() ? 1 : 0;
    accepted += CmReader(bytes).nil().has_value() ? 1 : 0;
  }
  constexpr int kArrays = 16;              // fixarray; wider counts are more than there are bytes
  constexpr int kIntegers = 128 + 32 + 3;  // fixints, uint16 to uint64; 0x61 in int forms is not shortest
  constexpr int kStrings = 1 + 32 + 1;     // bin8, fixstr, str8
  constexpr int kOthers = 2 + 1;           // booleans, nil
  EXPECT_EQ(accepted, kArrays + kIntegers + kStrings + kOthers);
}

TEST(Cm, texts_must_be_utf8) {
  for (const char* good :
       {"", "a", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
        "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "plain text, then \xC3\xA9"})
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  for (const char* bad : {"\x80",
                          "\xBF",
                          "\xC0\x80",
                          "\xC1\xBF",
                          "\xC2",
                          "\xC2\x7F",
                          "\xC2\xC0",
                          "\xE0\x9F\xBF",
                          "\xE0\xA0",
                          "\xED\xA0\x80",
                          "\xED\xBF\xBF",
                          "\xE1\x80\x7F",
                          "\xF0\x8F\xBF\xBF",
                          "\xF0\x90\x80",
                          "\xF4\x90\x80\x80",
                          "\xF1\x80\x80\x7F",
                          "\xF5\x80\x80\x80",
                          "\xFE",
                          "\xFF",
                          "eight bytes of it, then \xFF"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
    expect_integrity_error(CmReader(written([&](CmWriter& w) { w.str(bad); })).str(), "UTF-8");
  }
}

TEST(Cm, limits_of_the_caller_are_kept) {
  expect_integrity_error(CmReader(from_hex_text("0b")).uint(10), "11 is more than 10");
  expect_integrity_error(CmReader(from_hex_text("c4020000")).bin(1), "more than the 1 allowed");
  expect_integrity_error(CmReader(from_hex_text("a26161")).str(1), "more than the 1 allowed");
  expect_integrity_error(CmReader(from_hex_text("920000")).array(1), "at most 1");
  expect_integrity_error(CmReader(from_hex_text("920000")).array_exactly(3), "2 values instead of 3");
}

TEST(Cm, announced_sizes_are_checked_against_what_is_there) {
  for (const char* hex : {"c405aabb", "c6ffffffffaa", "c4", "c500"})
    expect_integrity_error(CmReader(from_hex_text(hex)).bin(), "ends too early");
  expect_integrity_error(CmReader(from_hex_text("a561")).str(), "ends too early");
  expect_integrity_error(CmReader(from_hex_text("cd01")).uint(), "ends too early");
  expect_integrity_error(CmReader(ByteSpan{}).uint(), "ends too early");
  expect_integrity_error(CmReader(ByteSpan{}).sint(), "ends too early");
  // An allocation for the announced count would be 4 billion items.
  expect_integrity_error(CmReader(from_hex_text("ddffffffff00")).array(), "more values than there are bytes");
}

TEST(Cm, a_reference_must_be_a_bin_of_34_bytes_with_a_hash_id) {
  expect_integrity_error(CmReader(from_hex_text("c403000102")).reference(), "34 bytes");
  Bytes zero_id(36);
  zero_id[0] = std::byte{0xC4};
  zero_id[1] = std::byte{34};
  expect_integrity_error(CmReader(zero_id).reference(), "hash id 0");
}

TEST(Cm, nesting_stops_at_the_limit) {
  for (const std::size_t depth : {kCmDepthMax, kCmDepthMax + 1}) {
    Bytes bytes(depth - 1, std::byte{0x91});
    bytes.push_back(std::byte{0x90});
    CmReader reader(bytes);
    for (std::size_t i = 0; i < kCmDepthMax; ++i) ASSERT_TRUE(reader.array());
    if (depth == kCmDepthMax) {
      EXPECT_TRUE(reader.finish());
    } else {
      expect_integrity_error(reader.array(), "nested too deeply");
    }
  }
}

TEST(Cm, wide_arrays_do_not_count_as_depth) {
  const Bytes bytes = written([](CmWriter& w) {
    w.array(100);
    for (int i = 0; i < 100; ++i) w.array(0);
  });
  CmReader reader(bytes);
  ASSERT_TRUE(reader.array_exactly(100));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(reader.array_exactly(0));
  EXPECT_TRUE(reader.finish());
}

TEST(Cm, finish_requires_the_whole_value_and_nothing_more) {
  const Bytes two_of_two = from_hex_text("920102");
  CmReader early(two_of_two);
  expect_integrity_error(early.finish(), "fewer values");
  ASSERT_TRUE(early.array());
  ASSERT_TRUE(early.uint());
  expect_integrity_error(early.finish(), "fewer values");
  ASSERT_TRUE(early.uint());
  EXPECT_TRUE(early.finish());

  const Bytes trailing = from_hex_text("9101c0");
  CmReader reader(trailing);
  ASSERT_TRUE(reader.array());
  ASSERT_TRUE(reader.uint());
  expect_integrity_error(reader.finish(), "bytes after its end");
  expect_integrity_error(reader.nil(), "more values than were announced");
}

TEST(Cm, header_tells_another_format_from_another_version) {
  const Bytes bytes = written([](CmWriter& w) {
    w.array(2);
    w.str("asl-tree");
    w.uint(2);
  });
  CmReader reader(bytes);
  ASSERT_TRUE(reader.array());
  expect_error(reader.header("asl-tree", 1), ErrorCode::kUnsupported, "version 2 of \"asl-tree\"");
  CmReader other(bytes);
  ASSERT_TRUE(other.array());
  expect_integrity_error(other.header("asl-partial", 1), "does not begin with \"asl-partial\"");
}

TEST(Cm, violations_carry_the_offset_of_the_value) {
  const Bytes bytes = from_hex_text("9201cc05");
  CmReader reader(bytes);
  ASSERT_TRUE(reader.array());
  ASSERT_TRUE(reader.uint());
  const auto result = reader.uint();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().offset, 2U);
}

}  // namespace
}  // namespace asl
