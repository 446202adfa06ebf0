#include "index/index_cache.h"

#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <thread>

#include "index/cache_entry.h"
#include "index_fixture.h"

namespace asl {
namespace {

using test::ArtifactMaker;
using test::expect_artifact;
using test::expect_model;
using test::LiveSegments;
using test::Model;
using test::ModelArtifact;
using test::value_of;
using Origin = IndexCache::Origin;

// A row key as the stat cache makes them: long, with a first byte of its own.
std::string row_key(const std::string& name) {
  return "s" + std::string(40, '.') + name;
}

class Cache : public ::testing::Test {
 protected:
  LiveSegments segments_;
  ArtifactMaker maker_{1};
  std::unique_ptr<IndexCache> cache_;

  void open() {
    cache_.reset();
    cache_ = value_of(segments_.open_cache());
  }
  // Seals a segment and tells the cache, as a commit does.
  const LiveSegment& commit(const Model& model, RowBatch rows = {}) {
    const LiveSegment& live = segments_.seal(model);
    const auto index = segments_.open();
    ASL_EXPECT_OK(cache_->apply(index->segments().first(1), segments_.head(), std::move(rows)));
    return live;
  }
  std::shared_ptr<const Index> index() { return segments_.open(cache_.get()); }

  std::vector<std::string> tables() const {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(segments_.cache_path()))
      if (entry.path().extension() == ".sst") paths.push_back(entry.path());
    return paths;
  }
};

TEST_F(Cache, AnswersAsTheSegmentsDo) {
  for (const std::size_t count : {1000U, 1U, 300U, 3000U}) segments_.seal(maker_.make_many(count));
  open();
  EXPECT_EQ(cache_->origin(), Origin::kRebuilt);
  EXPECT_EQ(cache_->watermark(), segments_.head());
  expect_model(*index(), segments_.model());
  commit(maker_.make_many(2000));
  EXPECT_EQ(cache_->watermark(), segments_.head());
  expect_model(*index(), segments_.model());
}

TEST_F(Cache, IsFoundAgainAsItWas) {
  segments_.seal(maker_.make_many(1000));
  open();
  commit(maker_.make_many(1000));
  open();
  EXPECT_EQ(cache_->origin(), Origin::kFound);
  EXPECT_TRUE(cache_->rebuild_reason().empty());
  expect_model(*index(), segments_.model());
}

TEST_F(Cache, AddsWhatWasSealedWithoutIt) {
  segments_.seal(maker_.make_many(500));
  open();
  cache_.reset();
  for (int i = 0; i < 3; ++i) segments_.seal(maker_.make_many(500));
  open();
  EXPECT_EQ(cache_->origin(), Origin::kCaughtUp);
  expect_model(*index(), segments_.model());
}

TEST_F(Cache, LookUpsSeeSegmentsItDoesNotCoverYet) {
  segments_.seal(maker_.make_many(500));
  open();
  // Newer copies of known artifacts among them.
  Model newer = maker_.make_many(500);
  ModelArtifact again = maker_.make_of(3, false);
  again.record.ref = segments_.model().begin()->first;
  again.record.type_tag = segments_.model().begin()->second.record.type_tag;
  newer[again.record.ref] = again;
  const LiveSegment& live = segments_.seal(newer);
  EXPECT_FALSE(cache_->covers(live));
  expect_model(*index(), segments_.model());
}

TEST_F(Cache, ASingleExtentNeedsNoPageOfItsSegment) {
  Model model;
  for (int i = 0; i < 200; ++i) {
    const auto artifact = maker_.make_of(1, i % 2 == 0);
    model.emplace(artifact.record.ref, artifact);
  }
  segments_.seal(model);
  open();
  auto pages = std::make_shared<PageCache>();
  const auto index =
      Index::open(segments_.directory().store(), segments_.live(), nullptr, cache_.get(), pages);
  const std::size_t opened = pages->page_count();
  for (const auto& [ref, artifact] : model) {
    const auto handle = *value_of(index->find(ref));
    EXPECT_TRUE(test::same_extent(value_of(handle.extent(0)), artifact.extents[0]));
    EXPECT_EQ(handle.type_tag(), artifact.record.type_tag);
    EXPECT_EQ(handle.length(), artifact.record.length);
  }
  EXPECT_EQ(pages->page_count(), opened);
}

TEST_F(Cache, OneDigestMayNameThreeThings) {
  // The same digest as a typed artifact, an untyped artifact and an extent inside a longer one.
  ModelArtifact untyped = maker_.make_of(1, false);
  ModelArtifact typed = maker_.make_of(2, true);
  typed.record.ref.digest = untyped.record.ref.digest;
  ModelArtifact longer = maker_.make_of(1, false);
  longer.extents = {maker_.extent(0, false), maker_.extent(0, false)};
  longer.extents[1].artifact_offset = longer.extents[0].raw_length;
  longer.record.length = longer.extents[0].raw_length + longer.extents[1].raw_length;
  longer.extents[1].location.digest = untyped.record.ref.digest;
  segments_.seal({{typed.record.ref, typed}});
  open();
  commit({{longer.record.ref, longer}});
  commit({{untyped.record.ref, untyped}});
  expect_model(*index(), segments_.model());
  const auto extent = value_of(index()->find_extent(untyped.record.ref.digest, ExtentSearch::kIndexed));
  ASSERT_TRUE(extent.has_value());
  EXPECT_EQ(extent->location, longer.extents[1].location);
  open();
  expect_model(*index(), segments_.model());
}

TEST_F(Cache, FindsEveryExtentOfLongArtifacts) {
  segments_.seal(maker_.make_many(500));
  open();
  commit(maker_.make_many(500));
  const auto index = this->index();
  for (const auto& [ref, artifact] : segments_.model())
    for (const auto& extent : artifact.extents) {
      if (extent.hole || (artifact.extents.size() == 1 && ref.is_typed())) continue;
      const auto found = value_of(index->find_extent(extent.location.digest, ExtentSearch::kIndexed));
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->location, extent.location);
    }
  EXPECT_FALSE(value_of(index->find_extent(maker_.digest(), ExtentSearch::kIndexed)).has_value());
}

