// Garbage collection: what is needed stays and reads as before, the rest goes, and damage stops it.
#include <algorithm>
#include <map>
#include <set>

#include <asl/engine/gc.h>
#include <asl/engine/hash.h>
#include <asl/engine/history.h>
#include <asl/engine/tree.h>

#include "store_fixture.h"

namespace asl {
namespace {

using test::open_domain;
using test::random_bytes;
using test::read_artifact;
using test::value_of;
using test::verify_all;

class Gc : public test::StoreTest {
 protected:
  Result<GcReport> try_gc(const GcOptions& options = {}) {
    ProgressCounters progress;
    return collect_garbage(domain(), options, progress, {});
  }
  GcReport gc(const GcOptions& options = {}) { return value_of(try_gc(options)); }

  // One session for all, so that they share blocks.
  std::vector<Reference> put(const std::vector<Bytes>& contents, bool pinned) {
    const auto writer = open_writer();
    const auto lane = value_of(writer->make_lane());
    std::vector<Reference> refs;
    for (const Bytes& bytes : contents) refs.push_back(value_of(lane->put(bytes, pinned)).reference);
    value_of(writer->commit());
    return refs;
  }

  // A snapshot of one directory that holds these files.
  std::uint64_t snapshot_of(const std::map<std::string, Bytes>& files) {
    const auto writer = open_writer();
    TreeBuilder builder([&](ByteSpan node) { return writer->put_typed(kTagTree, node); });
    const auto lane = value_of(writer->make_lane());
    for (const auto& [name, bytes] : files) {
      Entry entry;
      entry.name = name;
      entry.size_bytes = bytes.size();
      entry.nlink = 1;
      entry.content = value_of(lane->put(bytes)).reference;
      value_of(builder.add(entry));
    }
    const auto finished = value_of(builder.finish());
    Snapshot snapshot;
    snapshot.domain_id = domain().id();
    snapshot.snapshot_id = domain().state()->next_snapshot_id();
    Entry root;
    root.type = EntryType::kDirectory;
    root.nlink = 1;
    root.content = finished.root;
    root.below = finished.below;
    snapshot.roots.push_back({"/source", root});
    const Reference ref = value_of(writer->put_typed(kTagSnapshot, value_of(encode_snapshot(snapshot))));
    value_of(writer->commit(std::vector<NewRecord>{
        new_record(SnapshotAnchorRecord{.snapshot_id = snapshot.snapshot_id, .reference = ref})}));
    return snapshot.snapshot_id;
  }

  void forget(std::uint64_t id) { value_of(forget_snapshots(domain(), std::vector<std::uint64_t>{id})); }

