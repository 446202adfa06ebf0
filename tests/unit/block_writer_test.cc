#include "block/block_writer.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <thread>

#include "block/block_scan.h"
#include "block_support.h"
#include "format_test_util.h"
#include "io/plain_io.h"

namespace asl {
namespace {

using test::flip_byte;
using test::random_bytes;
using test::read_whole;
using test::TestStore;
using test::value_of;

TEST(BlockWriter, PutsEveryExtentWhereItSays) {
  TestStore test;
  std::vector<Bytes> extents;
  for (const std::size_t size : {1UL, 65535UL, 65536UL, 10UL, 65537UL, 2UL << 20, 3UL, 1UL << 20, 4095UL})
    extents.push_back(random_bytes(size, size));
  const auto writer = test.writer();
  std::vector<std::uint32_t> offsets;
  for (const Bytes& extent : extents) offsets.push_back(value_of(writer->append(extent, sha256(extent))));
  const SealedBlock block = value_of(writer->seal());

  const Bytes file = read_whole(block.temp_path);
  EXPECT_EQ(file.size(), block.meta.length_bytes);
  EXPECT_EQ(file.size() % kPageSize, 0U);
  Bytes expected(file.size());
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i].size() >= kSmallExtentMax)
      EXPECT_EQ(offsets[i] % kPageSize, 0U);
    else
      EXPECT_EQ(offsets[i], end) << "small extents are packed";
    std::ranges::copy(extents[i], expected.begin() + offsets[i]);
    end = offsets[i] + extents[i].size();
    EXPECT_EQ(block.meta.extents[i],
              (StoredExtent{offsets[i], static_cast<std::uint32_t>(extents[i].size()), sha256(extents[i])}));
  }
  EXPECT_EQ(file, expected) << "extents and zeros, nothing else";
  EXPECT_LT(file.size() - end, kPageSize);
  EXPECT_EQ(block.id, sha256(block.meta_bytes));
  EXPECT_EQ(value_of(decode_block_meta(block.meta_bytes)), block.meta);
}

TEST(BlockWriter, WritesTheSameThroughEveryIo) {
  for (const bool uring : {false, true}) {
    const test::TempDirectory directory;
    const auto io = uring ? io::make_uring_io() : io::make_plain_io();
    BlockStore store(*io, directory.path());
    ASL_ASSERT_OK(store.create_directories());
    const auto lane = value_of(WriteLane::create(*io, 3));
    const auto large = value_of(BlockWriter::create(store, *lane, {}));
    const auto small = value_of(BlockWriter::create(store, *lane, {}));
    std::vector<Bytes> large_extents, small_extents;
    for (std::uint64_t i = 0; i < 40; ++i) {
      large_extents.push_back(random_bytes(100000 + i * 40000, i));
      small_extents.push_back(random_bytes(1 + i * 1000, i));
      value_of(large->append(large_extents.back(), sha256(large_extents.back())));
      value_of(small->append(small_extents.back(), sha256(small_extents.back())));
    }
    for (const auto& [writer, extents] :
         {std::pair(large.get(), &large_extents), {small.get(), &small_extents}}) {
      const SealedBlock block = value_of(writer->seal());
      const Bytes file = read_whole(block.temp_path);
      for (std::size_t i = 0; i < extents->size(); ++i)
        EXPECT_TRUE(std::ranges::equal(
            (*extents)[i], ByteSpan(file).subspan(block.meta.extents[i].offset_bytes, (*extents)[i].size())))
            << i;
    }
  }
}

TEST(BlockWriter, MakesTheExampleOfTheDocumentation) {
  TestStore test;
  const SealedBlock block =
      test.seal({test::bytes_of("first\n"), test::bytes_of("second\n"), Bytes(65536, std::byte{'a'})});
  EXPECT_EQ(block.meta_bytes, test::doc_example("format-block.md"));
  EXPECT_EQ(to_hex(block.id), "334ddda1969a5748e571051f61216d8ecddfecd4761cb3c20eb9de14cbe96668");
  EXPECT_EQ(block.meta.length_bytes, 69632U);
}

