// Segments that are damaged or gone, for writers and for readers.
#include <atomic>
#include <thread>

#include <asl/engine/hash.h>

#include "store/view.h"
#include "store_fixture.h"

namespace asl {
namespace {

using test::flip_byte;
using test::open_domain;
using test::put_all;
using test::random_bytes;
using test::read_artifact;
using test::StoreTest;
using test::value_of;
using test::writer_options;

constexpr std::size_t kMi = 1024 * 1024;
// A segment without its first page does not open at all.
constexpr std::uint64_t kSecondPage = 5000;

// What a segment names that is damaged or gone counts as unknown: putting the originals again heals the
// store.
class DamagedSegmentTest : public StoreTest {
 protected:
  void SetUp() override {
    // Of one extent and of several, and more than a page of records; the first and last lie in segments that
    // stay good.
    for (std::uint64_t seed = 0; seed < kContents; ++seed)
      contents_.push_back(random_bytes(seed % 10 == 3 ? 3 * kMi : 300, 900 + seed));
    ASL_ASSERT_OK(put_all(domain(), {contents_.front()}));
    ASL_ASSERT_OK(put_all(domain(), {contents_.begin() + 1, contents_.end() - 1}));
    ASL_ASSERT_OK(put_all(domain(), {contents_.back()}));
    segment_ = in_store("index/segment-2.idx");
    test::fs::copy_file(segment_, directory_ / "good");
  }
  void put_good_back() {
    test::fs::copy_file(directory_ / "good", segment_, test::fs::copy_options::overwrite_existing);
  }

  // Puts everything again, twice: the second time nothing is new.
  void heal(const std::string& how) {
    SCOPED_TRACE(how);
    reopen();
    EXPECT_GT(test::verify_all(domain()).finding_count, 0U);
    ASL_ASSERT_OK(put_all(domain(), contents_));
    reopen();
    for (const Bytes& bytes : contents_)
      EXPECT_EQ(value_of(read_artifact(domain(), untyped_reference(sha256(bytes)))), bytes);
    const VerifyReport report = test::verify_all(domain());
    ASSERT_EQ(report.finding_count, 1U);
    EXPECT_EQ(report.findings.front().kind, FindingKind::kSegment);
    EXPECT_EQ(report.findings.front().error.path, segment_);
    EXPECT_FALSE(report.findings.front().error.hint.empty());
    const auto writer = open_writer();
    ASSERT_FALSE(writer->notices().empty());
    EXPECT_NE(writer->notices().front().find("segment 2"), std::string::npos);
    const auto lane = value_of(writer->make_lane());
    for (const Bytes& bytes : contents_) EXPECT_EQ(value_of(lane->put(bytes)).bytes_new, 0U);
    EXPECT_EQ(writer->totals().artifacts_new, 0U);
  }

