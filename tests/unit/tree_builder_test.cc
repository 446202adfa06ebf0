#include <fmt/format.h>
#include <map>

#include <asl/engine/hash.h>
#include <asl/engine/tree.h>

#include "format_test_util.h"

namespace asl {
namespace {

using test::expect_error;

// Keeps the nodes a builder makes, as a store would.
class NodeStore {
 public:
  TreeBuilder::StoreNode callback() {
    return [this](ByteSpan node) -> Result<Reference> {
      const Reference ref = typed_reference(kTagTree, node);
      nodes_[ref] = Bytes(node.begin(), node.end());
      return ref;
    };
  }
  TreeNode node(const Reference& ref) const { return decode_tree(nodes_.at(ref)).value(); }
  TreeLeaf leaf(const Reference& ref) const { return std::get<TreeLeaf>(node(ref)); }
  TreeFanOut fan_out(const Reference& ref) const { return std::get<TreeFanOut>(node(ref)); }
  std::size_t size(const Reference& ref) const { return nodes_.at(ref).size(); }
  const std::map<Reference, Bytes>& nodes() const { return nodes_; }

 private:
  std::map<Reference, Bytes> nodes_;
};

Entry fifo(const std::string& name) {
  Entry entry;
  entry.name = name;
  entry.type = EntryType::kFifo;
  return entry;
}

Entry subdirectory(const std::string& name, std::uint64_t below) {
  Entry entry = fifo(name);
  entry.type = EntryType::kDirectory;
  entry.content = test::typed(1);
  entry.below = below;
  return entry;
}

bool is_cut_name(const std::string& name) {
  const Digest digest = sha256(as_bytes(name));
  return digest[0] == std::byte{0} && digest[1] < std::byte{16};
}

// `count` names in order, none of which (or only the ones at `cuts`) asks for a cut.
std::vector<std::string> names(std::size_t count, const std::vector<std::size_t>& cuts = {}) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) {
    const bool wanted = std::ranges::find(cuts, i) != cuts.end();
    int salt = 0;
    std::string name;
    do name = fmt::format("{:07}-{}", i, salt++);
    while (is_cut_name(name) != wanted);
    out.push_back(name);
  }
  return out;
}

TreeBuilder::Finished build(NodeStore& store, const std::vector<std::string>& all) {
  TreeBuilder builder(store.callback());
  for (const std::string& name : all) EXPECT_TRUE(builder.add(fifo(name)));
  const auto finished = builder.finish();
  EXPECT_TRUE(finished);
  return *finished;
}

TEST(TreeBuilder, an_empty_directory_is_one_empty_leaf) {
  NodeStore store;
  const auto finished = build(store, {});
  EXPECT_TRUE(store.leaf(finished.root).entries.empty());
  EXPECT_EQ(finished.entries, 0U);
  EXPECT_EQ(finished.below, 0U);
}

TEST(TreeBuilder, a_small_directory_is_one_leaf_as_encode_leaf_writes_it) {
  for (const std::size_t count : {1U, 15U, 16U, 1000U}) {
    NodeStore store;
    TreeLeaf leaf;
    for (const std::string& name : names(count)) leaf.entries.push_back(fifo(name));
    const auto finished = build(store, names(count));
    EXPECT_EQ(store.nodes().at(finished.root), encode_leaf(leaf).value());
    EXPECT_EQ(store.nodes().size(), 1U);
    EXPECT_EQ(finished.entries, count);
  }
}

TEST(TreeBuilder, below_counts_every_entry_and_what_lies_under_it) {
  NodeStore store;
  TreeBuilder builder(store.callback());
  ASSERT_TRUE(builder.add(subdirectory("a", 10)));
  ASSERT_TRUE(builder.add(fifo("b")));
  ASSERT_TRUE(builder.add(subdirectory("c", 0)));
  const auto finished = builder.finish();
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->entries, 3U);
  EXPECT_EQ(finished->below, 13U);
}

TEST(TreeBuilder, cuts_after_a_cut_name_once_the_leaf_has_1024_entries) {
  for (const auto& [cut, first_leaf] : std::map<std::size_t, std::size_t>{{1023, 1024}, {1500, 1501}}) {
    NodeStore store;
    const auto finished = build(store, names(2000, {10, 1022, cut}));
    const TreeFanOut node = store.fan_out(finished.root);
    ASSERT_EQ(node.leaves.size(), 2U);
    EXPECT_EQ(node.leaves[0].entries, first_leaf);
    EXPECT_EQ(node.leaves[1].entries, 2000 - first_leaf);
    EXPECT_EQ(finished.entries, 2000U);
    for (const FanOutItem& item : node.leaves) {
      const TreeLeaf leaf = store.leaf(item.ref);
      EXPECT_EQ(leaf.entries.size(), item.entries);
      EXPECT_EQ(leaf.entries.front().name, item.first_name);
      EXPECT_EQ(item.below, item.entries);
    }
  }
}