TEST_F(Cache, AnEntryOfARetiredSegmentIsNoAbsence) {
  // The artifact lies in both segments; the cache knows the newer copy, which then goes.
  const Model both = maker_.make_many(300);
  segments_.seal(both);
  open();
  commit(both);
  segments_.retire(2);
  expect_model(*index(), both);
  segments_.retire(1);
  expect_model(*index(), {});
}

TEST_F(Cache, SweepReplacesOrRemovesDeadEntries) {
  const Model kept = maker_.make_many(300);
  const Model lost = maker_.make_many(200);
  segments_.seal(kept);
  open();
  Model second = kept;
  second.insert(lost.begin(), lost.end());
  commit(second);
  segments_.retire(2);
  const auto direct = segments_.open();
  EXPECT_GE(value_of(cache_->sweep(*direct)), kept.size() + lost.size());
  EXPECT_EQ(value_of(cache_->sweep(*direct)), 0U);
  expect_model(*index(), kept);
  for (const auto& [ref, artifact] : lost) {
    for (const auto& entry : value_of(cache_->lookup(ref.digest))) EXPECT_FALSE(entry.has_value());
  }
  open();
  EXPECT_EQ(cache_->origin(), Origin::kFound);
  expect_model(*index(), kept);
  EXPECT_FALSE(cache_->wants_sweep(direct->segments()));
}

TEST_F(Cache, IsMadeAgainWhenItLeadsTheLog) {
  segments_.seal(maker_.make_many(300));
  open();
  cache_.reset();
  segments_.rewrite_history();
  open();
  EXPECT_EQ(cache_->origin(), Origin::kRebuilt);
  EXPECT_NE(cache_->rebuild_reason().find("log"), std::string::npos);
  expect_model(*index(), segments_.model());
}

TEST_F(Cache, IsMadeAgainWhenMissing) {
  segments_.seal(maker_.make_many(300));
  open();
  ASL_ASSERT_OK(cache_->bump_epoch());
  cache_.reset();
  ASL_ASSERT_OK(IndexCache::drop(segments_.cache_path()));
  ASL_ASSERT_OK(IndexCache::drop(segments_.cache_path()));
  open();
  EXPECT_EQ(cache_->origin(), Origin::kRebuilt);
  expect_model(*index(), segments_.model());
}

TEST_F(Cache, IsMadeAgainWhenItsFilesAreDamagedOrGone) {
  segments_.seal(maker_.make_many(3000));
  const auto expect_rebuilt = [&](const char* what) {
    open();
    EXPECT_EQ(cache_->origin(), Origin::kRebuilt) << what;
    expect_model(*index(), segments_.model());
    cache_.reset();
  };
  expect_rebuilt("none");
  for (const char* name : {"CURRENT", "MANIFEST"}) {
    for (const auto& entry : std::filesystem::directory_iterator(segments_.cache_path()))
      if (entry.path().filename().string().starts_with(name))
        std::ofstream(entry.path(), std::ios::binary) << "not this";
    expect_rebuilt(name);
  }
  for (const auto& table : tables()) std::filesystem::remove(table);
  expect_rebuilt("tables gone");
  for (const auto& table : tables())
    std::filesystem::resize_file(table, std::filesystem::file_size(table) / 2);
  expect_rebuilt("tables cut");
  for (const auto& table : tables()) std::ofstream(table, std::ios::binary) << "x";
  expect_rebuilt("tables overwritten");
}