TEST(BlockWriter, KnowsWhenItIsFull) {
  TestStore test;
  const auto writer = test.writer(64 << 10);
  EXPECT_EQ(writer->capacity_bytes(), 64U << 10);
  const Bytes first = random_bytes(5000, 1);
  ASL_ASSERT_OK(writer->append(first, sha256(first)));
  EXPECT_TRUE(writer->fits((64 << 10) - 5000));
  EXPECT_FALSE(writer->fits((64 << 10) - 4999));
  const Bytes second = random_bytes((64 << 10) - 4999, 2);
  const auto refused = writer->append(second, sha256(second));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  const Bytes third = random_bytes((64 << 10) - 5000, 3);
  EXPECT_EQ(value_of(writer->append(third, sha256(third))), 5000U);
  EXPECT_EQ(value_of(writer->seal()).meta.length_bytes, 64U << 10);
}

TEST(BlockWriter, TakesNoMoreExtentsThanABlockMayHave) {
  TestStore test;
  const auto writer = test.writer();
  const Bytes byte(1, std::byte{7});
  const Digest digest = sha256(byte);
  for (std::uint32_t i = 0; i < kExtentsPerBlockMax; ++i)
    ASSERT_EQ(value_of(writer->append(byte, digest)), i);
  EXPECT_FALSE(writer->fits(1));
  const SealedBlock block = value_of(writer->seal());
  EXPECT_EQ(block.meta.extents.size(), kExtentsPerBlockMax);
  EXPECT_LE(block.meta_bytes.size(), kBlockMetaSizeMax);
}