TEST(TreeBuilder, a_cut_after_the_last_name_leaves_one_leaf_and_no_fan_out) {
  NodeStore store;
  const auto finished = build(store, names(1024, {1023}));
  EXPECT_EQ(store.leaf(finished.root).entries.size(), 1024U);
  EXPECT_EQ(store.nodes().size(), 1U);
}

TEST(TreeBuilder, cuts_before_the_16385th_entry) {
  NodeStore store;
  EXPECT_EQ(store.leaf(build(store, names(16384)).root).entries.size(), 16384U);
  const auto finished = build(store, names(16385));
  const TreeFanOut node = store.fan_out(finished.root);
  ASSERT_EQ(node.leaves.size(), 2U);
  EXPECT_EQ(node.leaves[0].entries, 16384U);
  EXPECT_EQ(node.leaves[1].entries, 1U);
}

// Entries of one size except for the last, so that a leaf can be filled to the byte.
TEST(TreeBuilder, cuts_before_the_entry_that_would_pass_one_mebibyte) {
  const auto padded = [](int index, std::size_t name_size) {
    std::string name = fmt::format("{:05}", index);
    name.resize(name_size, 'x');
    while (is_cut_name(name)) ++name.back();
    return fifo(name);
  };
  constexpr std::size_t kLong = 900;
  TreeLeaf leaf;
  int index = 0;
  std::size_t size = 0;
  while ((size = encode_leaf(leaf).value().size()) + 2000 < kLeafSizeMax)
    leaf.entries.push_back(padded(index++, kLong));
  // Two more: one of the same length, one that fills the rest. All names take a 16-bit length.
  leaf.entries.push_back(padded(index++, kLong));
  const std::size_t entry_overhead = encode_leaf(leaf).value().size() - size - kLong;
  const std::size_t rest = kLeafSizeMax - encode_leaf(leaf).value().size() - entry_overhead;
  ASSERT_GT(rest, 255U);
  ASSERT_LT(rest, kNameSizeMax);

  for (const std::size_t excess : {0U, 1U}) {
    NodeStore store;
    TreeBuilder builder(store.callback());
    for (const Entry& entry : leaf.entries) ASSERT_TRUE(builder.add(entry));
    ASSERT_TRUE(builder.add(padded(index, rest + excess)));
    const auto finished = builder.finish();
    ASSERT_TRUE(finished);
    if (excess == 0) {
      EXPECT_EQ(store.size(finished->root), kLeafSizeMax);
    } else {
      EXPECT_EQ(store.fan_out(finished->root).leaves[0].entries, leaf.entries.size());
    }
  }
}

TEST(TreeBuilder, an_insert_changes_one_leaf) {
  std::vector<std::string> all;
  for (int i = 0; i < 60'000; ++i) all.push_back(fmt::format("message-{:06}.eml", i));
  NodeStore before;
  const auto first = build(before, all);
  all.insert(all.begin() + 100, "message-000099b.eml");
  NodeStore after;
  const auto second = build(after, all);
  ASSERT_GT(before.fan_out(first.root).leaves.size(), 5U);
  std::size_t changed = 0;
  for (const FanOutItem& item : after.fan_out(second.root).leaves)
    changed += before.nodes().contains(item.ref) ? 0 : 1;
  EXPECT_EQ(changed, 1U);
}

TEST(TreeBuilder, refuses_names_out_of_order_and_bad_entries) {
  NodeStore store;
  TreeBuilder builder(store.callback());
  ASSERT_TRUE(builder.add(fifo("b")));
  expect_error(builder.add(fifo("a")), ErrorCode::kMalformed, "in order");
  TreeBuilder twice(store.callback());
  ASSERT_TRUE(twice.add(fifo("b")));
  expect_error(twice.add(fifo("b")), ErrorCode::kMalformed, "in order");
  TreeBuilder bad(store.callback());
  expect_error(bad.add(fifo("..")), ErrorCode::kMalformed, "a name is empty");
}

TEST(TreeBuilder, order_is_kept_across_leaves) {
  NodeStore store;
  TreeBuilder builder(store.callback());
  for (const std::string& name : names(1024, {1023})) ASSERT_TRUE(builder.add(fifo(name)));
  expect_error(builder.add(fifo("0000000-0")), ErrorCode::kMalformed, "in order");
}

TEST(TreeBuilder, refuses_more_entries_below_than_can_be_counted) {
  NodeStore store;
  TreeBuilder builder(store.callback());
  ASSERT_TRUE(builder.add(subdirectory("a", kSubtreeEntriesMax - 1)));
  expect_error(builder.add(fifo("b")), ErrorCode::kMalformed, "too many entries below");
}

TEST(TreeBuilder, passes_on_what_storing_a_node_reports) {
  TreeBuilder builder([](ByteSpan) -> Result<Reference> { return fail(ErrorCode::kNoSpace, "disk full"); });
  ASSERT_TRUE(builder.add(fifo("a")));
  expect_error(builder.finish(), ErrorCode::kNoSpace, "disk full");
}

}  // namespace
}  // namespace asl
