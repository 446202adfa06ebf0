#include <asl/engine/hash.h>
#include <asl/engine/reference.h>

#include "format_test_util.h"

namespace asl {
namespace {

using test::expect_error;

// SHA-256 of nothing, as sha256sum prints it.
constexpr std::string_view kEmptyHex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Reference, untyped_text_form_is_what_sha256sum_prints) {
  EXPECT_EQ(to_text(untyped_reference(sha256({}))), "sha256:" + std::string(kEmptyHex));
}

TEST(Reference, typed_reference_hashes_version_tag_and_length_before_the_bytes) {
  const Bytes bytes = test::from_hex_text("616263");
  const Bytes encoding = test::from_hex_text(
      "01"
      "00a50001"
      "0000000000000003"
      "616263");
  EXPECT_EQ(typed_reference(kTagTree, bytes), (Reference{kHashIdAsl1, sha256(encoding)}));
  const auto prefix = typed_prefix(kTagTree, 3);
  EXPECT_EQ(Bytes(prefix.begin(), prefix.end()), Bytes(encoding.begin(), encoding.begin() + 13));
}

TEST(Reference, untyped_bytes_that_look_like_a_typed_encoding_have_another_name) {
  const Bytes encoding = test::from_hex_text(
      "01"
      "00a50001"
      "0000000000000003"
      "616263");
  EXPECT_NE(untyped_reference(sha256(encoding)), typed_reference(kTagTree, test::from_hex_text("616263")));
}

TEST(Reference, binary_form_is_the_documented_example) {
  const Bytes example = test::doc_example("format-reference.md", 0);
  const auto ref = decode_reference(example);
  ASSERT_TRUE(ref);
  EXPECT_EQ(*ref, untyped_reference(sha256(as_bytes("hello\n"))));
  const auto again = encode_reference(*ref);
  EXPECT_EQ(Bytes(again.begin(), again.end()), example);

  const Bytes typed_example = test::doc_example("format-reference.md", 2);
  const auto typed = decode_reference(typed_example);
  ASSERT_TRUE(typed);
  EXPECT_EQ(*typed, (Reference{kHashIdAsl1, sha256(test::doc_example("format-reference.md", 1))}));
  EXPECT_EQ(*typed, typed_reference(kTagTree, test::doc_example("format-tree.md", 0)));
}

TEST(Reference, binary_form_must_have_34_bytes) {
  expect_error(decode_reference(Bytes(33, std::byte{1})), ErrorCode::kMalformed, "34 bytes");
  expect_error(decode_reference(Bytes(35, std::byte{1})), ErrorCode::kMalformed, "34 bytes");
  expect_error(decode_reference({}), ErrorCode::kMalformed, "34 bytes");
}

TEST(Reference, hash_id_zero_is_rejected) {
  Bytes bytes(kReferenceSize, std::byte{1});
  bytes[0] = bytes[1] = std::byte{0};
  expect_error(decode_reference(bytes), ErrorCode::kMalformed, "reserved hash id 0");
}

TEST(Reference, unknown_hash_ids_decode_and_print) {
  const auto ref = decode_reference(Bytes(kReferenceSize, std::byte{0x12}));
  ASSERT_TRUE(ref);
  EXPECT_EQ(ref->hash_id, 0x1212);
  EXPECT_EQ(to_text(*ref).substr(0, 12), "hash-1212:12");
  expect_error(parse_reference(to_text(*ref)), ErrorCode::kMalformed, "not a reference");
}

TEST(Reference, text_form_round_trips) {
  for (const Reference& ref : {test::untyped(0xAB), test::typed(0xCD)}) {
    const auto back = parse_reference(to_text(ref));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, ref);
  }
}

TEST(Reference, text_form_accepts_nothing_else) {
  const std::string hex(kEmptyHex);
  for (const std::string& text : {hex, "sha256:" + hex.substr(1), "sha256:" + hex + "0", "SHA256:" + hex,
                                  "sha256: " + hex, "md5:" + hex, "sha256:E" + hex.substr(1),
                                  "asl1:g" + hex.substr(1), std::string("sha256:"), std::string()})
    expect_error(parse_reference(text), ErrorCode::kMalformed, "not a reference");
}

TEST(ReferencePrefix, bare_hex_means_sha256) {
  const auto prefix = parse_reference_prefix(kEmptyHex.substr(0, 8));
  ASSERT_TRUE(prefix);
  EXPECT_FALSE(prefix->whole());
  EXPECT_TRUE(prefix->matches(untyped_reference(sha256({}))));
  EXPECT_FALSE(prefix->matches(Reference{kHashIdAsl1, sha256({})}));
  EXPECT_FALSE(prefix->matches(test::untyped(0)));
}

TEST(ReferencePrefix, names_its_hash_and_may_be_whole) {
  const auto prefix = parse_reference_prefix("asl1:" + std::string(kEmptyHex));
  ASSERT_TRUE(prefix);
  EXPECT_EQ(prefix->whole(), (Reference{kHashIdAsl1, sha256({})}));
}

TEST(ReferencePrefix, must_have_8_to_64_lower_case_hex_digits) {
  for (const std::string& text : {std::string("e3b0c44"), std::string("E3B0C442"), std::string("e3b0c44x"),
                                  std::string(kEmptyHex) + "0", std::string("asl1:"), std::string()})
    expect_error(parse_reference_prefix(text), ErrorCode::kMalformed, "beginning of one");
}

TEST(Reference, hostile_text_is_cut_short_in_the_message) {
  const auto result = parse_reference(std::string(100'000, 'x'));
  ASSERT_FALSE(result);
  EXPECT_LT(result.error().to_string().size(), 200U);
}

}  // namespace
}  // namespace asl
