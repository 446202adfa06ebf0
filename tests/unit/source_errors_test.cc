#include <cerrno>

#include <asl/engine/cm.h>
#include <asl/engine/source_errors.h>

#include "format_test_util.h"

namespace asl {
namespace {

using test::expect_error;
using test::expect_integrity_error;

std::vector<SourceError> example() {
  return {
      {"/home/ada/mail/7", "read", EIO}, {"/home/ada/\xFF", "open", EACCES}, {"/home/ada/log", "changed", 0}};
}

Bytes unchecked(const SourceError& error) {
  Bytes bytes;
  CmWriter writer(bytes);
  writer.array(3);
  writer.str("asl-errors");
  writer.uint(1);
  writer.array(1);
  writer.array(3);
  writer.bin(as_bytes(error.path));
  writer.str(error.operation);
  writer.sint(error.sys_errno);
  return bytes;
}

TEST(SourceErrors, round_trip_in_the_order_met_and_have_one_encoding) {
  const auto bytes = encode_source_errors(example());
  ASSERT_TRUE(bytes) << bytes.error().to_string();
  EXPECT_EQ(decode_source_errors(*bytes).value(), example());
  test::expect_one_encoding(*bytes, decode_source_errors, encode_source_errors);
  test::expect_one_encoding(encode_source_errors({}).value(), decode_source_errors, encode_source_errors);
}

TEST(SourceErrors, the_documented_example_is_what_is_written) {
  EXPECT_EQ(encode_source_errors(example()).value(), test::doc_example("format-snapshot.md", 1))
      << to_hex(encode_source_errors(example()).value());
}

TEST(SourceErrors, each_rule_is_enforced_by_both_sides) {
  const std::initializer_list<std::pair<SourceError, std::string_view>> cases = {
      {{"", "read", 5}, "path is empty"},
      {{std::string("a\0b", 3), "read", 5}, "holds a NUL"},
      {{"/a", "", 5}, "not a short text"},
  };
  for (const auto& [error, rule] : cases) {
    expect_error(encode_source_errors({error}), ErrorCode::kMalformed, rule);
    expect_integrity_error(decode_source_errors(unchecked(error)), rule);
  }
  const std::initializer_list<std::pair<SourceError, std::string_view>> refused_by_form = {
      {{std::string(kSourceErrorPathSizeMax + 1, 'p'), "read", 5}, "too long"},
      {{"/a", std::string(kSourceErrorOperationSizeMax + 1, 'o'), 5}, "not a short text"},
      {{"/a", "\xFF", 5}, "not a short text"},
      {{"/a", "read", -1}, "out of range"},
      {{"/a", "read", kErrnoMax + 1}, "out of range"},
  };
  for (const auto& [error, rule] : refused_by_form) {
    expect_error(encode_source_errors({error}), ErrorCode::kMalformed, rule);
    EXPECT_FALSE(decode_source_errors(unchecked(error))) << rule;
  }
}

TEST(SourceErrors, size_is_limited_before_anything_is_decoded) {
  expect_integrity_error(decode_source_errors(Bytes(kSourceErrorsSizeMax + 1)), "too large");
}

TEST(SourceErrorList, encodes_what_was_added) {
  SourceErrorList list;
  EXPECT_TRUE(list.empty());
  for (const SourceError& error : example()) list.add(error);
  EXPECT_FALSE(list.empty());
  EXPECT_EQ(list.total(), 3U);
  EXPECT_EQ(list.encode(), encode_source_errors(example()).value());
}

TEST(SourceErrorList, bends_what_breaks_a_rule_instead_of_losing_it) {
  SourceErrorList list;
  list.add({"", "", -1});
  list.add({std::string(kSourceErrorPathSizeMax + 9, 'p'), std::string("\xFF"), kErrnoMax + 1});
  list.add({std::string("a\0b", 3), "read", EIO});
  const auto errors = decode_source_errors(list.encode());
  ASSERT_TRUE(errors) << errors.error().to_string();
  EXPECT_EQ(*errors, (std::vector<SourceError>{{"?", "unknown", 0},
                                               {std::string(kSourceErrorPathSizeMax, 'p'), "unknown", 0},
                                               {"a", "read", EIO}}));
}

TEST(SourceErrorList, stops_listing_at_the_size_limit_but_goes_on_counting) {
  SourceErrorList list;
  const SourceError large{std::string(kSourceErrorPathSizeMax, 'p'), "read", EIO};
  for (int i = 0; i < 1100; ++i) list.add(large);
  // Would fit, but a list with holes would not be the beginning of what was met.
  list.add({"/small", "read", EIO});
  EXPECT_EQ(list.total(), 1101U);
  EXPECT_LT(list.listed(), 1024U);
  const Bytes bytes = list.encode();
  EXPECT_LE(bytes.size(), kSourceErrorsSizeMax);
  EXPECT_EQ(decode_source_errors(bytes).value().size(), list.listed());
  expect_error(encode_source_errors(std::vector<SourceError>(1100, large)), ErrorCode::kUnsupported,
               "too large");
}

}  // namespace
}  // namespace asl
