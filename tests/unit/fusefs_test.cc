// The mounted view below FUSE: numbering, look-ups, listing, reading.
#include <gmock/gmock.h>

#include "file_view.h"
#include "mount_options.h"
#include "node_table.h"
#include "query_fixture.h"
#include "snapshot_tree.h"

namespace asl::fusefs {
namespace {

using test::value_of;

template <typename T>
Error error_of(const Result<T>& result) {
  return result ? Error{.code = ErrorCode::kInterrupted, .message = "no error"} : result.error();
}

constexpr std::size_t kCacheBytes = 1 << 20;

class TreeTest : public test::QueryTest {
 protected:
  std::shared_ptr<const SnapshotTree> open(TreeCache& cache, std::uint64_t snapshot = 1) {
    value_of(domain_->refresh());
    return value_of(SnapshotTree::open(*domain_, 3, snapshot, cache));
  }

  // Every entry by walking, in order: what the position of an entry must lead to.
  std::vector<std::pair<std::string, Entry>> walked(std::uint64_t snapshot = 1) {
    std::vector<std::pair<std::string, Entry>> found;
    const Snapshot opened = value_of(domain_->snapshot(snapshot));
    value_of(walk_snapshot(*domain_, opened, "", [&](const std::string& path, const Entry& entry) {
      found.emplace_back(path, entry);
      return Result<WalkStep>(WalkStep::kContinue);
    }));
    return found;
  }

  std::string text_of(const OpenFile& file, std::uint64_t offset, std::size_t size) {
    Bytes scratch(size);
    std::vector<Artifact::Piece> pieces;
    const auto got = file.read(offset, scratch, pieces);
    if (!got) return "errno " + std::to_string(got.error().number);
    std::string text;
    for (const Artifact::Piece& piece : pieces) text += as_text(piece.bytes);
    EXPECT_EQ(text.size(), *got);
    return text;
  }

