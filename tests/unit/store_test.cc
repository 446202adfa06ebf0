// Writing to a domain and reading it back: commits, sessions, dedup, sweeping, healing.
#include <algorithm>
#include <atomic>
#include <thread>

#include <asl/engine/hash.h>
#include <asl/engine/log_record.h>

#include "store_fixture.h"

namespace asl {
namespace {

using test::files_below;
using test::files_ending;
using test::flip_byte;
using test::open_domain;
using test::put_all;
using test::random_bytes;
using test::read_artifact;
using test::StoreTest;
using test::value_of;
using test::write_text;
using test::writer_options;
using test::fs::copy_options;

// What a power cut would find while a writer runs. A file that vanishes on the way, as old ones of the cache
// do, makes it begin anew.
void copy_while_written(const std::string& from, const std::string& to) {
  constexpr int kAttemptsMax = 100;
  for (int attempt = 1;; ++attempt) {
    test::fs::remove_all(to);
    std::error_code failed;
    test::fs::copy(from, to, copy_options::recursive, failed);
    if (!failed) return;
    if (failed != std::errc::no_such_file_or_directory || attempt == kAttemptsMax)
      throw test::fs::filesystem_error("cannot copy", from, to, failed);
  }
}

constexpr std::size_t kKi = 1024;
constexpr std::size_t kMi = 1024 * kKi;

Bytes with_hole(Bytes bytes, std::size_t from, std::size_t length) {
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(from), length, std::byte{0});
  return bytes;
}

std::vector<Bytes> shapes() {
  std::vector<Bytes> contents;
  std::uint64_t seed = 1;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, 64 * kKi - 1, 64 * kKi, 64 * kKi + 1,
                                 128 * kKi, 128 * kKi + 1, 5 * kMi})
    contents.push_back(random_bytes(size, seed++));
  contents.push_back(Bytes(5 * kMi));                                      // nothing but a hole
  contents.push_back(Bytes(100));                                          // too short for one
  contents.push_back(with_hole(random_bytes(kMi, seed++), 0, 300 * kKi));  // at the start
  contents.push_back(
      with_hole(random_bytes(kMi, seed++), 400 * kKi + 5, 200 * kKi));  // in the middle, off pages
  contents.push_back(with_hole(random_bytes(kMi + 7, seed++), kMi - 256 * kKi, 256 * kKi + 7));  // at the end
  return contents;
}

// Gives `bytes` to a stream in steps of `step`; runs of zeros as such where `as_zeros`.
Result<WrittenArtifact> put_stream(Lane& lane, ByteSpan bytes, std::size_t step, bool as_zeros) {
  ASL_ASSIGN(const auto stream, ArtifactStream::open(lane));
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::size_t zeros = 0;
    while (as_zeros && at + zeros < bytes.size() && bytes[at + zeros] == std::byte{0}) ++zeros;
    if (zeros > 4 * kKi) {
      ASL_TRY(stream->zeros(zeros));
      at += zeros;
      continue;
    }
    const std::size_t room = static_cast<std::size_t>(stream->limit() - at);
    const std::size_t count = std::min({step, room, bytes.size() - at});
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), count, stream->space(at));
    at += count;
    ASL_TRY(stream->filled_to(at));
  }
  return stream->finish();
}

TEST_F(StoreTest, ReadsBackEveryShapeInTheSessionAndAfterReopening) {
  const std::vector<Bytes> contents = shapes();
  const std::vector<Reference> refs = value_of(put_all(domain(), contents));
  for (int round = 0; round < 2; ++round) {
    for (std::size_t k = 0; k < contents.size(); ++k) {
      EXPECT_EQ(refs[k], untyped_reference(sha256(contents[k])));
      EXPECT_EQ(value_of(read_artifact(domain(), refs[k])), contents[k]) << k;
    }
    reopen();
  }
  EXPECT_EQ(test::verify_all(domain()).finding_count, 0U);
}

