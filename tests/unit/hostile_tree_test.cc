// Trees, partials and snapshots that no ingest would write, put into a store as they are: whoever looks at
// them, finds, verifies or restores them refuses, and nothing is written outside the target.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <asl/engine/find.h>
#include <asl/engine/hash.h>
#include <asl/engine/partial.h>
#include <asl/engine/restore.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/tree.h>
#include <asl/engine/verify.h>

#include "query_fixture.h"

namespace asl {
namespace {

namespace fs = std::filesystem;
using test::bytes_of;
using test::value_of;

bool is_refusal(ErrorCode code) {
  return code == ErrorCode::kIntegrity || code == ErrorCode::kMalformed;
}

class HostileTreeTest : public test::QueryTest {
 protected:
  void SetUp() override {
    fs::create_directory(directory_ / "outside");
    std::ofstream(directory_ / "outside/victim") << "untouched";
  }

  // A snapshot whose root is a directory with this tree.
  std::uint64_t add_tree(ByteSpan tree, std::uint64_t below) {
    Entry root;
    root.type = EntryType::kDirectory;
    root.mode = 0755;
    root.nlink = 1;
    root.content = value_of(writer_->put_typed(kTagTree, tree));
    root.below = below;
    return add_root(root);
  }
  std::uint64_t add_root(const Entry& root) {
    Snapshot snapshot;
    snapshot.domain_id = domain_->id();
    snapshot.snapshot_id = domain_->state()->next_snapshot_id();
    snapshot.host = "host";
    snapshot.roots.push_back({"/source", root});
    const Reference reference =
        value_of(writer_->put_typed(kTagSnapshot, value_of(encode_snapshot(snapshot))));
    const std::vector<NewRecord> records{
        new_record(SnapshotAnchorRecord{.snapshot_id = snapshot.snapshot_id, .reference = reference})};
    value_of(writer_->commit(records));
    return snapshot.snapshot_id;
  }

  // The encoding of a leaf with these files, in which `from` was changed to `to`.
  Bytes changed_leaf(const std::vector<std::string>& names, const std::string& from, const std::string& to) {
    TreeLeaf leaf;
    for (const std::string& name : names) {
      leaf.entries.push_back(file("evil"));
      leaf.entries.back().name = name;
    }
    const Bytes good = value_of(encode_leaf(leaf));
    const Bytes old = as_msgpack(from);
    const Bytes fresh = as_msgpack(to);
    const auto at = std::search(good.begin(), good.end(), old.begin(), old.end());
    if (at == good.end()) throw std::runtime_error("the name is not there");
    Bytes changed(good.begin(), at);
    changed.insert(changed.end(), fresh.begin(), fresh.end());
    changed.insert(changed.end(), at + static_cast<std::ptrdiff_t>(old.size()), good.end());
    return changed;
  }
  // A short `bin` of msgpack.
  static Bytes as_msgpack(const std::string& name) {
    Bytes bytes{std::byte{0xc4}, static_cast<std::byte>(name.size())};
    const ByteSpan text = as_bytes(name);
    bytes.insert(bytes.end(), text.begin(), text.end());
    return bytes;
  }

  // Every way to look at the snapshot refuses it.
  void expect_refused(std::uint64_t id) {
    const std::unique_ptr<Domain> reader = value_of(Domain::open(*io_, domain_->directory(), {}));
    const Snapshot snapshot = value_of(reader->snapshot(id));
    const auto listed = walk_snapshot(*reader, snapshot, "",
                                      [](const std::string&, const Entry&) { return WalkStep::kContinue; });
    ASSERT_FALSE(listed.has_value());
    EXPECT_TRUE(is_refusal(listed.error().code)) << listed.error().to_string();
    std::vector<Error> passed_over;
    const std::vector<SnapshotPath> places{{.snapshot_id = id, .path = {}}};
    const auto found = find_entries(
        *reader, {}, places, [](const FindHit&) { return Result<void>(); },
        [&](std::uint64_t, const std::string&, const Error& error) {
          passed_over.push_back(error);
          return Result<void>();
        });
    ASL_EXPECT_OK(found);
    ASSERT_FALSE(passed_over.empty());
    EXPECT_TRUE(is_refusal(passed_over.front().code)) << passed_over.front().to_string();
    ProgressCounters progress;
    const VerifyReport report =
        value_of(verify(*reader, {.data = false, .artifacts = false, .snapshot_id = id}, progress, {}));
    EXPECT_GT(report.finding_count, 0U);
    EXPECT_TRUE(report.lost);
    expect_not_restored(*reader, id);
  }

  // Restore says that something could not be given back.
  void expect_damaged(std::uint64_t id) {
    const std::unique_ptr<Domain> reader = value_of(Domain::open(*io_, domain_->directory(), {}));
    RestoreOptions options;
    options.target = directory_ / ("target" + std::to_string(id));
    ProgressCounters progress;
    const auto restored = restore(*reader, {.snapshot_id = id, .path = {}}, options, progress, {});
    if (restored) {
      EXPECT_GT(restored->problem_counts[static_cast<std::size_t>(RestoreProblemKind::kDamaged)], 0U);
    } else {
      EXPECT_TRUE(is_refusal(restored.error().code)) << restored.error().to_string();
    }
  }

