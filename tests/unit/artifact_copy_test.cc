// Reading from front to back: artifacts and files whole, in order, and with the disk ahead of the reader.
#include <algorithm>
#include <mutex>

#include <asl/engine/artifact_copy.h>
#include <asl/engine/hash.h>
#include <asl/engine/partial.h>

#include "query/ahead_of_reader.h"
#include "store_fixture.h"

namespace asl {
namespace {

using test::put_all;
using test::random_bytes;
using test::value_of;

constexpr std::uint64_t kMi = 1 << 20;
constexpr std::uint64_t kPiece = AheadOfReader::kPieceBytes;

class Noted {
 public:
  AheadOfReader::ReadAhead function() {
    return [this](std::uint64_t offset, std::uint64_t length) {
      const std::lock_guard lock(mutex_);
      ranges_.push_back({offset, length});
    };
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> sorted() {
    const std::lock_guard lock(mutex_);
    std::ranges::sort(ranges_);
    return ranges_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges_;
};

TEST(AheadOfReaderTest, WhatIsReadNextIsReadyAndTwoPiecesMoreAreUnderWay) {
  Noted noted;
  {
    AheadOfReader ahead(100 * kPiece, noted.function());
    ahead.will_read(0, kPiece);
    EXPECT_TRUE(std::ranges::count(noted.sorted(), std::pair{std::uint64_t{0}, kPiece}) == 1);
  }
  EXPECT_EQ(noted.sorted(), (std::vector<std::pair<std::uint64_t, std::uint64_t>>{
                                {0, kPiece}, {kPiece, kPiece}, {2 * kPiece, kPiece}}));
}

TEST(AheadOfReaderTest, EveryPieceIsReadAheadOnceWhateverTheStepsAre) {
  Noted noted;
  const std::uint64_t length = 9 * kPiece + 5;
  {
    AheadOfReader ahead(length, noted.function());
    for (std::uint64_t at = 0; at < length; at += 3 * kMi)
      ahead.will_read(at, std::min(3 * kMi, length - at));
  }
  const auto ranges = noted.sorted();
  ASSERT_EQ(ranges.size(), 10U);
  for (std::size_t k = 0; k < ranges.size(); ++k) EXPECT_EQ(ranges[k].first, k * kPiece);
}

TEST(AheadOfReaderTest, WhatAHoleSkipsIsNotReadAndShortThingsAreNotReadAhead) {
  Noted noted;
  {
    AheadOfReader ahead(1000 * kPiece, noted.function());
    ahead.will_read(0, kPiece);
    ahead.will_read(500 * kPiece, kPiece);
    AheadOfReader brief(1000, noted.function());
    brief.will_read(0, 1000);
  }
  const auto ranges = noted.sorted();
  ASSERT_EQ(ranges.size(), 6U);
  EXPECT_EQ(ranges[2].first, 2 * kPiece);
  EXPECT_EQ(ranges[3].first, 500 * kPiece);
}

class Collected : public ContentSink {
 public:
  Result<void> data(ByteSpan bytes) override {
    EXPECT_FALSE(bytes.empty());
    text.append(as_text(bytes));
    return {};
  }
  Result<void> zeros(std::uint64_t length) override {
    EXPECT_GT(length, 0U);
    hole_bytes += length;
    text.append(length, '\0');
    return {};
  }
  std::string text;
  std::uint64_t hole_bytes = 0;
};

class Copying : public test::StoreTest {
 protected:
  // Longer than what is read ahead at a time, with a hole in the middle and one at the end.
  static Bytes long_bytes() {
    Bytes bytes = random_bytes(40 * kMi + 77, 5);
    std::fill_n(bytes.begin() + 11 * kMi, 9 * kMi, std::byte{0});
    bytes.resize(bytes.size() + 3 * kMi);
    return bytes;
  }
  ProgressCounters progress_;
};

TEST_F(Copying, ALongArtifactAndTheFileOfItComeWholeAndInOrder) {
  const Bytes bytes = long_bytes();
  const Reference reference = value_of(put_all(domain(), {bytes})).front();
  reopen();
  Collected whole;
  value_of(copy_artifact(value_of(domain().find(reference)), whole, progress_, {}));
  EXPECT_TRUE(whole.text == as_text(bytes));
  EXPECT_GT(whole.hole_bytes, 10 * kMi);
  EXPECT_EQ(progress_.bytes_done.load(), bytes.size());
  reopen();
  Collected file;
  value_of(copy_content(value_of(FileContent::open(domain(), reference)), file, progress_, {}));
  EXPECT_TRUE(file.text == as_text(bytes));
  EXPECT_EQ(file.hole_bytes, whole.hole_bytes);
}

TEST_F(Copying, GapsAreZerosThatTheSinkGets) {
  const Bytes first = random_bytes(2 * kMi, 1);
  const Bytes second = random_bytes(12 * kMi, 2);
  const auto references = value_of(put_all(domain(), {first, second}));
  Partial partial;
  partial.pieces = {{1000, first.size(), references[0]}, {9 * kMi, second.size(), references[1]}};
  partial.gaps = {{0, 1000, GapStatus::kBad}, {1000 + 2 * kMi, 7 * kMi - 1000, GapStatus::kBad}};
  partial.length_bytes = 21 * kMi;
  Reference reference;
  {
    const auto writer = value_of(StoreWriter::open(domain(), test::writer_options()));
    reference = value_of(writer->put_typed(kTagPartial, value_of(encode_partial(partial))));
    value_of(writer->commit());
  }
  Collected file;
  value_of(copy_content(value_of(FileContent::open(domain(), reference)), file, progress_, {}));
  ASSERT_EQ(file.text.size(), partial.length_bytes);
  EXPECT_TRUE(file.text.substr(1000, first.size()) == as_text(first));
  EXPECT_TRUE(file.text.substr(9 * kMi) == as_text(second));
  EXPECT_EQ(file.text.find_first_not_of('\0', 1000 + 2 * kMi), 9 * kMi);
  EXPECT_EQ(file.hole_bytes, 0U);
}

// What was read ahead and found bad is read again by whoever needs it, who gets the error.
TEST_F(Copying, DamageInTheMiddleIsTheErrorAndWhatCameBeforeIsGood) {
  const Bytes bytes = random_bytes(12 * kMi, 9);
  const Reference reference = value_of(put_all(domain(), {bytes})).front();
  const auto blocks = test::files_ending(in_store("blocks"), ".bin");
  ASSERT_FALSE(blocks.empty());
  const std::string damaged =
      *std::ranges::max_element(blocks, {}, [](const auto& path) { return test::fs::file_size(path); });
  test::flip_byte(damaged, test::fs::file_size(damaged) / 2);
  reopen();
  Collected sink;
  const auto failed = copy_artifact(value_of(domain().find(reference)), sink, progress_, {});
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(failed.error().path, damaged);
  EXPECT_LT(sink.text.size(), bytes.size());
  EXPECT_TRUE(as_text(bytes).starts_with(sink.text));
}

}  // namespace
}  // namespace asl