TEST_F(Cache, AFlippedBitInATableCostsTheCacheNotTheAnswer) {
  segments_.seal(maker_.make_many(5000));
  open();
  cache_.reset();
  ASSERT_FALSE(tables().empty());
  for (const auto& table : tables()) {
    // In every block of the first third, where digests lie and none of the rows that open() reads.
    Bytes bytes = segments_.directory().load(table);
    for (std::size_t at = 100; at < bytes.size() / 3; at += 1000) bytes[at] ^= std::byte{1};
    segments_.directory().save(table, bytes);
  }
  open();
  EXPECT_EQ(cache_->origin(), Origin::kFound);
  expect_model(*index(), segments_.model());
  EXPECT_FALSE(cache_->usable());
  open();
  EXPECT_EQ(cache_->origin(), Origin::kRebuilt);
  expect_model(*index(), segments_.model());
  EXPECT_TRUE(cache_->usable());
}

TEST_F(Cache, LeavesADamagedSegmentUncovered) {
  const Model good = maker_.make_many(300);
  segments_.seal(good);
  const LiveSegment damaged = segments_.seal(maker_.make_many(3000));
  const std::string path = segments_.directory().store().segment_path(damaged.number);
  const Bytes bytes = segments_.directory().load(path);
  Bytes bad = bytes;
  bad[bad.size() / 2] ^= std::byte{1};
  segments_.directory().save(path, bad);
  open();
  EXPECT_FALSE(cache_->covers(damaged));
  for (const auto& [ref, artifact] : good) EXPECT_TRUE(value_of(index()->find(ref)).has_value());
  // Known as skipped after reopening too, and whole again it answers.
  open();
  EXPECT_EQ(cache_->origin(), Origin::kFound);
  EXPECT_FALSE(cache_->covers(damaged));
  segments_.directory().save(path, bytes);
  const auto fresh = Index::open(segments_.directory().store(), segments_.live(), nullptr, cache_.get(),
                                 std::make_shared<PageCache>());
  expect_model(*fresh, segments_.model());
}

TEST_F(Cache, IsLockedWhileOpen) {
  segments_.seal(maker_.make_many(10));
  open();
  const auto second = segments_.open_cache();
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
  EXPECT_EQ(cache_->origin(), Origin::kRebuilt);
  expect_model(*index(), segments_.model());
}

TEST_F(Cache, KeepsRowsInOrderAndByPrefix) {
  segments_.seal(maker_.make_many(3000));  // some digests begin like a row
  open();
  RowBatch rows;
  for (int i = 9; i >= 0; --i) rows.put(row_key(fmt::format("a{}", i)), std::to_string(i));
  rows.put(row_key("b"), "other");
  EXPECT_GT(rows.size_bytes(), 500U);
  commit(maker_.make_many(10), std::move(rows));
  RowBatch more;
  more.remove(row_key("a3"));
  more.put(row_key("a4"), "four");
  ASL_ASSERT_OK(cache_->write_rows(std::move(more)));
  open();
  std::string seen;
  ASL_ASSERT_OK(
      cache_->for_each_row(row_key("a"), row_key("a"), [&](std::string_view key, std::string_view value) {
        EXPECT_TRUE(key.starts_with(row_key("a")));
        seen += fmt::format("{} ", value);
        return true;
      }));
  EXPECT_EQ(seen, "0 1 2 four 5 6 7 8 9 ");
  std::size_t count = 0;
  ASL_ASSERT_OK(
      cache_->for_each_row("s", "s", [&](std::string_view, std::string_view) { return ++count < 3; }));
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(value_of(cache_->get_row(row_key("b"))), "other");
  EXPECT_FALSE(value_of(cache_->get_row(row_key("a3"))).has_value());
  EXPECT_EQ(cache_->origin(), Origin::kFound);
  expect_model(*index(), segments_.model());
}

TEST_F(Cache, EpochMovesAndStays) {
  open();
  EXPECT_EQ(cache_->epoch(), 0U);
  ASL_ASSERT_OK(cache_->bump_epoch());
  ASL_ASSERT_OK(cache_->bump_epoch());
  EXPECT_EQ(cache_->epoch(), 2U);
  open();
  EXPECT_EQ(cache_->epoch(), 2U);
}

TEST_F(Cache, AnInterruptedAdditionDoesNotSurviveAnotherHistory) {
  segments_.seal(maker_.make_many(10));
  open();
  const Watermark before = segments_.head();
  // Entries of the second commit reach the disk, its watermark does not: a copy of the files taken in
  // between.
  commit(maker_.make_many(3000));
  ASL_ASSERT_OK(cache_->flush());
  cache_.reset();
  segments_.rewrite_history();
  open();
  EXPECT_EQ(cache_->origin(), Origin::kRebuilt);
  EXPECT_NE(before, cache_->watermark());
  expect_model(*index(), segments_.model());
}

