#include "block/block_reader.h"

#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "block/batch_reader.h"
#include "block_support.h"

namespace asl {
namespace {

using test::flip_byte;
using test::location_of;
using test::random_bytes;
using test::TestStore;
using test::value_of;

std::vector<Bytes> many_sizes() {
  std::vector<Bytes> extents;
  for (const std::size_t size : {1UL, 65535UL, 65536UL, 4096UL, 65537UL, 2UL << 20, 3UL, 1UL << 20, 131072UL})
    extents.push_back(random_bytes(size, size));
  // Enough small ones to fill several windows and to lie across their borders.
  for (std::uint64_t i = 0; i < 60; ++i) extents.push_back(random_bytes(1000 + i * 997, i));
  return extents;
}

Result<Bytes> read(BlockReader& reader, const ExtentLocation& extent) {
  Bytes bytes(extent.raw_length_bytes);
  ASL_TRY(reader.read(extent, bytes));
  return bytes;
}

Result<Bytes> read_shared(BlockReader& reader, const ExtentLocation& extent) {
  ASL_ASSIGN(const auto shared, reader.read_shared(extent));
  return Bytes(shared->bytes().begin(), shared->bytes().end());
}

TEST(BlockReader, GivesBackEveryExtent) {
  TestStore test;
  const auto extents = many_sizes();
  const SealedBlock block = test.add(extents);
  BlockReader reader(test.store);
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < extents.size(); ++i) {
      EXPECT_EQ(value_of(read(reader, location_of(block, i))), extents[i]);
      EXPECT_EQ(value_of(read_shared(reader, location_of(block, i))), extents[i]);
    }
}

TEST(BlockReader, ReadsIntoPageAlignedMemoryToo) {
  TestStore test;
  const Bytes extent = random_bytes(1 << 20, 1);
  const SealedBlock block = test.add({random_bytes(10, 2), extent});
  BlockReader reader(test.store);
  const AlignedBuffer buffer(1 << 20);
  ASL_ASSERT_OK(reader.read(location_of(block, 1), buffer.span()));
  EXPECT_TRUE(std::ranges::equal(buffer.span(), extent));
}

TEST(BlockReader, ReadsNeighboursTogetherAndOnce) {
  TestStore test;
  std::vector<Bytes> extents;
  for (std::uint64_t i = 0; i < 400; ++i) extents.push_back(random_bytes(10000, i));
  const SealedBlock block = test.add(extents);
  BlockReader reader(test.store);
  test.io.reads = 0;
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < extents.size(); ++i)
      ASSERT_EQ(value_of(read(reader, location_of(block, i))), extents[i]);
  EXPECT_EQ(test.io.reads, 5) << "one of 256 KiB, then of 1 MiB each, for 3.8 MiB";
}

TEST(BlockReader, KeepsItsCacheBounded) {
  TestStore test;
  std::vector<Bytes> extents;
  for (std::uint64_t i = 0; i < 100; ++i) extents.push_back(random_bytes(60000, i));
  const SealedBlock block = test.add(extents);
  BlockReader reader(test.store, {.cache_bytes = 2 * kWindowGrain, .verify = VerifyReads::kAlways});
  test.io.reads = 0;
  // Going backwards, every miss reads one window, and only one fits.
  for (std::size_t i = extents.size(); i-- > 0;) value_of(read(reader, location_of(block, i)));
  const int once = test.io.reads;
  for (std::size_t i = extents.size(); i-- > 0;) value_of(read(reader, location_of(block, i)));
  EXPECT_GE(test.io.reads, 2 * once - 1);
}

TEST(BlockReader, KeepsLargeExtentsForThoseWhoReadAPieceAtATime) {
  TestStore test;
  const SealedBlock block =
      test.add({random_bytes(1 << 20, 1), random_bytes(1 << 20, 2), random_bytes(1 << 20, 3)});
  BlockReader reader(test.store, {.cache_bytes = 4 << 20, .verify = VerifyReads::kAlways});
  const auto reads = [&](std::size_t i) {
    const int before = test.io.reads;
    value_of(reader.read_shared(location_of(block, i)));
    return test.io.reads - before;
  };
  EXPECT_EQ(reads(0), 1);
  EXPECT_EQ(reads(0), 0);
  EXPECT_EQ(reads(1), 1);
  EXPECT_EQ(reads(0), 0);
  EXPECT_EQ(reads(2), 1);  // puts out 1
  EXPECT_EQ(reads(0), 0);
  EXPECT_EQ(reads(1), 1);
}

