#include "index/bloom.h"

#include <gtest/gtest.h>

#include <asl/engine/hash.h>

#include "segment_fixture.h"

namespace asl {
namespace {

using test::ArtifactMaker;
using test::Model;
using test::SegmentDirectory;
using test::value_of;

class Bloom : public ::testing::Test {
 protected:
  static constexpr SegmentNumber kNumber = 4;
  static constexpr std::size_t kRecords = 5000;
  SegmentDirectory directory_;
  Model model_ = ArtifactMaker(1).make_many(kRecords);
  Digest hash_{};

  void SetUp() override {
    hash_ = directory_.write(kNumber, model_).hash;
    ASL_ASSERT_OK(write_bloom(directory_.store(), value_of(directory_.open(kNumber)), hash_));
  }
  std::string path() const { return directory_.store().bloom_path(kNumber); }
  std::unique_ptr<const BloomFilter> open(std::uint64_t resident_bytes_max = kBloomResidentBytesMax) {
    return BloomFilter::open(directory_.io(), path(), hash_, kRecords, resident_bytes_max);
  }
};

TEST_F(Bloom, KnowsEveryRecord) {
  for (const std::uint64_t resident_max : {kBloomResidentBytesMax, std::uint64_t{0}}) {
    const auto filter = open(resident_max);
    ASSERT_NE(filter, nullptr);
    EXPECT_EQ(filter->resident(), resident_max != 0);
    for (const auto& [ref, artifact] : model_) EXPECT_TRUE(filter->may_contain(ref.digest));
  }
}

TEST_F(Bloom, ExcludesNearlyEverythingElse) {
  const auto resident = open();
  const auto probed = open(0);
  ArtifactMaker others(2);
  int passed = 0;
  for (int i = 0; i < 10000; ++i) {
    const Digest digest = others.digest();
    const bool answer = resident->may_contain(digest);
    EXPECT_EQ(probed->may_contain(digest), answer);
    passed += answer ? 1 : 0;
  }
  EXPECT_LT(passed, 200);
}

TEST_F(Bloom, LiesAsTheFormatSays) {
  const Bytes file = directory_.load(path());
  const std::uint64_t blocks = (kRecords * 12 + 511) / 512;
  ASSERT_EQ(file.size(), 64 + 64 * blocks + 32);
  EXPECT_EQ(as_text(ByteSpan(file).first(8)), "ASLBLM01");
  EXPECT_EQ(load_le<std::uint32_t>(file.data() + 8), 1U);
  EXPECT_EQ(load_le<std::uint32_t>(file.data() + 12), blocks);
  EXPECT_TRUE(std::ranges::equal(ByteSpan(file).subspan(16, 32), hash_));
  EXPECT_TRUE(all_zero(ByteSpan(file).subspan(48, 16)));
  EXPECT_TRUE(std::ranges::equal(ByteSpan(file).last(32), sha256(ByteSpan(file).first(file.size() - 32))));

  // Worked out by hand for one digest: bytes 0, 1, 2, ... 31.
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::byte>(i);
  Model one;
  auto artifact = ArtifactMaker(3).make_of(0, false);
  artifact.record.ref.digest = digest;
  one.emplace(artifact.record.ref, artifact);
  const auto written = directory_.write(9, one);
  ASL_ASSERT_OK(write_bloom(directory_.store(), value_of(directory_.open(9)), written.hash));
  const Bytes small = directory_.load(directory_.store().bloom_path(9));
  ASSERT_EQ(small.size(), 64U + 64U + 32U);
  Bytes wanted(64);
  for (const unsigned value : {0x0908U, 0x0B0AU, 0x0D0CU, 0x0F0EU, 0x1110U, 0x1312U, 0x1514U, 0x1716U})
    wanted[value % 512 / 8] |= std::byte{1} << (value % 8);
  EXPECT_TRUE(std::ranges::equal(ByteSpan(small).subspan(64, 64), wanted));
}

TEST_F(Bloom, IsIgnoredWhenMissing) {
  std::filesystem::remove(path());
  EXPECT_EQ(open(), nullptr);
}

TEST_F(Bloom, IsIgnoredWhenAnyBitIsWrong) {
  const Bytes good = directory_.load(path());
  for (std::size_t at = 0; at < good.size(); at += 61) {
    Bytes bad = good;
    bad[at] ^= static_cast<std::byte>(1U << (at % 8));
    directory_.save(path(), bad);
    EXPECT_EQ(open(), nullptr) << at;
    EXPECT_EQ(open(0), nullptr) << at;
  }
}

TEST_F(Bloom, IsIgnoredWhenCutOrGrown) {
  const Bytes good = directory_.load(path());
  for (const std::size_t size : {std::size_t{0}, std::size_t{63}, std::size_t{64}, good.size() - 1}) {
    directory_.save(path(), ByteSpan(good).first(size));
    EXPECT_EQ(open(), nullptr) << size;
  }
  Bytes grown = good;
  grown.push_back(std::byte{0});
  directory_.save(path(), grown);
  EXPECT_EQ(open(), nullptr);
}

TEST_F(Bloom, IsIgnoredWhenMadeForAnotherSegment) {
  Digest other = hash_;
  other[0] ^= std::byte{1};
  EXPECT_EQ(BloomFilter::open(directory_.io(), path(), other, kRecords), nullptr);
  EXPECT_EQ(BloomFilter::open(directory_.io(), path(), hash_, kRecords * 2), nullptr);
  EXPECT_NE(open(), nullptr);
}

TEST_F(Bloom, IsReplacedByANewOne) {
  directory_.save(path(), as_bytes("litter"));
  directory_.save(directory_.store().bloom_tmp_path(kNumber), as_bytes("of a dead writer"));
  ASL_ASSERT_OK(write_bloom(directory_.store(), value_of(directory_.open(kNumber)), hash_));
  EXPECT_NE(open(), nullptr);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path("store/tmp")));
}

TEST_F(Bloom, FailsOpenWhenItsFileShrinksUnderIt) {
  const auto probed = open(0);
  std::filesystem::resize_file(path(), 64);
  EXPECT_TRUE(probed->may_contain(ArtifactMaker(5).digest()));
}

}  // namespace
}  // namespace asl