  void expect_not_restored(const Domain& reader, std::uint64_t id) {
    const std::string target = directory_ / ("target" + std::to_string(id));
    RestoreOptions options;
    options.target = target;
    options.overwrite = Overwrite::kAlways;
    options.remove_extraneous = true;
    ProgressCounters progress;
    const auto restored = restore(reader, {.snapshot_id = id, .path = {}}, options, progress, {});
    if (restored) {
      EXPECT_GT(restored->problem_counts[static_cast<std::size_t>(RestoreProblemKind::kDamaged)], 0U);
    } else {
      EXPECT_TRUE(is_refusal(restored.error().code)) << restored.error().to_string();
    }
    EXPECT_FALSE(fs::exists(directory_ / "evil"));
    EXPECT_FALSE(fs::exists("/evil"));
    // What stood before the bad entry may have been given back, and nothing else.
    if (fs::exists(target)) {
      EXPECT_LE(std::distance(fs::directory_iterator(target), {}), 1);
    }
    std::ifstream victim(directory_ / "outside/victim");
    std::string text;
    std::getline(victim, text);
    EXPECT_EQ(text, "untouched");
    EXPECT_EQ(std::distance(fs::directory_iterator(directory_ / "outside"), {}), 1);
  }
};

TEST_F(HostileTreeTest, NamesThatLeaveTheDirectoryAreRefused) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("/"), std::string("/evil"),
        std::string("../evil"), std::string("../outside/victim"), std::string("a/b"), std::string("a\0b", 3),
        std::string("\0", 1)}) {
    SCOPED_TRACE("name of " + std::to_string(name.size()) + " bytes: " + name);
    expect_refused(add_tree(changed_leaf({"name"}, "name", name), 1));
  }
}

TEST_F(HostileTreeTest, NamesTwiceOrOutOfOrderAreRefused) {
  expect_refused(add_tree(changed_leaf({"aa", "ab"}, "ab", "aa"), 2));
  expect_refused(add_tree(changed_leaf({"aa", "ab"}, "aa", "ac"), 2));
}

// A link that leads out, and beside it a directory of the same name whose files would go where it leads.
TEST_F(HostileTreeTest, AFileBelowASymlinkOfTheSameNameIsRefused) {
  TreeLeaf inner;
  inner.entries.push_back(file("evil"));
  inner.entries.back().name = "victim";
  Entry link;
  link.type = EntryType::kSymlink;
  link.symlink_target = directory_ / "outside";
  link.nlink = 1;
  link.name = "a";
  Entry below;
  below.type = EntryType::kDirectory;
  below.mode = 0755;
  below.nlink = 1;
  below.below = 1;
  below.content = value_of(writer_->put_typed(kTagTree, value_of(encode_leaf(inner))));
  below.name = "b";
  TreeLeaf leaf;
  leaf.entries = {link, below};
  Bytes bytes = value_of(encode_leaf(leaf));
  const Bytes old = as_msgpack("b");
  const auto at = std::search(bytes.begin(), bytes.end(), old.begin(), old.end());
  ASSERT_NE(at, bytes.end());
  at[2] = std::byte{'a'};
  expect_refused(add_tree(bytes, 3));
}

// Names that are good, on things that are not: each is refused where it is used, and the rest is served.
TEST_F(HostileTreeTest, WhatATreeSaysOfItsContentsMustBeSo) {
  Entry wrong_size = file("evil");
  wrong_size.size_bytes = 1ULL << 40;
  Entry tree_as_file = file("evil");
  tree_as_file.content = value_of(writer_->put_typed(kTagErrors, bytes_of("no file")));
  Entry directory_without_tree;
  directory_without_tree.type = EntryType::kDirectory;
  directory_without_tree.nlink = 1;
  directory_without_tree.content = tree_as_file.content;
  for (Entry entry : {wrong_size, tree_as_file, directory_without_tree}) {
    entry.name = "name";
    TreeLeaf leaf;
    leaf.entries.push_back(entry);
    const auto encoded = encode_leaf(leaf);
    if (!encoded) continue;  // cannot be said at all
    expect_damaged(add_tree(*encoded, 1 + entry.below));
  }
}

// A partial that reads well and whose piece is an artifact of another length.
TEST_F(HostileTreeTest, APartialWhosePieceHasAnotherLengthIsRefused) {
  for (const std::uint64_t length : {3U, 300U}) {
    Partial partial;
    partial.length_bytes = 1000;
    partial.pieces.push_back({100, length, value_of(writer_->put_untyped(bytes_of("twenty bytes of data")))});
    partial.gaps.push_back({0, 100, GapStatus::kBad});
    partial.gaps.push_back({100 + length, 900 - length, GapStatus::kBad});
    Entry entry = file("");
    entry.name = "name";
    entry.size_bytes = partial.length_bytes;
    entry.flags = kEntryPartial;
    entry.content = value_of(writer_->put_typed(kTagPartial, value_of(encode_partial(partial))));
    TreeLeaf leaf;
    leaf.entries.push_back(entry);
    expect_damaged(add_tree(value_of(encode_leaf(leaf)), 1));
  }
}

}  // namespace
}  // namespace asl