TEST(BlockReader, HasReadyWhatWasReadAhead) {
  TestStore test;
  std::vector<Bytes> extents;
  std::vector<ExtentLocation> places;
  for (std::uint64_t i = 0; i < 12; ++i) extents.push_back(random_bytes(100'000 + 50'000 * i, i));
  extents.push_back(random_bytes(1000, 99));  // small ones have windows
  const SealedBlock block = test.add(extents);
  for (std::size_t i = 0; i < extents.size(); ++i) places.push_back(location_of(block, i));
  BlockReader reader(test.store, {.cache_bytes = 64 << 20, .verify = VerifyReads::kAlways});
  reader.read_ahead(places);
  reader.read_ahead(places);
  EXPECT_EQ(test.io.reads, 12);
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const auto got = value_of(reader.read_shared(places[i]));
    EXPECT_TRUE(std::ranges::equal(got->bytes(), extents[i])) << i;
  }
  EXPECT_EQ(test.io.reads, 13);
}

TEST(BlockReader, ReadingAheadStaysWithinAQuarterOfTheCache) {
  TestStore test;
  std::vector<Bytes> extents;
  for (std::uint64_t i = 0; i < 8; ++i) extents.push_back(random_bytes(1 << 20, i));
  const SealedBlock block = test.add(extents);
  std::vector<ExtentLocation> places;
  for (std::size_t i = 0; i < extents.size(); ++i) places.push_back(location_of(block, i));
  BlockReader reader(test.store, {.cache_bytes = 12 << 20, .verify = VerifyReads::kAlways});
  reader.read_ahead(places);
  EXPECT_EQ(test.io.reads, 3);
}