  void expect_clean() {
    const VerifyReport report = verify_all(domain());
    for (const Finding& finding : report.findings) ADD_FAILURE() << finding.error.to_string();
  }
  std::uint64_t block_bytes() const {
    std::uint64_t total = 0;
    for (const std::string& file : test::files_ending(in_store("blocks"), ".bin"))
      total += test::fs::file_size(file);
    return total;
  }
  bool bytes_are_in_some_block(const Bytes& wanted) const {
    for (const std::string& file : test::files_ending(in_store("blocks"), ".bin")) {
      std::ifstream in(file, std::ios::binary);
      const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
      if (text.find(as_text(wanted)) != std::string::npos) return true;
    }
    return false;
  }
};

TEST_F(Gc, DropsWhatNothingNeedsAndKeepsPins) {
  const Bytes kept = random_bytes(300'000, 1);
  const Bytes dropped = random_bytes(300'000, 2);
  const auto pinned = put({kept}, true);
  const auto loose = put({dropped}, false);
  const GcReport report = gc();
  EXPECT_EQ(report.records_live, 1U);
  EXPECT_EQ(report.artifacts_dropped, 1U);
  EXPECT_EQ(report.blocks_removed, 1U);
  EXPECT_LT(report.bytes_after, report.bytes_before);
  EXPECT_EQ(report.bytes_after, block_bytes());
  EXPECT_EQ(value_of(read_artifact(domain(), pinned[0])), kept);
  EXPECT_EQ(domain().find(loose[0]).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(bytes_are_in_some_block(dropped));
  expect_clean();

  value_of(unpin_artifacts(domain(), pinned));
  EXPECT_EQ(gc().bytes_after, 0U);
  EXPECT_EQ(block_bytes(), 0U);
  EXPECT_EQ(domain().find(pinned[0]).error().code, ErrorCode::kNotFound);
  expect_clean();
}

TEST_F(Gc, AnArtifactThatIsPutAgainAfterItsUnpinStays) {
  const Bytes bytes = random_bytes(5000, 1);
  const auto refs = put({bytes}, true);
  value_of(unpin_artifacts(domain(), refs));
  put({bytes}, true);
  gc();
  EXPECT_EQ(value_of(read_artifact(domain(), refs[0])), bytes);
}

TEST_F(Gc, KeepsAllThatALivingSnapshotReaches) {
  std::map<std::string, Bytes> common{{"a", random_bytes(40, 1)}, {"b", random_bytes(700'000, 2)}};
  std::map<std::string, Bytes> first = common;
  first["old"] = random_bytes(400'000, 3);
  std::map<std::string, Bytes> second = common;
  second["new"] = random_bytes(90'000, 4);
  const std::uint64_t old_id = snapshot_of(first);
  const std::uint64_t new_id = snapshot_of(second);
  const GcReport nothing = gc();
  EXPECT_EQ(nothing.records_dead, 0U);
  ASSERT_EQ(nothing.kept.size(), 2U);
  EXPECT_EQ(nothing.kept[0].snapshot_id, old_id);
  EXPECT_EQ(nothing.kept[0].artifacts, 5U);  // snapshot, tree, three files
  EXPECT_EQ(nothing.kept[1].artifacts, 3U);  // what the first does not keep already

  forget(old_id);
  const GcReport report = gc();
  EXPECT_EQ(report.artifacts_dropped, 3U);
  EXPECT_EQ(domain().find(untyped_reference(sha256(first["old"]))).error().code, ErrorCode::kNotFound);
  for (const auto& [name, bytes] : second)
    EXPECT_EQ(value_of(read_artifact(domain(), untyped_reference(sha256(bytes)))), bytes) << name;
  EXPECT_EQ(value_of(domain().snapshot(new_id)).snapshot_id, new_id);
  EXPECT_FALSE(test::fs::exists(at() + "/snapshots/snapshot-1.meta"));
  expect_clean();
}

TEST_F(Gc, MovesWhatIsLiveOutOfMostlyDeadBlocks) {
  std::vector<Bytes> contents;
  for (std::uint64_t k = 0; k < 200; ++k) contents.push_back(random_bytes(1000 + k * 911, k));
  const auto refs = put(contents, false);
  std::vector<Bytes> few;
  for (std::size_t k = 0; k < contents.size(); k += 10) few.push_back(contents[k]);
  put(few, true);
  const std::uint64_t before = block_bytes();
  // A reader that looked before and reads afterwards.
  const auto reader = open_domain(*io_, at());
  const Artifact found = value_of(reader->find(refs[10]));

  const GcReport report = gc();
  EXPECT_GT(report.blocks_repacked, 0U);
  EXPECT_GT(report.bytes_moved, 0U);
  EXPECT_EQ(report.artifacts_dropped, contents.size() - few.size());
  EXPECT_LT(block_bytes() * 4, before);
  for (std::size_t k = 0; k < contents.size(); ++k) {
    const auto got = read_artifact(domain(), refs[k]);
    ASSERT_EQ(got.has_value(), k % 10 == 0) << k;
    if (got) {
      EXPECT_EQ(*got, contents[k]);
    }
  }
  Bytes bytes(found.length());
  EXPECT_EQ(value_of(found.read(0, bytes)), bytes.size());
  EXPECT_EQ(bytes, contents[10]);
  expect_clean();
  // What is whole is left alone.
  EXPECT_EQ(gc().bytes_moved, 0U);
}

TEST_F(Gc, JoinsManySmallBlocks) {
  std::vector<Reference> refs;
  std::vector<Bytes> contents;
  for (std::uint64_t k = 0; k < kGcSmallBlocksMax + 4; ++k) {
    contents.push_back(random_bytes(3000, k));
    refs.push_back(put({contents.back()}, true).front());
  }
  const GcReport report = gc();
  EXPECT_EQ(report.blocks_repacked, contents.size());
  EXPECT_EQ(test::files_ending(in_store("blocks"), ".bin").size(), 1U);
  for (std::size_t k = 0; k < refs.size(); ++k)
    EXPECT_EQ(value_of(read_artifact(domain(), refs[k])), contents[k]);
  expect_clean();
}

TEST_F(Gc, ADryRunChangesNothing) {
  put({random_bytes(300'000, 1)}, true);
  put({random_bytes(500'000, 2)}, false);
  const auto files = test::files_below(at());
  const auto logseq = domain().state()->last_logseq();
  const GcReport would = gc({.dry_run = true});
  EXPECT_EQ(test::files_below(at()), files);
  reopen();
  EXPECT_EQ(domain().state()->last_logseq(), logseq);
  const GcReport did = gc();
  EXPECT_EQ(would.blocks_removed, did.blocks_removed);
  EXPECT_EQ(would.bytes_after, did.bytes_after);
}

TEST_F(Gc, ADamagedTreeStopsItBeforeAnythingIsRemoved) {
  const std::uint64_t id = snapshot_of({{"a", random_bytes(100'000, 1)}});
  put({random_bytes(300'000, 2)}, false);
  const Snapshot snapshot = value_of(domain().snapshot(id));
  const Reference tree = snapshot.roots[0].entry.content;
  // Its bytes are the only ones that say so.
  for (const std::string& file : test::files_ending(in_store("blocks"), ".bin")) {
    std::ifstream in(file, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (const auto at_byte = text.find("asl-tree"); at_byte != std::string::npos)
      test::flip_byte(file, at_byte);
  }
  reopen();
  const auto blocks = test::files_below(in_store("blocks"));
  const auto report = try_gc();
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kIntegrity);
  EXPECT_NE(report.error().to_string().find(to_text(tree)), std::string::npos) << report.error().to_string();
  EXPECT_EQ(test::files_below(in_store("blocks")), blocks);
}

TEST_F(Gc, ADamagedSegmentStopsIt) {
  put({random_bytes(100'000, 1)}, true);
  put({random_bytes(300'000, 2)}, false);
  const auto segments = test::files_ending(in_store("index"), ".idx");
  ASSERT_EQ(segments.size(), 2U);
  test::flip_byte(segments[0], test::fs::file_size(segments[0]) - 100);
  reopen();
  const auto blocks = test::files_below(in_store("blocks"));
  const auto report = try_gc();
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(report.error().path, segments[0]);
  EXPECT_EQ(test::files_below(in_store("blocks")), blocks);
}

TEST_F(Gc, ADamagedExtentKeepsItsBlockWhereItIs) {
  std::vector<Bytes> contents;
  for (std::uint64_t k = 0; k < 20; ++k) contents.push_back(random_bytes(100'000, k));
  const auto refs = put(contents, false);
  put({contents[3], contents[7]}, true);
  const auto blocks = test::files_ending(in_store("blocks"), ".bin");
  ASSERT_EQ(blocks.size(), 1U);
  std::ifstream in(blocks[0], std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  test::flip_byte(blocks[0], text.find(as_text(contents[3])));
  const GcReport report = gc();
  ASSERT_EQ(report.damage.size(), 1U);
  EXPECT_EQ(report.damage[0].path, blocks[0]);
  EXPECT_TRUE(test::fs::exists(blocks[0]));
  EXPECT_EQ(value_of(read_artifact(domain(), refs[7])), contents[7]);
  // The original heals it, and the next run moves it.
  ASSERT_FALSE(read_artifact(domain(), refs[3]).has_value());
  put({contents[3]}, true);
  EXPECT_EQ(value_of(read_artifact(domain(), refs[3])), contents[3]);
  EXPECT_EQ(gc().damage.size(), 0U);
  EXPECT_EQ(value_of(read_artifact(domain(), refs[3])), contents[3]);
  EXPECT_EQ(value_of(read_artifact(domain(), refs[7])), contents[7]);
  expect_clean();
}

TEST_F(Gc, WhatATombstoneErasesIsOverwrittenEvenWhereItIsPinned) {
  const Bytes secret = random_bytes(5000, 1);
  std::vector<Bytes> others;
  for (std::uint64_t k = 2; k < 30; ++k) others.push_back(random_bytes(5000, k));
  std::vector<Bytes> all = others;
  all.insert(all.begin() + 5, secret);
  const auto refs = put(all, true);
  {
    const auto writer = open_writer();
    value_of(writer->commit(std::vector<NewRecord>{new_record(TombstoneRecord{
        .reference = refs[5], .scope = TombstoneScope::kThis, .reason = TombstoneReason::kSecret})}));
  }
  ASSERT_TRUE(bytes_are_in_some_block(secret));
  gc();
  EXPECT_FALSE(bytes_are_in_some_block(secret));
  for (const Bytes& bytes : others)
    EXPECT_EQ(value_of(read_artifact(domain(), untyped_reference(sha256(bytes)))), bytes);
  EXPECT_EQ(domain().find(refs[5]).error().code, ErrorCode::kRefused);
  expect_clean();
}

TEST_F(Gc, MovesTheEpochOfTheStatCacheBeforeAnythingGoes) {
  put({random_bytes(100'000, 1)}, false);
  const std::uint64_t before = open_writer()->cache_epoch();
  gc();
  EXPECT_GT(open_writer()->cache_epoch(), before);
}

TEST_F(Gc, CompressedExtentsAreMovedAsTheyLie) {
  Bytes text;
  while (text.size() < 400'000) {
    const std::string line = "the same words again and again " + std::to_string(text.size()) + "\n";
    const ByteSpan bytes = as_bytes(line);
    text.insert(text.end(), bytes.begin(), bytes.end());
  }
  Reference ref;
  {
    WriterOptions options = test::writer_options();
    options.compression = {.mode = CompressionMode::kZstd, .level = 3};
    const auto writer = value_of(StoreWriter::open(domain(), options));
    const auto lane = value_of(writer->make_lane());
    ref = value_of(lane->put(text, true)).reference;
    for (std::uint64_t k = 0; k < 40; ++k) value_of(lane->put(random_bytes(50'000, k)));
    value_of(writer->commit());
  }
  EXPECT_GT(gc().bytes_moved, 0U);
  EXPECT_LT(block_bytes(), 400'000U);
  EXPECT_EQ(value_of(read_artifact(domain(), ref)), text);
  expect_clean();
}

}  // namespace
}  // namespace asl
