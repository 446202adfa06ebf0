#include "block/codec.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <zstd.h>

#include "support.h"

namespace asl {
namespace {

using test::random_bytes;
using test::value_of;

Bytes compressible(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i / 100);
  return bytes;
}

Bytes compressed(ByteSpan raw) {
  Compressor compressor;
  const ByteSpan stored = value_of(compressor.compress(raw));
  return {stored.begin(), stored.end()};
}

TEST(Codec, GivesBackWhatItCompressed) {
  Compressor compressor(1);
  Decompressor decompressor;
  for (const std::size_t size : {std::size_t{100}, std::size_t{4096}, std::size_t{kExtentLengthMax}}) {
    const Bytes raw = compressible(size);
    const ByteSpan stored = value_of(compressor.compress(raw));
    ASSERT_FALSE(stored.empty());
    EXPECT_LT(stored.size(), raw.size());
    Bytes back(size);
    ASL_EXPECT_OK(decompressor.decompress(stored, back));
    EXPECT_EQ(back, raw);
  }
}

TEST(Codec, KeepsNothingThatWouldNotBeSmaller) {
  EXPECT_TRUE(compressed(random_bytes(100000, 1)).empty());
  EXPECT_TRUE(compressed(random_bytes(1, 1)).empty());
  EXPECT_TRUE(compressed({}).empty());
}

TEST(Codec, TakesLevelsOutOfRangeAsTheNearest) {
  const Bytes raw = compressible(100000);
  const auto size_at = [&raw](int level) {
    Compressor compressor(level);
    return value_of(compressor.compress(raw)).size();
  };
  EXPECT_EQ(size_at(1000), size_at(ZSTD_maxCLevel()));
  EXPECT_GT(size_at(1000), 0U);
  EXPECT_EQ(size_at(-100000000), size_at(ZSTD_minCLevel()));
}

TEST(Codec, RefusesEveryOtherLength) {
  const Bytes raw = compressible(10000);
  const Bytes stored = compressed(raw);
  Decompressor decompressor;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{9999}, std::size_t{10001}}) {
    Bytes back(size);
    const auto result = decompressor.decompress(stored, back);
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().code, ErrorCode::kMalformed);
  }
}

TEST(Codec, RefusesGarbageAndBrokenFrames) {
  const Bytes raw = compressible(10000);
  const Bytes stored = compressed(raw);
  Decompressor decompressor;
  Bytes back(raw.size());
  const auto refuses = [&](ByteSpan bytes) {
    const auto result = decompressor.decompress(bytes, back);
    return !result && result.error().code == ErrorCode::kMalformed;
  };
  EXPECT_TRUE(refuses({}));
  EXPECT_TRUE(refuses(random_bytes(500, 2)));
  for (std::size_t size = 0; size < stored.size(); ++size)
    EXPECT_TRUE(refuses(ByteSpan(stored).first(size))) << size;

  Bytes longer = stored;
  longer.push_back(std::byte{0});
  EXPECT_TRUE(refuses(longer));
  Bytes twice = stored;
  twice.insert(twice.end(), stored.begin(), stored.end());
  EXPECT_TRUE(refuses(twice));
  // After all that, it still works.
  ASL_EXPECT_OK(decompressor.decompress(stored, back));
  EXPECT_EQ(back, raw);
}

TEST(Codec, NeverWritesBeyondTheOutputWhateverIsDamaged) {
  const Bytes raw = compressible(3000);
  const Bytes stored = compressed(raw);
  Decompressor decompressor;
  for (std::size_t i = 0; i < stored.size() * 8; ++i) {
    Bytes damaged = stored;
    damaged[i / 8] ^= static_cast<std::byte>(1 << (i % 8));
    Bytes back(raw.size() + 100, std::byte{0xEE});
    // Many flips go unnoticed here: the digest above this layer is what finds them.
    (void)decompressor.decompress(damaged, MutableByteSpan(back).first(raw.size()));
    EXPECT_TRUE(std::all_of(back.begin() + static_cast<std::ptrdiff_t>(raw.size()), back.end(),
                            [](std::byte byte) { return byte == std::byte{0xEE}; }));
  }
}

}  // namespace
}  // namespace asl