TEST(BlockReader, WhatFailsAheadFailsWhenItIsAskedFor) {
  TestStore test;
  const SealedBlock block =
      test.add({random_bytes(200'000, 1), random_bytes(200'000, 2), random_bytes(200'000, 3)});
  flip_byte(test.store.path_of(block.id), location_of(block, 1).offset_bytes + 77);
  BlockReader reader(test.store, {.cache_bytes = 8 << 20, .verify = VerifyReads::kOnce});
  const std::vector<ExtentLocation> places{location_of(block, 0), location_of(block, 1),
                                           location_of(block, 2)};
  reader.read_ahead(places);
  EXPECT_TRUE(reader.read_shared(places[0]));
  const auto damaged = reader.read_shared(places[1]);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(damaged.error().offset, places[1].offset_bytes);
  EXPECT_TRUE(reader.read_shared(places[2]));
  test.io.on_read = [](std::uint64_t, std::size_t) { return EIO; };
  BlockReader fresh(test.store, {.cache_bytes = 8 << 20, .verify = VerifyReads::kOnce});
  fresh.read_ahead(places);
  EXPECT_EQ(fresh.read_shared(places[0]).error().code, ErrorCode::kIo);
  test.io.on_read = [](std::uint64_t, std::size_t) { return 0; };
  EXPECT_TRUE(fresh.read_shared(places[0]));
}

TEST(BlockReader, NamesFileAndOffsetOfADamagedExtent) {
  TestStore test;
  const auto extents = many_sizes();
  const SealedBlock block = test.add(extents);
  for (const std::size_t i : {0UL, 1UL, 2UL, 5UL, extents.size() - 1}) {
    const std::uint64_t last =
        block.meta.extents[i].offset_bytes + block.meta.extents[i].stored_length_bytes - 1;
    flip_byte(test.store.path_of(block.id), last);
    BlockReader reader(test.store);
    for (const auto& result :
         {read(reader, location_of(block, i)), read_shared(reader, location_of(block, i))}) {
      ASSERT_FALSE(result) << i;
      EXPECT_EQ(result.error().code, ErrorCode::kIntegrity);
      EXPECT_EQ(result.error().path, test.store.path_of(block.id));
      EXPECT_EQ(result.error().offset, block.meta.extents[i].offset_bytes);
      EXPECT_EQ(result.error().object, "block " + to_hex(block.id));
    }
    // No failure is remembered.
    flip_byte(test.store.path_of(block.id), last);
    EXPECT_EQ(value_of(read(reader, location_of(block, i))), extents[i]);
    EXPECT_EQ(value_of(read_shared(reader, location_of(block, i))), extents[i]);
  }
}

TEST(BlockReader, ChecksOnceOrNeverIfToldSo) {
  TestStore test;
  const Bytes extent = random_bytes(1 << 20, 1);
  const SealedBlock block = test.add({extent, random_bytes(1 << 20, 2)});
  BlockReader once(test.store, {.cache_bytes = 0, .verify = VerifyReads::kOnce});
  BlockReader never(test.store, {.cache_bytes = 0, .verify = VerifyReads::kNever});
  EXPECT_EQ(value_of(read(once, location_of(block, 0))), extent);
  flip_byte(test.store.path_of(block.id), 0);
  flip_byte(test.store.path_of(block.id), 1 << 20);
  EXPECT_TRUE(read(once, location_of(block, 0)).has_value());
  EXPECT_FALSE(read(once, location_of(block, 1)).has_value()) << "never checked so far";
  EXPECT_FALSE(read(once, location_of(block, 1)).has_value()) << "a failed check is not remembered as one";
  EXPECT_TRUE(read(never, location_of(block, 1)).has_value());
}

TEST(BlockReader, ReportsAFileThatIsCutShort) {
  TestStore test;
  const SealedBlock block =
      test.add({random_bytes(1000, 1), random_bytes(1 << 20, 2), random_bytes(2000, 3)});
  std::filesystem::resize_file(test.store.path_of(block.id), 8192);
  BlockReader reader(test.store);
  EXPECT_TRUE(read(reader, location_of(block, 0)).has_value());
  for (const std::size_t i : {1UL, 2UL}) {
    const auto result = read(reader, location_of(block, i));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kIntegrity);
    EXPECT_EQ(result.error().path, test.store.path_of(block.id));
  }
}

TEST(BlockReader, ReportsAMissingBlockAndAnUnreadableOne) {
  TestStore test;
  const SealedBlock block = test.add({random_bytes(1000, 1), random_bytes(100000, 2)});
  BlockReader reader(test.store);
  test.io.on_read = [](std::uint64_t, std::size_t) { return EIO; };
  for (const std::size_t i : {0UL, 1UL}) {
    EXPECT_EQ(read(reader, location_of(block, i)).error().code, ErrorCode::kIo);
    EXPECT_EQ(read(reader, location_of(block, i)).error().path, test.store.path_of(block.id));
  }
  test.io.on_read = [](std::uint64_t, std::size_t) { return 0; };
  EXPECT_TRUE(read(reader, location_of(block, 0)).has_value()) << "the disk is asked again";
  ASL_ASSERT_OK(test.store.remove(block.id));
  BlockReader later(test.store);
  for (const std::size_t i : {0UL, 1UL})
    EXPECT_EQ(read(later, location_of(block, i)).error().code, ErrorCode::kNotFound);
}

TEST(BlockReader, RefusesLocationsThatBreakTheRules) {
  TestStore test;
  const SealedBlock block = test.add({random_bytes(1000, 1), random_bytes(100000, 2)});
  BlockReader reader(test.store);
  const ExtentLocation good = location_of(block, 1);
  const auto code_of = [&](auto change) {
    ExtentLocation extent = good;
    change(extent);
    Bytes into(std::min<std::size_t>(extent.raw_length_bytes, 4 << 20));
    const auto result = reader.read(extent, into);
    EXPECT_FALSE(result);
    EXPECT_FALSE(reader.read_shared(extent));
    return result ? ErrorCode::kUsage : result.error().code;
  };
  using E = ExtentLocation;
  EXPECT_EQ(code_of([](E& e) { e.raw_length_bytes = e.stored_length_bytes = 0; }), ErrorCode::kIntegrity);
  EXPECT_EQ(code_of([](E& e) { e.raw_length_bytes = e.stored_length_bytes = kExtentLengthMax + 1; }),
            ErrorCode::kIntegrity);
  EXPECT_EQ(code_of([](E& e) { ++e.raw_length_bytes; }), ErrorCode::kIntegrity);
  EXPECT_EQ(code_of([](E& e) { e.codec = Codec::kZstd; }), ErrorCode::kIntegrity) << "not smaller";
  EXPECT_EQ(code_of([](E& e) { ++e.offset_bytes; }), ErrorCode::kIntegrity) << "large and not on a page";
  EXPECT_EQ(code_of([](E& e) { e.offset_bytes = 1 << 30; }), ErrorCode::kIntegrity);
  EXPECT_EQ(code_of([](E& e) { e.codec = static_cast<Codec>(2); }), ErrorCode::kUnsupported);
  Bytes wrong(good.raw_length_bytes - 1);
  EXPECT_EQ(reader.read(good, wrong).error().code, ErrorCode::kUsage);
}

// Compressed extents of both kinds, and what lies where they should.
struct Compressed {
  TestStore test;
  std::vector<Bytes> raw;
  SealedBlock block;
  std::vector<ExtentLocation> extents;

  Compressed() {
    Compressor compressor;
    std::vector<Bytes> stored;
    for (const std::size_t size : {std::size_t{5000}, std::size_t{2 << 20}}) {
      Bytes bytes = random_bytes(size, size);
      std::fill(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size / 2), std::byte{'a'});
      const ByteSpan packed = value_of(compressor.compress(bytes));
      raw.push_back(std::move(bytes));
      stored.emplace_back(packed.begin(), packed.end());
    }
    stored.push_back(random_bytes(3000, 1));
    stored.push_back(random_bytes(90000, 2));
    block = test.add(stored);
    for (std::size_t i = 0; i < 4; ++i) {
      extents.push_back(location_of(block, i));
      extents[i].codec = Codec::kZstd;
      extents[i].raw_length_bytes = i < 2 ? static_cast<std::uint32_t>(raw[i].size()) : 100000;
      if (i < 2) extents[i].digest = sha256(raw[i]);
    }
  }
};

TEST(BlockReader, DecodesCompressedExtents) {
  Compressed c;
  BlockReader reader(c.test.store);
  for (const std::size_t i : {0UL, 1UL}) {
    EXPECT_EQ(value_of(read(reader, c.extents[i])), c.raw[i]);
    EXPECT_EQ(value_of(read_shared(reader, c.extents[i])), c.raw[i]);
  }
}

TEST(BlockReader, RefusesGarbageWhereACompressedExtentShouldLie) {
  Compressed c;
  BlockReader reader(c.test.store);
  const auto batch = value_of(BatchReader::create(c.test.store));
  for (const std::size_t i : {2UL, 3UL}) {
    const auto result = read(reader, c.extents[i]);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kIntegrity);
    EXPECT_EQ(result.error().offset, c.extents[i].offset_bytes);
  }
  std::vector<bool> good;
  ASL_ASSERT_OK(batch->run(c.extents, [&](std::size_t i, Result<ByteSpan> bytes) -> Result<void> {
    good.push_back(bytes.has_value());
    if (bytes) {
      EXPECT_TRUE(std::ranges::equal(*bytes, c.raw[i]));
    } else {
      EXPECT_EQ(bytes.error().code, ErrorCode::kIntegrity);
    }
    return {};
  }));
  EXPECT_EQ(good, (std::vector{true, true, false, false}));
}

