#include <string>

#include <asl/engine/cm.h>
#include <asl/engine/hash.h>
#include <asl/engine/partial.h>

#include "format_test_util.h"

namespace asl {
namespace {

using test::expect_error;
using test::expect_integrity_error;

Partial example() {
  return {12288,
          {{0, 4096, test::untyped(0x11)}, {8192, 4096, test::untyped(0x33)}},
          {{4096, 512, GapStatus::kBad}, {4608, 3584, GapStatus::kNotTrimmed}}};
}

// What encode_partial would write if it checked nothing.
Bytes unchecked(const Partial& partial) {
  Bytes bytes;
  CmWriter writer(bytes);
  writer.array(5);
  writer.str("asl-partial");
  writer.uint(1);
  writer.uint(partial.length_bytes);
  writer.array(static_cast<std::uint32_t>(partial.pieces.size()));
  for (const PartialPiece& piece : partial.pieces) {
    writer.array(3);
    writer.uint(piece.offset_bytes);
    writer.uint(piece.length_bytes);
    writer.reference(piece.ref);
  }
  writer.array(static_cast<std::uint32_t>(partial.gaps.size()));
  for (const PartialGap& gap : partial.gaps) {
    writer.array(3);
    writer.uint(gap.offset_bytes);
    writer.uint(gap.length_bytes);
    writer.str(std::string(1, static_cast<char>(gap.status)));
  }
  return bytes;
}

void expect_refused(const Partial& partial, std::string_view rule) {
  expect_error(encode_partial(partial), ErrorCode::kMalformed, rule);
  expect_integrity_error(decode_partial(unchecked(partial)), rule);
}

TEST(Partial, round_trips_and_has_one_encoding) {
  const auto bytes = encode_partial(example());
  ASSERT_TRUE(bytes) << bytes.error().to_string();
  EXPECT_EQ(decode_partial(*bytes).value(), example());
  test::expect_one_encoding(*bytes, decode_partial, encode_partial);
}

TEST(Partial, the_documented_example_is_what_is_written) {
  EXPECT_EQ(encode_partial(example()).value(), test::doc_example("format-partial.md"))
      << to_hex(encode_partial(example()).value());
}

TEST(Partial, a_file_that_could_not_be_opened_is_one_gap) {
  const Partial unopened{1000, {}, {{0, 1000, GapStatus::kNotTried}}};
  test::expect_one_encoding(encode_partial(unopened).value(), decode_partial, encode_partial);
  test::expect_one_encoding(encode_partial(Partial{}).value(), decode_partial, encode_partial);
}

TEST(Partial, every_status_of_a_mapfile_but_finished_is_accepted) {
  for (const char status : {'?', '*', '/', '-'})
    EXPECT_TRUE(decode_partial(unchecked({1, {}, {{0, 1, static_cast<GapStatus>(status)}}})));
  for (const char status : {'+', 'a', '\0'})
    expect_refused({1, {}, {{0, 1, static_cast<GapStatus>(status)}}}, "unknown status");
}

TEST(Partial, a_status_must_be_one_character) {
  for (const std::string_view status : {std::string_view(), std::string_view("??")}) {
    Bytes bytes;
    CmWriter writer(bytes);
    writer.array(5);
    writer.str("asl-partial");
    writer.uint(1);
    writer.uint(1);
    writer.array(0);
    writer.array(1);
    writer.array(3);
    writer.uint(0);
    writer.uint(1);
    writer.str(status);
    expect_integrity_error(decode_partial(bytes), "one character");
  }
}

TEST(Partial, pieces_and_gaps_must_cover_the_file) {
  Partial partial = example();
  partial.length_bytes += 1;
  expect_refused(partial, "do not cover");
  partial.length_bytes -= 2;
  expect_refused(partial, "do not cover");
  partial = example();
  partial.pieces.erase(partial.pieces.begin());
  expect_refused(partial, "do not cover");
  partial = example();
  partial.gaps.pop_back();
  expect_refused(partial, "do not cover");
}

TEST(Partial, overlaps_and_disorder_are_rejected) {
  Partial partial = example();
  partial.pieces[0].length_bytes += 1;
  expect_refused(partial, "do not cover");
  partial = example();
  partial.gaps[1].offset_bytes -= 1;
  expect_refused(partial, "do not cover");
  partial = example();
  std::swap(partial.pieces[0], partial.pieces[1]);
  expect_refused(partial, "do not cover");
  partial = example();
  std::swap(partial.gaps[0], partial.gaps[1]);
  expect_refused(partial, "do not cover");
  // A gap over what a piece holds as well.
  partial = example();
  partial.gaps.push_back({8192, 4096, GapStatus::kBad});
  expect_refused(partial, "do not cover");
}

TEST(Partial, lengths_that_overflow_are_rejected) {
  expect_refused({100, {}, {{0, 50, GapStatus::kBad}, {50, ~0ULL, GapStatus::kBad}}}, "do not cover");
  expect_refused({kArtifactLengthMax + 1, {}, {{0, kArtifactLengthMax + 1, GapStatus::kBad}}}, "too long");
}

TEST(Partial, empty_ranges_are_rejected) {
  Partial partial = example();
  partial.gaps.insert(partial.gaps.begin(), {4096, 0, GapStatus::kBad});
  expect_refused(partial, "a range is empty");
  expect_refused({0, {}, {{0, 0, GapStatus::kNotTried}}}, "a range is empty");
}

TEST(Partial, a_file_without_a_gap_is_no_partial) {
  expect_refused({10, {{0, 10, test::untyped(1)}}, {}}, "no gap");
}

TEST(Partial, pieces_are_untyped_artifacts) {
  Partial partial = example();
  partial.pieces[0].ref = test::typed(1);
  expect_refused(partial, "untyped");
  partial.pieces[0].ref = {};
  expect_error(encode_partial(partial), ErrorCode::kMalformed, "untyped");
  EXPECT_FALSE(decode_partial(unchecked(partial)));
}

TEST(Partial, size_is_limited_before_anything_is_decoded) {
  expect_integrity_error(decode_partial(Bytes(kPartialSizeMax + 1)), "too large");
}

TEST(Partial, what_passes_the_size_limit_is_not_written) {
  constexpr std::uint64_t kRanges = 8'000'000;  // nine bytes each: array, 32-bit offset, length, status
  Partial partial;
  partial.length_bytes = kRanges;
  for (std::uint64_t i = 0; i < kRanges; ++i) partial.gaps.push_back({i, 1, GapStatus::kBad});
  expect_error(encode_partial(partial), ErrorCode::kUnsupported, "too large");
}

TEST(Partial, another_version_or_format_is_refused) {
  Bytes bytes = encode_partial(example()).value();
  const auto version_at = 1 + 1 + std::string_view("asl-partial").size();
  bytes[version_at] = std::byte{2};
  expect_error(decode_partial(bytes), ErrorCode::kUnsupported, "version 2");
  bytes[version_at] = std::byte{1};
  bytes[2] = std::byte{'A'};
  expect_integrity_error(decode_partial(bytes), "does not begin with");
}

}  // namespace
}  // namespace asl