TEST(BlockWriter, RefusesWhatIsNoExtentAndWhatComesAfterTheSeal) {
  TestStore test;
  const auto empty = test.writer();
  EXPECT_EQ(empty->append({}, sha256({})).error().code, ErrorCode::kUsage);
  EXPECT_EQ(empty->append(Bytes(kExtentLengthMax + 1), Digest{}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(empty->seal().error().code, ErrorCode::kUsage);

  const auto writer = test.writer();
  const Bytes byte(1);
  ASL_ASSERT_OK(writer->append(byte, sha256(byte)));
  ASL_ASSERT_OK(writer->seal());
  EXPECT_EQ(writer->append(byte, sha256(byte)).error().code, ErrorCode::kUsage);
  EXPECT_EQ(writer->seal().error().code, ErrorCode::kUsage);
}

TEST(BlockWriter, LeavesNothingBehindWhenAbandoned) {
  TestStore test;
  {
    const auto writer = test.writer();
    const Bytes extent = random_bytes(2 << 20, 1);
    for (int i = 0; i < 3; ++i) ASL_ASSERT_OK(writer->append(extent, sha256(extent)));
    EXPECT_EQ(test.temp_files(), 1U);
  }
  EXPECT_EQ(test.temp_files(), 0U);
  // Its buffers are free again.
  test.seal({random_bytes(2 << 20, 2)});
}

TEST(BlockWriter, IsNeverTrustedAgainAfterAnyFailedWrite) {
  constexpr int kWrites = 20;  // more than the lane has buffers
  for (int failing = 0; failing < kWrites; ++failing) {
    TestStore test;
    int writes = 0;
    test.io.on_queued_write = [&](std::uint64_t) { return writes++ == failing ? EIO : 0; };
    {
      const auto writer = test.writer(64 << 20);
      const Bytes extent = random_bytes(1 << 20, 1);
      const Digest digest = sha256(extent);
      Result<void> outcome;
      for (int i = 0; i < kWrites && outcome; ++i)
        if (auto appended = writer->append(extent, digest); !appended) outcome = fail(appended.error());
      if (outcome)
        if (auto sealed = writer->seal(); !sealed) outcome = fail(sealed.error());
      ASSERT_FALSE(outcome) << failing;
      EXPECT_EQ(outcome.error().code, ErrorCode::kIo);
      EXPECT_EQ(outcome.error().sys_errno, EIO);
      EXPECT_EQ(outcome.error().offset, std::uint64_t{static_cast<unsigned>(failing)} << 20);
      EXPECT_EQ(writer->append(extent, digest).error().sys_errno, EIO);
      EXPECT_EQ(writer->seal().error().sys_errno, EIO);
    }
    EXPECT_EQ(test.temp_files(), 0U);
    // The lane serves the next block.
    test.add({random_bytes(3 << 20 >> 1, 2)});
  }
}

TEST(BlockWriter, IsNeverTrustedAgainAfterAFailedSync) {
  TestStore test;
  test.io.on_sync = [] { return EIO; };
  const auto writer = test.writer();
  const Bytes extent = random_bytes(100000, 1);
  ASL_ASSERT_OK(writer->append(extent, sha256(extent)));
  EXPECT_EQ(writer->seal().error().sys_errno, EIO);
  // The kernel may have dropped the pages: a second sync that succeeds would prove nothing.
  test.io.on_sync = [] { return 0; };
  EXPECT_EQ(writer->seal().error().sys_errno, EIO);
}

TEST(BlockWriter, ReportsAFullDiskAsSuch) {
  TestStore test;
  test.io.on_queued_write = [](std::uint64_t) { return ENOSPC; };
  const auto writer = test.writer();
  const Bytes extent = random_bytes(100000, 1);
  ASL_ASSERT_OK(writer->append(extent, sha256(extent)));
  EXPECT_EQ(writer->seal().error().code, ErrorCode::kNoSpace);
}

TEST(BlockWriter, ShrinksItsPreallocationOnAFullDisk) {
  TestStore test;
  test.io.on_allocate = [](std::uint64_t length) { return length > (5 << 20) ? ENOSPC : 0; };
  const auto writer = value_of(
      BlockWriter::create(test.store, *test.lane, {.capacity_bytes = 64 << 20, .needed_bytes = 3 << 20}));
  // 4 MiB would fit; the block takes less of it, so that other open blocks find room too.
  EXPECT_EQ(writer->capacity_bytes(), 3U << 20);
  EXPECT_EQ(test.io.allocations,
            (std::vector<std::uint64_t>{64 << 20, 32 << 20, 16 << 20, 8 << 20, 4 << 20, 3 << 20}));
  EXPECT_TRUE(writer->fits(2 << 20));

  const auto none =
      BlockWriter::create(test.store, *test.lane, {.capacity_bytes = 64 << 20, .needed_bytes = 6 << 20});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(test.io.allocations.back(), 6U << 20) << "what is needed is tried last";
  EXPECT_EQ(test.temp_files(), 1U) << "the failed block's file is gone";
}

// A little disk: a reservation that fails holds on to all that there was, until its file is cut.
class LittleDisk final : public io::PlainIo {
 public:
  Result<void> allocate(const io::File& file, std::uint64_t length) override {
    const std::lock_guard lock(mutex_);
    std::uint64_t& held = held_[file.fd()];
    const std::uint64_t taken = std::min(length - std::min(length, held), free_);
    held += taken;
    free_ -= taken;
    if (held >= length) return {};
    for (int k = 0; k < 50; ++k) {
      mutex_.unlock();
      std::this_thread::yield();
      mutex_.lock();
    }
    return fail(system_error(ENOSPC, "cannot reserve space"));
  }
  Result<void> truncate(const io::File& file, std::uint64_t length) override {
    const std::lock_guard lock(mutex_);
    std::uint64_t& held = held_[file.fd()];
    free_ += held - std::min(held, length);
    held = std::min(held, length);
    return {};
  }

 protected:
  void close(int fd) override {
    {
      const std::lock_guard lock(mutex_);
      free_ += held_[fd];
      held_.erase(fd);
    }
    PlainIo::close(fd);
  }

 private:
  std::mutex mutex_;
  std::uint64_t free_ = 14 << 20;
  std::map<int, std::uint64_t> held_;
};

TEST(BlockWriter, SeveralAtOnceOnANearlyFullDiskDoNotTakeEachOthersRoom) {
  const test::TempDirectory directory;
  LittleDisk io;
  BlockStore store(io, directory.path());
  ASL_ASSERT_OK(store.create_directories());
  for (int round = 0; round < 5; ++round) {
    std::vector<std::thread> threads;
    for (int k = 0; k < 4; ++k)
      threads.emplace_back([&] {
        const auto lane = value_of(WriteLane::create(io, 3));
        const auto writer =
            BlockWriter::create(store, *lane, {.capacity_bytes = 256 << 20, .needed_bytes = 300'000});
        EXPECT_TRUE(writer.has_value()) << writer.error().to_string();
      });
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(BlockWriter, DoesWithoutPreallocationWhereThereIsNone) {
  TestStore test;
  test.io.on_allocate = [](std::uint64_t) { return EOPNOTSUPP; };
  const SealedBlock block = test.add({random_bytes(3 << 19, 1), random_bytes(10, 2)});
  EXPECT_EQ(value_of(test.store.length_of(block.id)), block.meta.length_bytes);
}

TEST(BlockWriter, RefusesCapacitiesNoBlockCanHave) {
  TestStore test;
  for (const BlockWriterOptions& options :
       {BlockWriterOptions{.capacity_bytes = kBlockLengthMax + 1, .needed_bytes = 1},
        BlockWriterOptions{.capacity_bytes = 4095, .needed_bytes = 1},
        BlockWriterOptions{.capacity_bytes = 1 << 20, .needed_bytes = 2 << 20}})
    EXPECT_EQ(BlockWriter::create(test.store, *test.lane, options).error().code, ErrorCode::kUsage);
}

TEST(BlockWriter, SaysWhenALaneHasTooFewBuffers) {
  TestStore test;
  const auto lane = value_of(WriteLane::create(test.io, 1));
  const auto first = value_of(BlockWriter::create(test.store, *lane, {}));
  const auto second = value_of(BlockWriter::create(test.store, *lane, {}));
  const Bytes byte(1);
  ASL_ASSERT_OK(first->append(byte, sha256(byte)));
  EXPECT_EQ(second->append(byte, sha256(byte)).error().code, ErrorCode::kUsage);
}

TEST(BlockStore, BringsABlockIntoPlaceWithItsMetadata) {
  TestStore test;
  const SealedBlock block = test.add({random_bytes(1000, 1), random_bytes(100000, 2)});
  EXPECT_EQ(test.temp_files(), 0U);
  const std::string hex = to_hex(block.id);
  EXPECT_EQ(test.store.path_of(block.id),
            test.directory / ("blocks/" + hex.substr(0, 2) + "/" + hex + ".bin"));
  ASL_EXPECT_OK(test.store.check_length(block.id, block.meta.length_bytes));
  EXPECT_EQ(value_of(test.store.read_meta(block.id)), block.meta);
  const auto listing = value_of(test.store.list());
  EXPECT_EQ(listing.blocks, std::vector{block.id});
  EXPECT_EQ(listing.metas, std::vector{block.id});
  EXPECT_TRUE(listing.strangers.empty());
}

TEST(BlockStore, KeepsAnExistingBlockThatVerifies) {
  TestStore test;
  const std::vector<Bytes> extents = {random_bytes(1000, 1), random_bytes(100000, 2)};
  const SealedBlock first = test.add(extents);
  const auto inode = value_of(test.io.status(test.store.path_of(first.id))).st_ino;
  SealedBlock again = test.seal(extents);
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(test.install(again), Installed::kKept);
  EXPECT_EQ(value_of(test.io.status(test.store.path_of(first.id))).st_ino, inode);
  EXPECT_EQ(test.temp_files(), 0U);
}

TEST(BlockStore, ReplacesAnExistingBlockThatIsDamaged) {
  const std::vector<Bytes> extents = {random_bytes(1000, 1), random_bytes(100000, 2)};
  // An extent's first byte, its last, padding between, padding at the end.
  for (const std::uint64_t offset : {0UL, 999UL, 2000UL, 4096UL, 104095UL, 106495UL}) {
    TestStore test;
    SealedBlock block = test.add(extents);
    ASSERT_EQ(block.meta.length_bytes, 106496U);
    const Bytes good = read_whole(test.store.path_of(block.id));
    const auto stale = value_of(test.store.open(block.id));
    flip_byte(test.store.path_of(block.id), offset);
    SealedBlock again = test.seal(extents);
    EXPECT_EQ(test.install(again), Installed::kReplaced) << offset;
    EXPECT_EQ(read_whole(test.store.path_of(block.id)), good);
    EXPECT_NE(value_of(test.store.open(block.id)), stale) << "the old file's handle is not given out again";
  }
}

TEST(BlockStore, ReplacesAnExistingBlockOfAnotherLength) {
  const std::vector<Bytes> extents = {random_bytes(100000, 2)};
  for (const std::uintmax_t length : {0UL, 4096UL, 98304UL, 102401UL, 106496UL}) {
    TestStore test;
    const SealedBlock block = test.add(extents);
    std::filesystem::resize_file(test.store.path_of(block.id), length);
    EXPECT_EQ(test.store.check_length(block.id, block.meta.length_bytes).error().code, ErrorCode::kIntegrity);
    SealedBlock again = test.seal(extents);
    EXPECT_EQ(test.install(again), Installed::kReplaced) << length;
    ASL_EXPECT_OK(test.store.check_length(block.id, block.meta.length_bytes));
  }
}

TEST(BlockStore, ReplacesAnExistingBlockThatCannotBeRead) {
  TestStore test;
  const std::vector<Bytes> extents = {random_bytes(100000, 2)};
  test.add(extents);
  SealedBlock again = test.seal(extents);
  test.io.on_read = [](std::uint64_t, std::size_t) { return EIO; };
  EXPECT_EQ(test.install(again), Installed::kReplaced);
}

TEST(BlockStore, SaysThatABlockIsMissingAndWhatToDo) {
  TestStore test;
  const BlockId id = sha256(as_bytes("no such block"));
  for (const Error& error : {test.store.open(id).error(), test.store.length_of(id).error(),
                             test.store.check_length(id, 1).error(), test.store.remove(id).error()}) {
    EXPECT_EQ(error.code, ErrorCode::kNotFound);
    EXPECT_EQ(error.object, "block " + to_hex(id));
    EXPECT_EQ(error.path, test.store.path_of(id));
    EXPECT_FALSE(error.hint.empty());
  }
  EXPECT_EQ(test.store.read_meta(id).error().code, ErrorCode::kNotFound);
}

TEST(BlockStore, RefusesMetadataThatIsNotTheBlocks) {
  TestStore test;
  const SealedBlock block = test.add({random_bytes(1000, 1)});
  flip_byte(test.store.meta_path_of(block.id), 12);
  EXPECT_EQ(test.store.read_meta(block.id).error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(test.store.write_meta(block.id, as_bytes("something else")).error().code, ErrorCode::kUsage);
  ASL_EXPECT_OK(test.store.write_meta(block.id, block.meta_bytes));
  EXPECT_EQ(value_of(test.store.read_meta(block.id)), block.meta);
  EXPECT_EQ(test.temp_files(), 0U);
  std::filesystem::resize_file(test.store.meta_path_of(block.id), kBlockMetaSizeMax + 1);
  EXPECT_EQ(test.store.read_meta(block.id).error().code, ErrorCode::kIntegrity);
}

TEST(BlockStore, RemovesBlocksWithAndWithoutMetadata) {
  TestStore test;
  const SealedBlock first = test.add({random_bytes(1000, 1)});
  const SealedBlock second = test.add({random_bytes(1000, 2)});
  const auto held = value_of(test.store.open(first.id));
  std::filesystem::remove(test.store.meta_path_of(second.id));
  ASL_EXPECT_OK(test.store.remove(first.id));
  ASL_EXPECT_OK(test.store.remove(second.id));
  const auto listing = value_of(test.store.list());
  EXPECT_TRUE(listing.blocks.empty());
  EXPECT_TRUE(listing.metas.empty());
  AlignedBuffer page(kPageSize);
  EXPECT_EQ(value_of(test.io.read(*held, page.span(), 0)), kPageSize) << "a handle outlives its block's name";
  EXPECT_EQ(test.store.open(first.id).error().code, ErrorCode::kNotFound);
}

TEST(BlockStore, ListsStrangersApart) {
  TestStore test;
  const SealedBlock block = test.add({random_bytes(1000, 1)});
  const std::string hex = to_hex(block.id);
  const std::string wrong_place = hex.substr(0, 2) == "00" ? "blocks/01/" : "blocks/00/";
  std::vector<std::string> strangers = {
      test.directory / "blocks/readme", test.directory / ("blocks/" + hex.substr(0, 2) + "/" + hex + ".bak"),
      test.directory / ("blocks/" + hex.substr(0, 2) + "/" + hex.substr(1) + ".bin"),
      test.directory / (wrong_place + hex + ".bin")};
  for (const std::string& path : strangers) std::ofstream(path) << 'x';
  std::ranges::sort(strangers);
  const auto listing = value_of(test.store.list());
  EXPECT_EQ(listing.blocks, std::vector{block.id});
  EXPECT_EQ(listing.strangers, strangers);
}

TEST(BlockStore, KeepsABoundedNumberOfFilesOpen) {
  TestStore test;
  BlockStore store(test.io, test.directory.path(), 2);
  std::vector<BlockId> ids;
  for (std::uint64_t i = 0; i < 3; ++i) ids.push_back(test.add({random_bytes(1000, i)}).id);
  const auto opens = [&](std::size_t i) {
    const int before = test.io.opens;
    value_of(store.open(ids[i]));
    return test.io.opens - before;
  };
  EXPECT_EQ(opens(0), 1);
  EXPECT_EQ(opens(1), 1);
  EXPECT_EQ(opens(0), 0);
  EXPECT_EQ(opens(2), 1);  // puts out 1, the least recently used
  EXPECT_EQ(opens(0), 0);
  EXPECT_EQ(opens(1), 1);
}

struct ScanOutcome {
  std::vector<bool> good;
  std::vector<Error> extent_errors;
  std::vector<Error> padding_errors;
  std::uint64_t bytes = 0;
};

ScanOutcome scan(TestStore& test, const SealedBlock& block) {
  ScanOutcome outcome;
  BlockScanSink sink;
  sink.on_extent = [&](const StoredExtent&, const Result<void>& result) -> Result<void> {
    outcome.good.push_back(result.has_value());
    if (!result) outcome.extent_errors.push_back(result.error());
    return {};
  };
  sink.on_padding = [&](const Error& error) -> Result<void> {
    outcome.padding_errors.push_back(error);
    return {};
  };
  sink.on_progress = [&](std::uint64_t bytes) { outcome.bytes += bytes; };
  const auto file = value_of(test.store.open(block.id));
  value_of(scan_block(test.io, *file, test.store.path_of(block.id), block.meta, sink));
  return outcome;
}

// Extents at 0 (3,000 bytes), 4,096 (2 MiB), 2,101,248 (70,000) and 2,171,248 (5); zeros up to 2,174,976.
std::vector<Bytes> scan_example() {
  return {random_bytes(3000, 1), random_bytes(2 << 20, 2), random_bytes(70000, 3), random_bytes(5, 4)};
}

TEST(BlockScan, FindsNothingWrongWithAGoodBlock) {
  TestStore test;
  const SealedBlock block = test.add(scan_example());
  const ScanOutcome outcome = scan(test, block);
  EXPECT_EQ(outcome.good, (std::vector{true, true, true, true}));
  EXPECT_TRUE(outcome.padding_errors.empty());
  EXPECT_EQ(outcome.bytes, block.meta.length_bytes);
}

TEST(BlockScan, NamesTheDamagedExtentOrPadding) {
  struct Case {
    std::uint64_t flipped;
    int extent;  // -1: padding
    std::uint64_t offset;
  };
  for (const Case& one : {Case{0, 0, 0}, Case{2999, 0, 0}, Case{3000, -1, 3000}, Case{4095, -1, 3000},
                          Case{4096, 1, 4096}, Case{1 << 20, 1, 4096}, Case{2101247, 1, 4096},
                          Case{2171247, 2, 2101248}, Case{2171252, 3, 2171248}, Case{2174975, -1, 2171253}}) {
    TestStore test;
    const SealedBlock block = test.add(scan_example());
    ASSERT_EQ(block.meta.length_bytes, 2174976U);
    ASSERT_EQ(block.meta.extents[3].offset_bytes, 2171248U);
    const std::uint64_t flipped = one.extent == 3 ? one.flipped - 1 : one.flipped;
    flip_byte(test.store.path_of(block.id), flipped);
    const ScanOutcome outcome = scan(test, block);
    const auto& errors = one.extent < 0 ? outcome.padding_errors : outcome.extent_errors;
    ASSERT_EQ(outcome.extent_errors.size() + outcome.padding_errors.size(), 1U) << one.flipped;
    ASSERT_EQ(errors.size(), 1U) << one.flipped;
    EXPECT_EQ(errors[0].code, ErrorCode::kIntegrity);
    EXPECT_EQ(errors[0].path, test.store.path_of(block.id));
    EXPECT_EQ(errors[0].offset, one.offset);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(outcome.good[static_cast<std::size_t>(i)], i != one.extent);
  }
}

TEST(BlockScan, LosesOnlyTheExtentsOnABadSector) {
  TestStore test;
  const SealedBlock block = test.add(scan_example());
  test.io.on_read = [](std::uint64_t offset, std::size_t length) {
    return offset <= 2101248 && 2101248 < offset + length ? EIO : 0;
  };
  const ScanOutcome outcome = scan(test, block);
  EXPECT_EQ(outcome.good, (std::vector{true, true, false, true}));
  ASSERT_EQ(outcome.extent_errors.size(), 1U);
  EXPECT_EQ(outcome.extent_errors[0].code, ErrorCode::kIo);
  EXPECT_EQ(outcome.extent_errors[0].offset, 2101248U);
}

TEST(BlockScan, ReportsWhatACutOrGrownFileLacksOrHasTooMuch) {
  TestStore test;
  const SealedBlock block = test.add(scan_example());
  const std::string path = test.store.path_of(block.id);
  std::filesystem::resize_file(path, block.meta.length_bytes + 4096);
  EXPECT_EQ(scan(test, block).padding_errors.size(), 1U);
  std::filesystem::resize_file(path, 2101248 + 4096);
  const ScanOutcome outcome = scan(test, block);
  EXPECT_EQ(outcome.good, (std::vector{true, true, false, false}));
  EXPECT_EQ(outcome.extent_errors[0].code, ErrorCode::kIntegrity);
  EXPECT_EQ(outcome.extent_errors[0].offset, 2101248U + 4096);
}

TEST(BlockScan, StopsWhenAskedOrWhenTheSinkFails) {
  TestStore test;
  const SealedBlock block = test.add(scan_example());
  const auto file = value_of(test.store.open(block.id));
  const std::string path = test.store.path_of(block.id);
  const std::atomic<bool> stop = true;
  EXPECT_EQ(scan_block(test.io, *file, path, block.meta, {}, StopToken(stop)).error().code,
            ErrorCode::kInterrupted);
  BlockScanSink sink;
  sink.on_extent = [](const StoredExtent&, const Result<void>&) -> Result<void> {
    return fail(ErrorCode::kRefused, "enough");
  };
  EXPECT_EQ(scan_block(test.io, *file, path, block.meta, sink).error().code, ErrorCode::kRefused);
}

}  // namespace
}  // namespace asl