TEST_F(Cache, LookUpsRunBesideCommits) {
  segments_.seal(maker_.make_many(1000));
  open();
  const Model stable = segments_.model();
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> rounds{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&, older = index()] {
      do {
        for (const auto& [ref, artifact] : stable) {
          const auto handle = older->find(ref);
          if (!handle || !*handle || (*handle)->length() != artifact.record.length) ++wrong;
        }
        ++rounds;
      } while (!stop);
    });
  for (int i = 0; i < 10; ++i) commit(maker_.make_many(500));
  while (rounds < 2) std::this_thread::yield();
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  expect_model(*index(), segments_.model());
}

TEST_F(Cache, EqualsAMapAfterAnyHistory) {
  std::mt19937_64 random(42);
  std::map<SegmentNumber, Model> contents;
  open();
  for (int step = 0; step < 60; ++step) {
    switch (random() % 6) {
      case 0:
      case 1: {
        Model model = maker_.make_many(1 + random() % 200);
        // Some known ones again, at another place.
        for (const auto& [number, older] : contents)
          for (const auto& [ref, artifact] : older)
            if (random() % 20 == 0) {
              ModelArtifact again =
                  maker_.make_of(static_cast<std::uint32_t>(1 + random() % 3), ref.is_typed());
              again.record.ref = ref;
              if (again.extents.size() == 1 && !again.extents[0].hole)
                again.extents[0].location.digest = ref.digest;
              model[ref] = again;
            }
        const SegmentNumber number = commit(model).number;
        contents[number] = std::move(model);
        break;
      }
      case 2:
        if (contents.size() > 1) {
          const auto victim =
              std::next(contents.begin(), static_cast<std::ptrdiff_t>(random() % contents.size()));
          segments_.retire(victim->first);
          contents.erase(victim);
        }
        break;
      case 3:
        open();
        break;
      case 4:
        value_of(cache_->sweep(*segments_.open()));
        break;
      default: {
        const Model model = maker_.make_many(50);
        cache_.reset();
        const SegmentNumber number = segments_.seal(model).number;
        contents[number] = model;
        open();
      }
    }
    Model expected;
    for (const auto& [number, model] : contents)
      for (const auto& [ref, artifact] : model) expected[ref] = artifact;
    expect_model(*index(), expected);
    if (HasFatalFailure() || HasNonfatalFailure()) FAIL() << "step " << step;
  }
}

TEST(CacheEntry, ComesBackAsItWasWritten) {
  ArtifactMaker maker(2);
  CacheEntry inline_entry{.kind = EntryKind::kUntyped,
                          .segment = 300,
                          .record_number = {},
                          .block_number = 7,
                          .block_offset = 1 << 20,
                          .stored_length = 5000,
                          .raw_length = 5000,
                          .codec = Codec::kNone,
                          .type_tag = 0,
                          .extent_digest = {}};
  CacheEntry typed = inline_entry;
  typed.kind = EntryKind::kTyped;
  typed.type_tag = kTagTree;
  typed.extent_digest = maker.digest();
  typed.codec = Codec::kZstd;
  typed.stored_length = 4000;
  CacheEntry many{};
  many.kind = EntryKind::kExtent;
  many.segment = ~std::uint64_t{0};
  many.record_number = ~std::uint64_t{0};
  const CacheEntries entries{inline_entry, typed, many};
  const std::string value = encode_entries(entries);
  CacheEntries back;
  ASSERT_TRUE(add_missing_entries(value, back));
  EXPECT_EQ(back, entries);
  // What is there already is newer and stays.
  CacheEntries partly;
  partly[1] = inline_entry;
  partly[1]->kind = EntryKind::kTyped;
  ASSERT_TRUE(add_missing_entries(value, partly));
  EXPECT_NE(partly[1], entries[1]);
  EXPECT_EQ(partly[2], entries[2]);
}

TEST(CacheEntry, MalformedValuesAreNoticed) {
  CacheEntry typed{.kind = EntryKind::kTyped,
                   .segment = 300,
                   .record_number = {},
                   .block_number = 7,
                   .block_offset = 1 << 20,
                   .stored_length = 4000,
                   .raw_length = 5000,
                   .codec = Codec::kZstd,
                   .type_tag = kTagTree,
                   .extent_digest = {}};
  std::string value;
  append_entry(value, typed);
  for (std::size_t size = 1; size < value.size(); ++size) {
    CacheEntries entries;
    EXPECT_FALSE(add_missing_entries(value.substr(0, size), entries)) << size;
  }
  for (const std::string& bad :
       {std::string("\x03\x01\x01", 3), std::string("\x10\x01", 2), std::string(30, '\xFF')}) {
    CacheEntries entries;
    EXPECT_FALSE(add_missing_entries(bad, entries));
  }
}

}  // namespace
}  // namespace asl