TEST(BlockReader, ServesManyThreads) {
  TestStore test;
  const auto extents = many_sizes();
  const SealedBlock block = test.add(extents);
  const auto io = io::make_default_io();
  BlockStore store(*io, test.directory.path(), 1);
  BlockReader reader(store, {.cache_bytes = 2 << 20, .verify = VerifyReads::kAlways});
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int round = 0; round < 300; ++round) {
        const std::size_t i = random() % extents.size();
        const auto bytes = random() % 2 == 0 ? read(reader, location_of(block, i))
                                             : read_shared(reader, location_of(block, i));
        if (!bytes || *bytes != extents[i]) ++wrong;
      }
    });
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

struct Batch {
  std::vector<std::size_t> order;
  std::vector<Result<Bytes>> results;
  Result<void> outcome;
};

Batch run(BlockStore& store, std::span<const ExtentLocation> extents,
          const BatchReaderOptions& options = {}) {
  Batch batch;
  const auto reader = value_of(BatchReader::create(store, options));
  batch.outcome = reader->run(extents, [&](std::size_t i, Result<ByteSpan> bytes) -> Result<void> {
    batch.order.push_back(i);
    if (bytes)
      batch.results.emplace_back(Bytes(bytes->begin(), bytes->end()));
    else
      batch.results.emplace_back(fail(bytes.error()));
    return {};
  });
  return batch;
}

TEST(BatchReader, DeliversEveryExtentInTheOrderGiven) {
  TestStore test;
  const auto extents = many_sizes();
  const SealedBlock first = test.add(extents);
  const SealedBlock second = test.add({random_bytes(5000, 100), random_bytes(500000, 101)});
  std::vector<ExtentLocation> wanted;
  std::vector<Bytes> expected;
  const auto want = [&](const SealedBlock& block, std::size_t i, const Bytes& bytes) {
    wanted.push_back(location_of(block, i));
    expected.push_back(bytes);
  };
  for (std::size_t i = 0; i < extents.size(); ++i) want(first, i, extents[i]);
  want(second, 0, random_bytes(5000, 100));
  want(second, 1, random_bytes(500000, 101));
  // Backwards, twice the same, and back to the first block.
  for (std::size_t i = extents.size(); i-- > 0;) want(first, i, extents[i]);
  want(first, 0, extents[0]);

  for (const std::size_t in_flight : {1UL, 2UL, 8UL})
    for (const bool real : {false, true}) {
      const auto io = io::make_default_io();
      BlockStore store(*io, test.directory.path());
      const Batch batch =
          run(real ? store : test.store, wanted, {.verify = true, .reads_in_flight = in_flight});
      ASL_ASSERT_OK(batch.outcome);
      ASSERT_EQ(batch.order.size(), wanted.size());
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        EXPECT_EQ(batch.order[i], i);
        EXPECT_EQ(value_of(batch.results[i]), expected[i]) << i;
      }
    }
}