  // Some directories in each other, empty ones among them, and one of several leaves that ends and begins
  // with directories.
  Tree branchy() {
    Tree tree;
    Entry directory;
    directory.type = EntryType::kDirectory;
    tree["a/empty"] = directory;
    tree["a/one"] = file("1");
    tree["b"] = file("b");
    for (int k = 0; k < 9000; ++k) {
      const std::string name = "big/n" + std::to_string(10000 + k);
      if (k % 1000 == 7)
        tree[name] = directory;
      else if (k % 1000 == 500)
        tree[name + "/inside/deep"] = file("deep " + std::to_string(k));
      else
        tree[name] = file("x");
    }
    tree["z/last"] = file("last");
    return tree;
  }
};

TEST(NodeId, PacksAndUnpacksPlaces) {
  const TreePlace place{kSlotMax, kSnapshotIdMax, kPositionMax};
  EXPECT_EQ(place.node_id(), ~kControlBit);
  EXPECT_EQ(TreePlace::of(place.node_id()), place);
  const TreePlace other{1, 2, 3};
  EXPECT_EQ(TreePlace::of(other.node_id()), other);
  EXPECT_NE(hard_link_inode({}, 1, 5), hard_link_inode({}, 2, 5));
  EXPECT_NE(hard_link_inode({}, 1, 5) & kControlBit, 0U);
}

TEST_F(TreeTest, FindsEveryEntryByItsPosition) {
  add_snapshot(branchy());
  // One cache holds everything, the other hardly more than one leaf at a time.
  for (const std::size_t cache_bytes : {std::size_t{64} << 20, std::size_t{1}}) {
    TreeCache cache(cache_bytes);
    const auto tree = open(cache);
    const auto all = walked();
    ASSERT_EQ(tree->root().below + 1, all.size());
    for (std::size_t position = 1; position < all.size(); position += cache_bytes == 1 ? 97 : 1) {
      const Entry entry = value_of(tree->entry(static_cast<std::uint32_t>(position)));
      ASSERT_EQ(entry, all[position].second) << all[position].first;
    }
    EXPECT_EQ(error_of(tree->entry(static_cast<std::uint32_t>(all.size()))).code, ErrorCode::kNotFound);
    EXPECT_EQ(value_of(tree->entry(0)).below, all.size() - 1);
  }
}

TEST_F(TreeTest, PathsLeadToTheSamePositions) {
  add_snapshot(branchy());
  TreeCache cache(kCacheBytes);
  const auto tree = open(cache);
  const auto all = walked();
  for (std::size_t position = 0; position < all.size(); position += 31) {
    const auto placed = value_of(tree->find_path(all[position].first));
    ASSERT_TRUE(placed) << all[position].first;
    EXPECT_EQ(placed->position, position) << all[position].first;
  }
  EXPECT_FALSE(value_of(tree->lookup(0, "none")));
  EXPECT_FALSE(value_of(tree->find_path("a/empty/none")));
  EXPECT_FALSE(value_of(tree->find_path("b/none")));
  EXPECT_FALSE(value_of(tree->find_path("big/n1")));
}

TEST_F(TreeTest, ADirectoryIsListedFromAnyEntryOn) {
  add_snapshot(branchy());
  TreeCache cache(kCacheBytes);
  const auto tree = open(cache);
  const std::uint32_t big = value_of(tree->find_path("big"))->position;
  std::vector<std::string> names;
  while (const LeafPointer leaf = value_of(tree->leaf_with(big, names.size()))) {
    ASSERT_EQ(leaf->first_index, names.size());
    for (std::uint32_t k = 0; k < leaf->leaf.count(); ++k) names.emplace_back(leaf->leaf.name(k));
  }
  EXPECT_EQ(names.size(), 9000U);
  EXPECT_TRUE(std::ranges::is_sorted(names));
  for (const std::uint64_t index : {8999ULL, 4096ULL, 0ULL, 5000ULL}) {
    const LeafPointer leaf = value_of(tree->leaf_with(big, index));
    ASSERT_TRUE(leaf);
    EXPECT_EQ(leaf->leaf.name(static_cast<std::uint32_t>(index - leaf->first_index)), names[index]);
  }
  EXPECT_FALSE(value_of(tree->leaf_with(big, 9000)));
  const std::uint32_t empty = value_of(tree->find_path("a/empty"))->position;
  EXPECT_FALSE(value_of(tree->leaf_with(empty, 0)));
}

TEST_F(TreeTest, TheCacheStaysWithinItsBound) {
  add_snapshot(branchy());
  TreeCache cache(kCacheBytes);
  const auto tree = open(cache);
  for (std::uint32_t position = 1; position <= tree->root().below; position += 13)
    value_of(tree->entry(position));
  EXPECT_LE(cache.bytes(), kCacheBytes);
}

TEST_F(TreeTest, CountsThatContradictEachOtherAreFound) {
  Entry directory;
  directory.type = EntryType::kDirectory;
  directory.name = "liar";
  TreeBuilder inner([&](ByteSpan node) { return writer_->put_typed(kTagTree, node); });
  Entry one = file("1");
  one.name = "one";
  value_of(inner.add(one));
  const auto finished = value_of(inner.finish());
  directory.content = finished.root;
  directory.below = finished.below + 1;
  TreeBuilder outer([&](ByteSpan node) { return writer_->put_typed(kTagTree, node); });
  value_of(outer.add(directory));
  const auto root = value_of(outer.finish());
  Snapshot snapshot;
  snapshot.domain_id = domain_->id();
  snapshot.snapshot_id = 1;
  Entry source;
  source.type = EntryType::kDirectory;
  source.content = root.root;
  source.below = root.below;
  snapshot.roots.push_back({"/source", source});
  const Reference reference = value_of(writer_->put_typed(kTagSnapshot, value_of(encode_snapshot(snapshot))));
  const std::vector<NewRecord> records{
      new_record(SnapshotAnchorRecord{.snapshot_id = 1, .reference = reference})};
  value_of(writer_->commit(records));
  TreeCache cache(kCacheBytes);
  const auto tree = open(cache);
  EXPECT_EQ(error_of(tree->lookup(1, "one")).code, ErrorCode::kIntegrity);
  EXPECT_EQ(error_of(tree->entry(2)).code, ErrorCode::kIntegrity);
}

TEST_F(TreeTest, SeveralSourcesStandSideBySide) {
  Snapshot snapshot;
  snapshot.domain_id = domain_->id();
  snapshot.snapshot_id = 1;
  for (const std::string name : {"disk.img", "a-file"}) {
    Entry entry = file(name);
    entry.name = name;
    snapshot.roots.push_back({"/" + name, entry});
  }
  const Reference reference = value_of(writer_->put_typed(kTagSnapshot, value_of(encode_snapshot(snapshot))));
  const std::vector<NewRecord> records{
      new_record(SnapshotAnchorRecord{.snapshot_id = 1, .reference = reference})};
  value_of(writer_->commit(records));
  TreeCache cache(kCacheBytes);
  const auto tree = open(cache);
  EXPECT_EQ(value_of(tree->lookup(0, "a-file"))->position, 1U);
  EXPECT_EQ(value_of(tree->lookup(0, "disk.img"))->position, 2U);
  EXPECT_EQ(value_of(tree->entry(2)).name, "disk.img");
}

TEST_F(TreeTest, RangesThatWereNeverReadFailOrReadAsZeros) {
  const Entry entry = partial_file({{0, "front"}, {8192, "back"}}, 8200);
  value_of(writer_->commit({}));
  const auto open_with = [&](BadRanges bad) {
    return OpenFile(value_of(FileContent::open(*domain_, entry)), bad);
  };
  const OpenFile strict = open_with(BadRanges::kError);
  EXPECT_EQ(text_of(strict, 0, 5), "front");
  EXPECT_EQ(text_of(strict, 0, 6), "errno 5");
  EXPECT_EQ(text_of(strict, 5, 1), "errno 5");
  EXPECT_EQ(text_of(strict, 8192, 4), "back");
  EXPECT_EQ(text_of(strict, 8190, 4), "errno 5");
  EXPECT_EQ(text_of(strict, 8196, 100), "errno 5");
  EXPECT_EQ(text_of(strict, 8200, 100), "");
  const OpenFile zeros = open_with(BadRanges::kZero);
  EXPECT_EQ(text_of(zeros, 3, 4), std::string("nt\0\0", 4));
  EXPECT_EQ(text_of(zeros, 8190, 4), std::string("\0\0ba", 4));
  EXPECT_EQ(text_of(zeros, 8195, 100), std::string("k\0\0\0\0", 5));
  // Nobody knows that they are holes.
  EXPECT_EQ(strict.seek_data(5).value(), 5U);
  EXPECT_EQ(strict.seek_hole(0).value(), 8200U);
  EXPECT_EQ(strict.seek_data(8200).error().number, ENXIO);
}

TEST_F(TreeTest, PiecesAreTheBytesOfTheFile) {
  std::string text;
  for (std::uint32_t k = 0; text.size() < 5'000'000; ++k) text += std::to_string(k * 2654435761U);
  text.replace(1'000'000, 700'000, 700'000, '\0');
  const Entry entry = file(text);
  value_of(writer_->commit({}));
  const OpenFile opened(value_of(FileContent::open(*domain_, entry)), BadRanges::kError);
  for (const std::size_t offset : {0UL, 1UL, 131'072UL, 999'990UL, 1'300'000UL, 4'999'000UL})
    for (const std::size_t size : {1UL, 4'096UL, 131'072UL, 1'048'576UL})
      EXPECT_EQ(text_of(opened, offset, size), text.substr(offset, size)) << offset << " " << size;
  const std::uint64_t hole = opened.seek_hole(0).value();
  EXPECT_GE(hole, 1'000'000U);
  EXPECT_LT(hole, 1'000'000U + 8192);
  EXPECT_GT(opened.seek_data(hole).value(), hole + 600'000);
}

TEST(NodeTable, RemembersUntilForgottenAsOftenAsLookedUp) {
  NodeTable table;
  const TableNode node = HostFileNode{.path = "/p", .shown = "/s"};
  const std::uint64_t number = table.remember("key", node);
  EXPECT_EQ(table.remember("key", node), number);
  EXPECT_NE(table.remember("other", node), number);
  table.forget(number, 1);
  EXPECT_TRUE(table.find(number));
  table.forget(number, 1);
  EXPECT_FALSE(table.find(number));
  table.forget(number, 1);
  EXPECT_EQ(table.size(), 1U);
  // Not the number of something that is gone.
  EXPECT_NE(table.remember("key", node), number);
}

TEST(MountOptions, AreReadOnlyAndHarmlessUnlessAsked) {
  using testing::Contains;
  using testing::Not;
  const ParsedMountOptions plain = value_of(parse_mount_options({}, false));
  for (const char* option : {"ro", "nodev", "nosuid", "default_permissions"})
    EXPECT_THAT(plain.kernel, Contains(option));
  EXPECT_THAT(plain.kernel, Not(Contains("allow_other")));
  EXPECT_EQ(plain.bad_ranges, BadRanges::kError);
  EXPECT_THAT(value_of(parse_mount_options({}, true)).kernel, Contains("allow_other"));
  const ParsedMountOptions asked = value_of(parse_mount_options({"dev,bad=zero", "noexec"}, false));
  EXPECT_THAT(asked.kernel, Contains("dev"));
  EXPECT_THAT(asked.kernel, Contains("noexec"));
  EXPECT_EQ(asked.bad_ranges, BadRanges::kZero);
  EXPECT_EQ(error_of(parse_mount_options({"rw"}, true)).code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace asl::fusefs