TEST_F(StoreTest, ReadsAnyRangeOfAnArtifact) {
  const Bytes bytes = with_hole(random_bytes(3 * kMi, 7), kMi + 11, 500 * kKi);
  const Reference ref = value_of(put_all(domain(), {bytes})).front();
  const Artifact artifact = value_of(domain().find(ref));
  for (std::size_t offset = 0; offset < bytes.size(); offset += 77'777) {
    Bytes into(100'001);
    const std::size_t got = value_of(artifact.read(offset, into));
    ASSERT_EQ(got, std::min(into.size(), bytes.size() - offset));
    EXPECT_TRUE(std::equal(into.begin(), into.begin() + static_cast<std::ptrdiff_t>(got),
                           bytes.begin() + static_cast<std::ptrdiff_t>(offset)))
        << offset;
  }
  Bytes one(1);
  EXPECT_EQ(value_of(artifact.read(bytes.size(), one)), 0U);
}

TEST_F(StoreTest, StreamsCutAndNameBytesLikeWholePuts) {
  const std::vector<Bytes> contents = shapes();
  const std::vector<Reference> refs = value_of(put_all(domain(), contents));
  HostRoot root = value_of(HostRoot::open(*io_, directory_ / "root"));
  const std::unique_ptr<Domain> other =
      open_domain(*io_, value_of(root.create_local_domain("streams")).directory);
  {
    const auto writer = value_of(StoreWriter::open(*other, writer_options()));
    const auto lane = value_of(writer->make_lane());
    for (std::size_t k = 0; k < contents.size(); ++k) {
      const WrittenArtifact streamed = value_of(put_stream(*lane, contents[k], 70'001, k % 2 == 0));
      EXPECT_EQ(streamed.reference, refs[k]) << k;
      EXPECT_EQ(streamed.length, contents[k].size());
    }
    ASL_ASSERT_OK(writer->commit());
  }
  for (std::size_t k = 0; k < contents.size(); ++k) {
    EXPECT_EQ(value_of(read_artifact(*other, refs[k])), contents[k]) << k;
    EXPECT_EQ(value_of(other->find(refs[k])).extent_count(), value_of(domain().find(refs[k])).extent_count())
        << k;
  }
}

TEST_F(StoreTest, AStreamGivenAsZerosOrAsBytesIsTheSame) {
  const Bytes bytes = with_hole(random_bytes(2 * kMi + 99, 9), 512 * kKi + 3, 700 * kKi);
  const auto writer = open_writer();
  const auto lane = value_of(writer->make_lane());
  const WrittenArtifact first = value_of(put_stream(*lane, bytes, kMi, false));
  const WrittenArtifact second = value_of(put_stream(*lane, bytes, 4096, true));
  EXPECT_EQ(first.reference, second.reference);
  EXPECT_EQ(first.hole_bytes, second.hole_bytes);
  EXPECT_GT(first.hole_bytes, 0U);
  EXPECT_EQ(second.bytes_new, 0U);
}

TEST_F(StoreTest, StoresEqualBytesOnceWithinAndAcrossSessions) {
  const Bytes large = random_bytes(5 * kMi, 3);
  const Bytes small = random_bytes(1000, 4);
  {
    const auto writer = open_writer();
    const auto lane = value_of(writer->make_lane());
    const auto other_lane = value_of(writer->make_lane());
    EXPECT_EQ(value_of(lane->put(large)).bytes_new, large.size());
    EXPECT_EQ(value_of(lane->put(small)).bytes_new, small.size());
    EXPECT_EQ(value_of(other_lane->put(large)).bytes_new, 0U);
    EXPECT_EQ(value_of(other_lane->put(small)).bytes_new, 0U);
    ASL_ASSERT_OK(writer->commit());
    EXPECT_EQ(value_of(lane->put(large)).bytes_new, 0U);
  }
  reopen();
  const auto writer = open_writer();
  const auto lane = value_of(writer->make_lane());
  EXPECT_EQ(value_of(lane->put(large)).bytes_new, 0U);
  EXPECT_EQ(value_of(put_stream(*lane, large, kMi, false)).bytes_new, 0U);
  EXPECT_EQ(value_of(lane->put(small)).bytes_new, 0U);
  ASL_ASSERT_OK(writer->commit());
  EXPECT_EQ(writer->totals().artifacts_new, 0U);
}

TEST_F(StoreTest, ThreadsThatMeetTheSameBytesStoreThemOnce) {
  constexpr std::size_t kContents = 200;
  const auto writer = open_writer();
  std::vector<std::unique_ptr<Lane>> lanes;
  for (int k = 0; k < 3; ++k) lanes.push_back(value_of(writer->make_lane()));
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (const auto& lane : lanes)
    threads.emplace_back([&lane, &failures] {
      for (std::uint64_t seed = 0; seed < kContents; ++seed) {
        if (!lane->put(random_bytes(5000, 1000 + seed))) ++failures;
      }
    });
  for (std::thread& thread : threads) thread.join();
  ASL_ASSERT_OK(writer->commit());
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(writer->totals().extents_new, kContents);
  EXPECT_EQ(writer->totals().artifacts_new, kContents);
  for (std::uint64_t seed = 0; seed < kContents; ++seed) {
    const Bytes bytes = random_bytes(5000, 1000 + seed);
    EXPECT_EQ(value_of(read_artifact(domain(), untyped_reference(sha256(bytes)))), bytes);
  }
}

TEST_F(StoreTest, TypedAndUntypedArtifactsOfTheSameBytesAreTwoNames) {
  const Bytes bytes = random_bytes(3000, 5);
  Reference typed;
  Reference untyped;
  {
    const auto writer = open_writer();
    typed = value_of(writer->put_typed(kTagErrors, bytes));
    untyped = value_of(writer->put_untyped(bytes));
    ASL_ASSERT_OK(writer->commit());
    EXPECT_EQ(writer->totals().extents_new, 1U);
  }
  EXPECT_EQ(typed, typed_reference(kTagErrors, bytes));
  EXPECT_EQ(untyped, untyped_reference(sha256(bytes)));
  EXPECT_EQ(value_of(domain().read_typed(typed, kTagErrors, 1 << 20)), bytes);
  EXPECT_EQ(domain().read_typed(typed, kTagTree, 1 << 20).error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(domain().read_typed(typed, kTagErrors, 2999).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(domain().find({0x1234, untyped.digest}).error().code, ErrorCode::kUnsupported);
}

TEST_F(StoreTest, NothingIsVisibleBeforeItsCommitAndAReaderSeesItByRefresh) {
  const std::unique_ptr<Domain> reader = open_domain(*io_, at());
  const Bytes bytes = random_bytes(300 * kKi, 6);
  const Reference ref = untyped_reference(sha256(bytes));
  const auto writer = open_writer();
  const auto lane = value_of(writer->make_lane());
  ASL_ASSERT_OK(lane->put(bytes));
  EXPECT_EQ(domain().find(ref).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(value_of(reader->refresh()));
  ASL_ASSERT_OK(writer->commit());
  EXPECT_EQ(reader->find(ref).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(value_of(reader->refresh()));
  EXPECT_FALSE(value_of(reader->refresh()));
  EXPECT_EQ(value_of(read_artifact(*reader, ref)), bytes);
  EXPECT_EQ(value_of(read_artifact(domain(), ref)), bytes);
}

TEST_F(StoreTest, ASecondWriterIsLockedOutAndToldWhy) {
  auto writer = open_writer();
  const std::unique_ptr<Domain> other = open_domain(*io_, at());
  const auto second = StoreWriter::open(*other, writer_options());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
  EXPECT_NE(second.error().hint.find("another asl is writing"), std::string::npos);
  writer.reset();
  ASL_EXPECT_OK(StoreWriter::open(*other, writer_options()));
}

TEST_F(StoreTest, AnUncommittedBatchIsDroppedAndLeavesNoFiles) {
  const Bytes bytes = random_bytes(3 * kMi, 8);
  {
    const auto writer = open_writer();
    const auto lane = value_of(writer->make_lane());
    ASL_ASSERT_OK(lane->put(bytes));
    ASL_ASSERT_OK(writer->put_typed(kTagErrors, random_bytes(100, 9)));
  }
  reopen();
  EXPECT_EQ(domain().find(untyped_reference(sha256(bytes))).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(files_below(in_store("tmp")).empty());
  EXPECT_TRUE(files_below(in_store("blocks")).empty());
  EXPECT_TRUE(open_writer()->notices().empty());
}

TEST_F(StoreTest, WhatADeadWriterLeftIsSweptAndItsCommitsStay) {
  const Bytes kept = random_bytes(2 * kMi, 10);
  const Bytes lost = random_bytes(3 * kMi, 11);
  const std::string copy = directory_ / "copy";
  {
    const auto writer = open_writer();
    const auto lane = value_of(writer->make_lane());
    ASL_ASSERT_OK(lane->put(kept));
    ASL_ASSERT_OK(writer->commit());
    ASL_ASSERT_OK(lane->put(lost));
    // The machine stops here.
    copy_while_written(at(), copy);
  }
  EXPECT_FALSE(files_ending(copy + "/store/tmp", ".open").empty());
  const std::unique_ptr<Domain> later = open_domain(*io_, copy);
  {
    const auto writer = value_of(StoreWriter::open(*later, writer_options()));
    ASSERT_FALSE(writer->notices().empty());
    EXPECT_NE(writer->notices().front().find("of an interrupted run removed"), std::string::npos);
    EXPECT_EQ(files_below(copy + "/store/tmp"), std::vector<std::string>{copy + "/store/tmp/session"});
    const auto lane = value_of(writer->make_lane());
    EXPECT_EQ(value_of(lane->put(kept)).bytes_new, 0U);
    EXPECT_EQ(value_of(lane->put(lost)).bytes_new, lost.size());
    ASL_ASSERT_OK(writer->commit());
  }
  EXPECT_EQ(value_of(read_artifact(*later, untyped_reference(sha256(kept)))), kept);
  EXPECT_EQ(value_of(read_artifact(*later, untyped_reference(sha256(lost)))), lost);
  EXPECT_EQ(test::verify_all(*later).finding_count, 0U);
}

TEST_F(StoreTest, ALogPutBackToAnEarlierCommitTakesTheLaterOneBack) {
  const Bytes first = random_bytes(kMi, 12);
  const Bytes second = random_bytes(kMi, 13);
  const std::string copy = directory_ / "copy";
  {
    const auto writer = open_writer();
    const auto lane = value_of(writer->make_lane());
    ASL_ASSERT_OK(lane->put(first));
    ASL_ASSERT_OK(writer->commit());
    test::fs::copy(at() + "/log", directory_ / "old-log", copy_options::recursive);
    ASL_ASSERT_OK(lane->put(second));
    ASL_ASSERT_OK(writer->commit());
    ASL_ASSERT_OK(writer->commit());  // waits for nothing, changes nothing
    copy_while_written(at(), copy);
  }
  test::fs::remove_all(copy + "/log");
  test::fs::copy(directory_ / "old-log", copy + "/log", copy_options::recursive);
  const std::unique_ptr<Domain> back = open_domain(*io_, copy);
  EXPECT_EQ(value_of(read_artifact(*back, untyped_reference(sha256(first)))), first);
  EXPECT_EQ(back->find(untyped_reference(sha256(second))).error().code, ErrorCode::kNotFound);
  {
    // The cache speaks of a commit that never was: it may not vouch for the second block, which is swept.
    const auto writer = value_of(StoreWriter::open(*back, writer_options()));
    const auto lane = value_of(writer->make_lane());
    EXPECT_EQ(value_of(lane->put(second)).bytes_new, second.size());
    ASL_ASSERT_OK(writer->commit());
  }
  EXPECT_EQ(value_of(read_artifact(*back, untyped_reference(sha256(second)))), second);
  EXPECT_EQ(test::verify_all(*back).finding_count, 0U);
}

TEST_F(StoreTest, TheCacheIsMadeAgainWhenDeletedOrDamaged) {
  const Bytes bytes = random_bytes(5 * kMi, 14);  // several extents: found by the cache alone
  const Reference ref = value_of(put_all(domain(), {bytes})).front();
  for (const bool deleted : {true, false}) {
    if (deleted) {
      test::fs::remove_all(in_store("cache"));
      test::fs::create_directory(in_store("cache"));
    } else {
      for (const std::string& file : files_below(in_store("cache"))) write_text(file, "not a database\n");
    }
    reopen();
    EXPECT_EQ(value_of(read_artifact(domain(), ref)), bytes);
    const auto writer = open_writer();
    const auto lane = value_of(writer->make_lane());
    EXPECT_EQ(value_of(put_stream(*lane, bytes, kMi, false)).bytes_new, 0U) << deleted;
  }
}

TEST_F(StoreTest, ACacheDirectoryThatIsGoneAltogetherIsNoError) {
  const Bytes bytes = random_bytes(5 * kMi, 15);
  const Reference ref = value_of(put_all(domain(), {bytes})).front();
  test::fs::remove_all(in_store("cache"));
  reopen();
  EXPECT_EQ(value_of(read_artifact(domain(), ref)), bytes);
  const auto writer = open_writer();
  const auto lane = value_of(writer->make_lane());
  EXPECT_EQ(value_of(lane->put(bytes)).bytes_new, 0U);
}

TEST_F(StoreTest, ADamagedExtentIsReportedNamedAndHealedByPuttingItAgain) {
  const Bytes bytes = random_bytes(200 * kKi, 16);
  const Reference ref = value_of(put_all(domain(), {bytes})).front();
  const std::vector<std::string> blocks = files_ending(in_store("blocks"), ".bin");
  ASSERT_EQ(blocks.size(), 1U);
  reopen();
  // This one keeps the damaged file open while it is replaced.
  const std::unique_ptr<Domain> reader = open_domain(*io_, at());
  ASL_ASSERT_OK(read_artifact(*reader, ref));
  flip_byte(blocks.front(), 5000);
  const auto damaged = read_artifact(domain(), ref);
  ASSERT_FALSE(damaged.has_value());
  EXPECT_EQ(damaged.error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(damaged.error().path, blocks.front());
  EXPECT_EQ(damaged.error().object, to_text(ref));
  EXPECT_FALSE(damaged.error().hint.empty());
  EXPECT_EQ(test::fs::file_size(in_store("damaged")), 64U + 1 + 64 + 2 + 1);
  {
    const auto writer = open_writer();
    const auto lane = value_of(writer->make_lane());
    EXPECT_EQ(value_of(lane->put(bytes)).bytes_new, bytes.size());
    ASL_ASSERT_OK(writer->commit());
    EXPECT_EQ(writer->totals().extents_healed, 1U);
  }
  EXPECT_EQ(test::fs::file_size(in_store("damaged")), 0U);
  EXPECT_EQ(value_of(read_artifact(domain(), ref)), bytes);
  EXPECT_EQ(value_of(read_artifact(*reader, ref)), bytes);
  EXPECT_EQ(test::verify_all(domain()).finding_count, 0U);
}

TEST_F(StoreTest, AMissingOrShortBlockIsHealedByPuttingItAgain) {
  const Bytes bytes = random_bytes(200 * kKi, 17);
  const Reference ref = value_of(put_all(domain(), {bytes})).front();
  const std::string block = files_ending(in_store("blocks"), ".bin").front();
  for (const bool missing : {true, false}) {
    if (missing)
      test::fs::remove(block);
    else
      test::fs::resize_file(block, 4096);
    reopen();
    const auto damaged = read_artifact(domain(), ref);
    ASSERT_FALSE(damaged.has_value());
    EXPECT_EQ(damaged.error().code, missing ? ErrorCode::kNotFound : ErrorCode::kIntegrity);
    EXPECT_EQ(damaged.error().path, block);
    EXPECT_GT(test::verify_all(domain()).finding_count, 0U);
    ASL_ASSERT_OK(put_all(domain(), {bytes}));
    EXPECT_EQ(value_of(read_artifact(domain(), ref)), bytes);
    EXPECT_EQ(test::verify_all(domain()).finding_count, 0U);
  }
}

TEST_F(StoreTest, CommitsByThemselvesWhenThresholdsArePassed) {
  WriterOptions options = writer_options();
  options.commit_artifacts = 10;
  const auto writer = value_of(StoreWriter::open(domain(), options));
  const auto lane = value_of(writer->make_lane());
  for (std::uint64_t seed = 0; seed < 25; ++seed) ASL_ASSERT_OK(lane->put(random_bytes(100, 500 + seed)));
  EXPECT_EQ(writer->totals().commits, 2U);
  ASL_ASSERT_OK(writer->commit());
  EXPECT_EQ(writer->totals().commits, 3U);
  ASL_ASSERT_OK(writer->commit());
  EXPECT_EQ(writer->totals().commits, 3U);
}

TEST_F(StoreTest, AnInterruptedLongArtifactKeepsWhatWasCommittedOfIt) {
  const Bytes bytes = random_bytes(12 * kMi, 18);
  WriterOptions options = writer_options();
  options.commit_bytes = 4 * kMi;
  {
    const auto writer = value_of(StoreWriter::open(domain(), options));
    const auto lane = value_of(writer->make_lane());
    const auto stream = value_of(ArtifactStream::open(*lane));
    for (std::size_t at = 0; at < 10 * kMi; at += kMi) {
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), kMi, stream->space(at));
      ASL_ASSERT_OK(stream->filled_to(at + kMi));
    }
    EXPECT_EQ(ArtifactStream::open(*lane).error().code, ErrorCode::kUsage);
  }
  reopen();
  const Reference ref = untyped_reference(sha256(bytes));
  EXPECT_EQ(domain().find(ref).error().code, ErrorCode::kNotFound);
  const auto writer = open_writer();
  const auto lane = value_of(writer->make_lane());
  const WrittenArtifact whole = value_of(put_stream(*lane, bytes, kMi, false));
  EXPECT_EQ(whole.reference, ref);
  EXPECT_LE(whole.bytes_new, 8 * kMi);
  ASL_ASSERT_OK(writer->commit());
  EXPECT_EQ(value_of(read_artifact(domain(), ref)), bytes);
}

TEST_F(StoreTest, ARefusedRecordEndsTheSessionAndLosesNothingCommitted) {
  const Bytes kept = random_bytes(1000, 19);
  const Bytes dropped = random_bytes(1000, 20);
  {
    const auto writer = open_writer();
    const auto lane = value_of(writer->make_lane());
    ASL_ASSERT_OK(lane->put(kept));
    ASL_ASSERT_OK(writer->commit());
    ASL_ASSERT_OK(lane->put(dropped));
    const NewRecord label[] = {new_record(SnapshotLabelRecord{.snapshot_id = 77, .label = "none"})};
    EXPECT_FALSE(writer->commit(label).has_value());
    EXPECT_FALSE(lane->put(dropped).has_value());
    EXPECT_FALSE(writer->commit().has_value());
  }
  ASL_ASSERT_OK(put_all(domain(), {}));
  EXPECT_EQ(value_of(read_artifact(domain(), untyped_reference(sha256(kept)))), kept);
  EXPECT_EQ(domain().find(untyped_reference(sha256(dropped))).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_ending(in_store("blocks"), ".bin").size(), 1U);
  EXPECT_EQ(files_ending(in_store("index"), ".idx").size(), 1U);
  EXPECT_EQ(test::verify_all(domain()).finding_count, 0U);
}

TEST_F(StoreTest, ATombstoneRefusesReadsUntilItIsLifted) {
  const Reference ref = value_of(put_all(domain(), {random_bytes(10, 21)})).front();
  const auto writer = open_writer();
  const NewRecord stone[] = {
      new_record(TombstoneRecord{.reference = ref, .reason = TombstoneReason::kLegal})};
  ASL_ASSERT_OK(writer->commit(stone));
  const auto refused = domain().find(ref);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  EXPECT_NE(refused.error().message.find("legal"), std::string::npos);
  const std::uint64_t logseq = domain().state()->tombstone(ref)->logseq;
  const NewRecord lift[] = {new_record(TombstoneLiftRecord{.reference = ref, .tombstone_logseq = logseq})};
  ASL_ASSERT_OK(writer->commit(lift));
  ASL_EXPECT_OK(domain().find(ref));
}

TEST_F(StoreTest, MergingManySegmentsKeepsEverythingAndRemovesTheOldFiles) {
  constexpr std::uint64_t kCommits = 12;
  const std::unique_ptr<Domain> reader = open_domain(*io_, at());
  {
    const auto writer = open_writer();
    const auto lane = value_of(writer->make_lane());
    for (std::uint64_t seed = 0; seed < kCommits; ++seed) {
      ASL_ASSERT_OK(lane->put(random_bytes(2000, 700 + seed)));
      ASL_ASSERT_OK(writer->commit());
    }
    ASL_ASSERT_OK(reader->refresh());
    ASL_ASSERT_OK(writer->merge_segments());
  }
  EXPECT_LT(domain().state()->segments().size(), kCommits);
  EXPECT_EQ(files_ending(in_store("index"), ".idx").size(), domain().state()->segments().size());
  reopen();
  for (const Domain* each : {domain_.get(), reader.get()}) {
    for (std::uint64_t seed = 0; seed < kCommits; ++seed) {
      const Bytes bytes = random_bytes(2000, 700 + seed);
      EXPECT_EQ(value_of(read_artifact(*each, untyped_reference(sha256(bytes)))), bytes);
    }
  }
  EXPECT_EQ(test::verify_all(domain()).finding_count, 0U);
}

TEST_F(StoreTest, LayoutVersionsAreRefusedOrOpenedReadOnly) {
  const Reference ref = value_of(put_all(domain(), {random_bytes(10, 22)})).front();
  const std::string layout = at() + "/layout";
  write_text(layout, "asl-layout 1.7\n");
  reopen();
  ASL_EXPECT_OK(read_artifact(domain(), ref));
  EXPECT_EQ(StoreWriter::open(domain(), writer_options()).error().code, ErrorCode::kRefused);
  write_text(layout, "asl-layout 2.0\n");
  const auto newer = Domain::open(*io_, at(), {});
  ASSERT_FALSE(newer.has_value());
  EXPECT_EQ(newer.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(newer.error().path, layout);
  for (const char* text :
       {"", "asl-layout", "asl-layout 1.0", "asl-layout 1.0\n\n", "borg 1.0\n", "asl-layout -1.0\n"}) {
    write_text(layout, text);
    EXPECT_EQ(Domain::open(*io_, at(), {}).error().code, ErrorCode::kIntegrity) << text;
  }
}

TEST_F(StoreTest, AnUnreadableLogOrSegmentIsAnErrorAndNotAnEmptyStore) {
  const Reference ref = value_of(put_all(domain(), {random_bytes(10, 23)})).front();
  const std::string segment = files_ending(in_store("index"), ".idx").front();
  test::fs::remove(segment);
  reopen();
  const auto gone = domain().find(ref);
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(gone.error().path, segment);
  test::fs::remove_all(at() + "/log");
  EXPECT_FALSE(Domain::open(*io_, at(), {}).has_value());
}

// A million files of equal content are one artifact, and would otherwise be a million rows in memory.
TEST_F(StoreTest, RowsOfTheCacheMakeACommitDueAsArtifactsDo) {
  WriterOptions options = test::writer_options();
  options.commit_artifacts = 100;
  const auto writer = value_of(StoreWriter::open(domain(), options));
  const auto lane = value_of(writer->make_lane());
  const auto put_rows = [&](unsigned first) {
    for (unsigned k = first; k < first + 99; ++k)
      writer->put_cache_row(as_bytes("s" + std::string(40, 'k') + std::to_string(k)),
                            as_bytes(std::string("v")));
  };
  put_rows(0);
  value_of(lane->put(random_bytes(10, 1)));
  EXPECT_EQ(writer->totals().commits, 0U);
  put_rows(99);
  value_of(lane->put(random_bytes(10, 2)));
  EXPECT_EQ(writer->totals().commits, 1U);
}

}  // namespace
}  // namespace asl