TEST(BatchReader, ReadsNeighboursAtOnce) {
  TestStore test;
  std::vector<Bytes> extents;
  for (std::uint64_t i = 0; i < 300; ++i) extents.push_back(random_bytes(10000, i));
  const SealedBlock block = test.add(extents);
  std::vector<ExtentLocation> wanted;
  for (std::size_t i = 0; i < extents.size(); i += 3) wanted.push_back(location_of(block, i));
  test.io.reads = 0;
  const Batch batch = run(test.store, wanted);
  EXPECT_EQ(test.io.reads, 2) << "3 MB in reads of up to 2 MiB";
  EXPECT_EQ(value_of(batch.results.back()), extents[297]);
}

TEST(BatchReader, DeliversWhatIsGoodAroundWhatIsNot) {
  TestStore test;
  std::vector<Bytes> extents;
  for (std::uint64_t i = 0; i < 8; ++i) extents.push_back(random_bytes(8192, i));
  const SealedBlock block = test.add(extents);
  std::vector<ExtentLocation> wanted;
  for (std::size_t i = 0; i < 8; ++i) wanted.push_back(location_of(block, i));
  flip_byte(test.store.path_of(block.id), 8192);  // extent 1
  wanted[3].raw_length_bytes += 1;                // breaks a rule
  wanted[5].block = sha256(as_bytes("no such block"));
  test.io.on_read = [](std::uint64_t offset, std::size_t length) {  // extent 7 lies on a bad sector
    return offset <= 61440 && 61440 < offset + length ? EIO : 0;
  };
  const Batch batch = run(test.store, wanted);
  ASL_ASSERT_OK(batch.outcome);
  const auto code = [&](std::size_t i) { return batch.results[i].error().code; };
  for (const std::size_t i : {0UL, 2UL, 4UL, 6UL}) EXPECT_EQ(value_of(batch.results[i]), extents[i]) << i;
  EXPECT_EQ(code(1), ErrorCode::kIntegrity);
  EXPECT_EQ(batch.results[1].error().offset, 8192U);
  EXPECT_EQ(code(3), ErrorCode::kIntegrity);
  EXPECT_EQ(code(5), ErrorCode::kNotFound);
  EXPECT_EQ(code(7), ErrorCode::kIo);
  EXPECT_EQ(batch.results[7].error().offset, 57344U);
}

TEST(BatchReader, ReportsAFileThatIsCutShort) {
  TestStore test;
  const SealedBlock block = test.add({random_bytes(5000, 1), random_bytes(5000, 2)});
  std::filesystem::resize_file(test.store.path_of(block.id), 8192);
  const ExtentLocation wanted[] = {location_of(block, 0), location_of(block, 1)};
  const Batch batch = run(test.store, wanted);
  EXPECT_TRUE(batch.results[0].has_value());
  EXPECT_EQ(batch.results[1].error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(batch.results[1].error().offset, 8192U);
}

TEST(BatchReader, StopsWhenTheSinkFailsAndCanBeUsedAgain) {
  TestStore test;
  const auto extents = many_sizes();
  const SealedBlock block = test.add(extents);
  std::vector<ExtentLocation> wanted;
  for (std::size_t i = 0; i < extents.size(); ++i) wanted.push_back(location_of(block, i));
  const auto reader = value_of(BatchReader::create(test.store));
  std::size_t calls = 0;
  const auto stopped = reader->run(wanted, [&](std::size_t, Result<ByteSpan>) -> Result<void> {
    return ++calls == 2 ? Result<void>(fail(ErrorCode::kInterrupted, "enough")) : Result<void>();
  });
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(calls, 2U);
  calls = 0;
  ASL_EXPECT_OK(reader->run(wanted, [&](std::size_t i, Result<ByteSpan> bytes) -> Result<void> {
    EXPECT_TRUE(bytes && std::ranges::equal(*bytes, extents[i]));
    ++calls;
    return {};
  }));
  EXPECT_EQ(calls, extents.size());
}

}  // namespace
}  // namespace asl