  static constexpr std::uint64_t kContents = 60;
  std::vector<Bytes> contents_;
  std::string segment_;
};

TEST_F(DamagedSegmentTest, OneThatIsMissingIsHealed) {
  test::fs::remove(segment_);
  heal("missing");
}

TEST_F(DamagedSegmentTest, OneThatIsCutShortIsHealed) {
  test::fs::resize_file(segment_, test::fs::file_size(segment_) / 2);
  heal("half");
}

// Counted from the end where negative: header, records, digests, extents, page sums, footer.
class FlippedSegmentTest : public DamagedSegmentTest, public ::testing::WithParamInterface<std::int64_t> {};
INSTANTIATE_TEST_SUITE_P(Offsets, FlippedSegmentTest, ::testing::Values(10, 200, 3000, 5000, 8000, -56, -5));

TEST_P(FlippedSegmentTest, IsHealed) {
  const auto size = static_cast<std::int64_t>(test::fs::file_size(segment_));
  flip_byte(segment_, static_cast<std::uint64_t>(GetParam() < 0 ? size + GetParam() : GetParam()));
  heal("flipped");
}

TEST_F(DamagedSegmentTest, ItIsHealedWithoutTheCacheToo) {
  test::fs::remove(segment_);
  test::fs::remove_all(in_store("cache"));
  heal("missing, no cache");
}

TEST_F(DamagedSegmentTest, ItCountsAgainOnceTheGoodFileIsBack) {
  flip_byte(segment_, kSecondPage);
  reopen();
  EXPECT_GT(test::verify_all(domain()).finding_count, 0U);
  EXPECT_GT(test::fs::file_size(in_store("damaged")), 0U);
  put_good_back();
  reopen();
  {
    const auto writer = open_writer();
    EXPECT_TRUE(writer->notices().empty());
    const auto lane = value_of(writer->make_lane());
    for (const Bytes& bytes : contents_) EXPECT_EQ(value_of(lane->put(bytes)).bytes_new, 0U);
    EXPECT_EQ(writer->totals().artifacts_new, 0U);
    ASL_ASSERT_OK(lane->put(random_bytes(10, 999)));
    ASL_ASSERT_OK(writer->commit());
  }
  EXPECT_EQ(test::fs::file_size(in_store("damaged")), 0U);
  EXPECT_EQ(test::verify_all(domain()).finding_count, 0U);
}

TEST_F(DamagedSegmentTest, AReaderThatMeetsItTellsTheNextWriter) {
  flip_byte(segment_, kSecondPage);
  reopen();
  std::size_t failed = 0;
  for (const Bytes& bytes : contents_) {
    const auto got = read_artifact(domain(), untyped_reference(sha256(bytes)));
    if (got) continue;
    ++failed;
    EXPECT_EQ(got.error().code, ErrorCode::kIntegrity);
    EXPECT_EQ(got.error().path, segment_);
    EXPECT_FALSE(got.error().hint.empty());
  }
  EXPECT_GT(failed, 0U);
  EXPECT_EQ(test::fs::file_size(in_store("damaged")), std::string("segment 2\n").size());
}

TEST_F(DamagedSegmentTest, MergingGoesOnWithoutIt) {
  flip_byte(segment_, kSecondPage);
  reopen();
  const auto writer = open_writer();
  const auto lane = value_of(writer->make_lane());
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    ASL_ASSERT_OK(lane->put(random_bytes(2000, 1000 + seed)));
    ASL_ASSERT_OK(writer->commit());
  }
  ASL_ASSERT_OK(writer->merge_segments());
  ASL_ASSERT_OK(lane->put(random_bytes(2000, 1100)));
  ASL_ASSERT_OK(writer->commit());
  EXPECT_LT(domain().state()->segments().size(), 15U);
  EXPECT_TRUE(test::fs::exists(segment_));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Bytes bytes = random_bytes(2000, 1000 + seed);
    EXPECT_EQ(value_of(read_artifact(domain(), untyped_reference(sha256(bytes)))), bytes);
  }
}

// Segments go between the moment a reader has read the log and the one it opens them.
TEST_F(StoreTest, ReadersThatOpenWhileSegmentsAreMergedMissNothing) {
  constexpr std::uint64_t kCommits = 60;
  constexpr int kReaders = 3;
  const Bytes first = random_bytes(2000, 1200);
  ASL_ASSERT_OK(put_all(domain(), {first}));
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> opened{0};
  std::atomic<int> failed{0};
  std::vector<std::jthread> readers;
  for (int k = 0; k < kReaders; ++k) {
    readers.emplace_back([&] {
      while (!done) {
        const auto reader = Domain::open(*io_, at(), {});
        const auto got = reader ? read_artifact(**reader, untyped_reference(sha256(first)))
                                : Result<Bytes>(std::unexpected(reader.error()));
        if ((!got || *got != first) && failed++ == 0)
          ADD_FAILURE() << (got ? "other bytes" : got.error().to_string());
        if (reader && !(*reader)->view()->index->broken().empty() && failed++ == 0)
          ADD_FAILURE() << (*reader)->view()->index->broken().front().to_string();
        ++opened;
      }
    });
  }
  {
    const std::unique_ptr<Domain> mine = open_domain(*io_, at());
    const auto writer = value_of(StoreWriter::open(*mine, writer_options()));
    const auto lane = value_of(writer->make_lane());
    for (std::uint64_t seed = 0; seed < kCommits; ++seed) {
      ASL_ASSERT_OK(lane->put(random_bytes(2000, 1300 + seed)));
      ASL_ASSERT_OK(writer->commit());
      ASL_ASSERT_OK(writer->merge_segments());
    }
    EXPECT_GT(writer->totals().commits, kCommits);
  }
  done = true;
  readers.clear();
  EXPECT_GT(opened, 0U);
}

}  // namespace
}  // namespace asl
