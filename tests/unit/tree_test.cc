#include <fmt/format.h>
#include <functional>
#include <map>

#include <asl/engine/hash.h>
#include <asl/engine/tree.h>

#include "format/entry_codec.h"
#include "format/tree_layout.h"
#include "format_test_util.h"

namespace asl {
namespace {

using test::expect_error;
using test::expect_integrity_error;

Bytes bytes_of(std::string_view text) {
  const ByteSpan span = as_bytes(text);
  return {span.begin(), span.end()};
}

Entry file(const std::string& name) {
  Entry entry;
  entry.name = name;
  entry.mode = 0644;
  entry.nlink = 1;
  entry.content = test::untyped(1);
  return entry;
}

Entry directory(const std::string& name) {
  Entry entry;
  entry.name = name;
  entry.type = EntryType::kDirectory;
  entry.mode = 0755;
  entry.content = test::typed(2);
  return entry;
}

Entry of_type(EntryType type) {
  Entry entry;
  entry.name = "special";
  entry.type = type;
  if (type == EntryType::kSymlink) entry.symlink_target = "target";
  return entry;
}

// Has something in every field.
Entry full_file(const std::string& name) {
  Entry entry = file(name);
  entry.mode = 07777;
  entry.uid = 0xFFFF'FFFF;
  entry.gid = 70'000;
  entry.mtime_s = -5'000'000'000;
  entry.mtime_ns = 999'999'999;
  entry.size_bytes = kArtifactLengthMax;
  entry.hole_bytes = 1 << 20;
  entry.hardlink_id = 0xFEDC'BA98'7654'3210;
  entry.nlink = 3;
  entry.xattrs = {{bytes_of("security.selinux"), bytes_of("label"), {}},
                  {bytes_of("user.big"), {}, test::untyped(9)},
                  {bytes_of("user.empty"), {}, {}}};
  entry.flags = kEntryChanged | kEntryMetadataIncomplete;
  entry.btime_s = -1;
  entry.btime_ns = 1;
  entry.inode_flags = 0x10;
  return entry;
}

TreeLeaf varied_leaf() {
  TreeLeaf leaf;
  leaf.entries = {of_type(EntryType::kBlockDevice), directory("dir"), full_file("full"),
                  of_type(EntryType::kSymlink), file("\xFF not UTF-8")};
  leaf.entries[0].name = "blk";
  leaf.entries[0].rdev = 0x801;
  leaf.entries[1].below = 12;
  leaf.entries[1].flags = kEntryNotFullyListed;
  return leaf;
}

// What encode_leaf would write if it checked nothing.
Bytes unchecked_leaf(const std::vector<Entry>& entries) {
  Bytes bytes;
  CmWriter writer(bytes);
  write_tree_header(writer, kTreeLeafKind, static_cast<std::uint32_t>(entries.size()));
  for (const Entry& entry : entries) write_entry(writer, entry);
  return bytes;
}

Bytes unchecked_fan_out(const std::vector<FanOutItem>& leaves) {
  Bytes bytes;
  CmWriter writer(bytes);
  write_tree_header(writer, kTreeFanOutKind, static_cast<std::uint32_t>(leaves.size()));
  for (const FanOutItem& item : leaves) write_fan_out_item(writer, item);
  return bytes;
}

Result<Bytes> encode_node(const TreeNode& node) {
  if (const auto* leaf = std::get_if<TreeLeaf>(&node)) return encode_leaf(*leaf);
  return encode_fan_out(std::get<TreeFanOut>(node));
}

// Refused by the encoder, and by the decoder where somebody wrote it all the same.
void expect_entry_refused(const Entry& entry, std::string_view rule) {
  expect_error(check_entry(entry), ErrorCode::kMalformed, rule);
  expect_error(encode_leaf({{entry}}), ErrorCode::kMalformed, rule);
  expect_integrity_error(decode_tree(unchecked_leaf({entry})), rule);
}

// Likewise, where the decoder sees a wrong kind of value before it can name the rule.
void expect_entry_refused_by_form(const Entry& entry, std::string_view rule) {
  expect_error(check_entry(entry), ErrorCode::kMalformed, rule);
  EXPECT_FALSE(decode_tree(unchecked_leaf({entry})));
}

TEST(Tree, a_leaf_with_every_kind_of_field_has_one_encoding) {
  const auto bytes = encode_leaf(varied_leaf());
  ASSERT_TRUE(bytes) << bytes.error().to_string();
  EXPECT_EQ(std::get<TreeLeaf>(decode_tree(*bytes).value()), varied_leaf());
  test::expect_one_encoding(*bytes, decode_tree, encode_node);
}

TEST(Tree, a_fan_out_node_has_one_encoding) {
  const TreeFanOut node{{{"a", 5000, 5000, test::typed(1)}, {"m", 16384, 1ULL << 33, test::typed(2)}}};
  const auto bytes = encode_fan_out(node);
  ASSERT_TRUE(bytes) << bytes.error().to_string();
  EXPECT_EQ(std::get<TreeFanOut>(decode_tree(*bytes).value()), node);
  test::expect_one_encoding(*bytes, decode_tree, encode_node);
}

TEST(Tree, the_documented_examples_are_what_is_written) {
  Entry hello = file("hello.txt");
  hello.uid = hello.gid = 1000;
  hello.mtime_s = 1'700'000'000;
  hello.mtime_ns = 5;
  hello.size_bytes = 6;
  hello.content = untyped_reference(sha256(as_bytes("hello\n")));
  hello.btime_s = 1'600'000'000;
  Entry link = of_type(EntryType::kSymlink);
  link.name = "link";
  link.mode = 0777;
  link.nlink = 1;
  link.mtime_s = -1;
  link.size_bytes = 9;
  link.symlink_target = "hello.txt";
  link.xattrs = {{bytes_of("user.note"), bytes_of("x"), {}}};
  const auto leaf = encode_leaf({{hello, link}});
  ASSERT_TRUE(leaf) << leaf.error().to_string();
  EXPECT_EQ(*leaf, test::doc_example("format-tree.md", 0)) << to_hex(*leaf);

  const auto fan_out = encode_fan_out(
      {{{"a", 4096, 4096, typed_reference(kTagTree, *leaf)}, {"mail", 1500, 20000, test::typed(0x22)}}});
  ASSERT_TRUE(fan_out);
  EXPECT_EQ(*fan_out, test::doc_example("format-tree.md", 1)) << to_hex(*fan_out);
  for (const int i : {0, 1})
    test::expect_one_encoding(test::doc_example("format-tree.md", i), decode_tree, encode_node);
}

TEST(Tree, an_empty_directory_is_an_empty_leaf) {
  const auto bytes = encode_leaf({});
  ASSERT_TRUE(bytes);
  EXPECT_EQ(to_hex(*bytes), "94a861736c2d74726565010090");
  test::expect_one_encoding(*bytes, decode_tree, encode_node);
}

TEST(Tree, hostile_names_are_rejected) {
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("a/b"),
                                  std::string("/"), std::string("a\0b", 3), std::string("\0", 1)})
    expect_entry_refused(file(name), "a name is empty");
  expect_entry_refused_by_form(file(std::string(kNameSizeMax + 1, 'n')), "a name is empty");
  EXPECT_TRUE(check_entry(file(std::string(kNameSizeMax, 'n'))));
  EXPECT_TRUE(check_entry(file("...")));
  EXPECT_TRUE(check_entry(file("\x01\xFE newline \n")));
}

TEST(Tree, names_out_of_order_or_twice_are_rejected) {
  for (const auto& [first, second] :
       std::map<std::string, std::string>{{"b", "a"}, {"x", "x"}, {"aa", "a"}}) {
    expect_integrity_error(decode_tree(unchecked_leaf({file(first), file(second)})), "not sorted");
    expect_error(encode_leaf({{file(first), file(second)}}), ErrorCode::kMalformed, "not sorted");
  }
  // Names are compared as unsigned bytes.
  EXPECT_TRUE(encode_leaf({{file("a"), file("\x80")}}));
  EXPECT_FALSE(encode_leaf({{file("\x80"), file("a")}}));
}

TEST(Tree, fields_out_of_range_are_rejected) {
  struct Case {
    std::string_view rule;
    std::function<void(Entry&)> spoil;
  };
  for (const Case& wrong : std::initializer_list<Case>{
           {"nanoseconds", [](Entry& e) { e.mtime_ns = kNanosecondsPerSecond; }},
           {"nanoseconds", [](Entry& e) { e.btime_s = 0, e.btime_ns = kNanosecondsPerSecond; }},
           {"unknown birth time", [](Entry& e) { e.btime_ns = 1; }},
           {"more holes than bytes", [](Entry& e) { e.hole_bytes = e.size_bytes + 1; }},
           {"unknown flags", [](Entry& e) { e.flags = kEntryFlagsKnown + 1; }}}) {
    Entry entry = file("f");
    wrong.spoil(entry);
    expect_entry_refused(entry, wrong.rule);
  }
  for (const Case& wrong :
       std::initializer_list<Case>{{"unknown type", [](Entry& e) { e.type = static_cast<EntryType>(7); }},
                                   {"12 bits", [](Entry& e) { e.mode = 010000; }},
                                   {"too large", [](Entry& e) { e.size_bytes = kArtifactLengthMax + 1; }}}) {
    Entry entry = file("f");
    wrong.spoil(entry);
    expect_entry_refused_by_form(entry, wrong.rule);
  }
}

TEST(Tree, content_must_fit_the_type) {
  Entry entry = file("f");
  entry.content = {};
  expect_entry_refused(entry, "a file has no content");
  entry.content = test::typed(1);
  expect_entry_refused(entry, "typed exactly if it is partial");
  entry.flags = kEntryPartial;
  EXPECT_TRUE(check_entry(entry));
  entry.content = test::untyped(1);
  expect_entry_refused(entry, "typed exactly if it is partial");

  entry = directory("d");
  entry.content = test::untyped(1);
  expect_entry_refused(entry, "not a tree");
  entry.content = {};
  expect_entry_refused(entry, "not a tree");

  for (const EntryType type : {EntryType::kSymlink, EntryType::kCharDevice, EntryType::kBlockDevice,
                               EntryType::kFifo, EntryType::kSocket}) {
    entry = of_type(type);
    EXPECT_TRUE(check_entry(entry));
    entry.content = test::untyped(1);
    expect_entry_refused(entry, "no file or directory has content");
  }
}

TEST(Tree, only_symlinks_have_targets) {
  Entry entry = of_type(EntryType::kSymlink);
  entry.symlink_target = {};
  expect_entry_refused(entry, "a symlink has no target");
  entry.flags = kEntryMetadataIncomplete;  // it could not be read
  EXPECT_TRUE(check_entry(entry));
  entry.symlink_target = std::string("a\0b", 3);
  expect_entry_refused(entry, "target is not valid");
  entry.symlink_target = std::string(kSymlinkTargetSizeMax + 1, 't');
  expect_entry_refused_by_form(entry, "target is not valid");

  entry = file("f");
  entry.symlink_target = "t";
  expect_error(check_entry(entry), ErrorCode::kMalformed, "no symlink has a target");
}

TEST(Tree, a_target_of_the_wrong_kind_is_rejected) {
  // The type's byte comes right after the name "special": a symlink becomes a fifo, and the other way round.
  for (const auto& [type, other] : std::map<EntryType, EntryType>{{EntryType::kSymlink, EntryType::kFifo},
                                                                  {EntryType::kFifo, EntryType::kSymlink}}) {
    Bytes bytes = unchecked_leaf({of_type(type)});
    const auto name_at = as_text(bytes).find("special");
    bytes[name_at + 7] = static_cast<std::byte>(other);
    expect_integrity_error(decode_tree(bytes), "a value is not");
  }
}

TEST(Tree, fields_of_other_types_must_be_zero) {
  Entry entry = file("f");
  entry.rdev = 1;
  expect_entry_refused(entry, "no device has a device number");
  entry = file("f");
  entry.below = 1;
  expect_entry_refused(entry, "no directory has entries below");
  entry = file("f");
  entry.flags = kEntryNotFullyListed;
  expect_entry_refused(entry, "not fully listed");
  entry = directory("d");
  entry.hardlink_id = 1;
  expect_entry_refused(entry, "hard-linked");
  entry = directory("d");
  entry.flags = kEntryPartial;
  expect_entry_refused(entry, "no file is marked as partial");
  entry = directory("d");
  entry.size_bytes = entry.hole_bytes = 4096;
  expect_entry_refused(entry, "no file has holes");
  entry = directory("d");
  entry.below = kSubtreeEntriesMax + 1;
  expect_entry_refused(entry, "too many entries below");
}

TEST(Tree, xattrs_are_checked) {
  Entry entry = file("f");
  entry.xattrs = {{bytes_of("b"), {}, {}}, {bytes_of("a"), {}, {}}};
  expect_entry_refused(entry, "not sorted by name");
  entry.xattrs = {{bytes_of("a"), {}, {}}, {bytes_of("a"), {}, {}}};
  expect_entry_refused(entry, "not sorted by name");
  entry.xattrs = {{{}, {}, {}}};
  expect_entry_refused(entry, "name is not valid");
  entry.xattrs = {{bytes_of(std::string_view("a\0", 2)), {}, {}}};
  expect_entry_refused(entry, "name is not valid");
  entry.xattrs = {{Bytes(kXattrNameSizeMax + 1, std::byte{'n'}), {}, {}}};
  expect_entry_refused_by_form(entry, "name is not valid");
  entry.xattrs = {{bytes_of("a"), Bytes(kXattrInlineSizeMax + 1), {}}};
  expect_entry_refused_by_form(entry, "inline extended attribute is too long");
  entry.xattrs = {{bytes_of("a"), {}, test::typed(1)}};
  expect_entry_refused(entry, "typed artifact");
  entry.xattrs = {{bytes_of("a"), bytes_of("v"), test::untyped(1)}};
  expect_error(check_entry(entry), ErrorCode::kMalformed, "a value and a reference");
}

TEST(Tree, inline_xattr_values_are_limited_in_total) {
  Entry entry = file("f");
  for (int i = 0; i < 16; ++i)
    entry.xattrs.push_back({bytes_of(fmt::format("user.{:02}", i)), Bytes(kXattrInlineSizeMax), {}});
  EXPECT_FALSE(xattrs_need_references(entry));
  EXPECT_TRUE(encode_leaf({{entry}}));
  entry.xattrs.push_back({bytes_of("user.x"), Bytes(1), {}});
  EXPECT_TRUE(xattrs_need_references(entry));
  expect_entry_refused(entry, "too long in total");
}

TEST(Tree, the_number_and_names_of_xattrs_are_limited) {
  Entry entry = file("f");
  for (int i = 0; i < 260; ++i) entry.xattrs.push_back({bytes_of(fmt::format("{:0255}", i)), {}, {}});
  expect_entry_refused(entry, "the names of an entry's extended attributes are too long");
  entry.xattrs.clear();
  for (std::size_t i = 0; i <= kXattrsPerEntryMax; ++i)
    entry.xattrs.push_back({bytes_of(fmt::format("{:05}", i)), {}, {}});
  expect_entry_refused_by_form(entry, "too many extended attributes");
}

TEST(Tree, an_xattr_of_one_or_four_fields_is_rejected) {
  Entry entry = file("f");
  entry.xattrs = {{bytes_of("note"), bytes_of("v"), {}}};
  const Bytes good = unchecked_leaf({entry});
  const auto array_at = as_text(good).find("note") - 3;
  ASSERT_EQ(good[array_at], std::byte{0x92});
  for (const unsigned count : {0U, 1U, 3U, 4U}) {
    Bytes bytes = good;
    bytes[array_at] = static_cast<std::byte>(0x90 | count);
    EXPECT_FALSE(decode_tree(bytes)) << count;
  }
}

TEST(Tree, fan_out_items_are_checked) {
  const FanOutItem good{"b", 10, 20, test::typed(1)};
  const FanOutItem next{"c", 10, 10, test::typed(2)};
  const auto refuse = [&](const FanOutItem& item, std::string_view rule) {
    expect_error(encode_fan_out({{item, next}}), ErrorCode::kMalformed, rule);
    expect_integrity_error(decode_tree(unchecked_fan_out({item, next})), rule);
  };
  EXPECT_TRUE(encode_fan_out({{good, next}}));
  FanOutItem item = good;
  item.first_name = "..";
  refuse(item, "first name is not valid");
  item = good;
  item.first_name = "c";
  refuse(item, "not sorted");
  item.first_name = "d";
  refuse(item, "not sorted");
  item = good;
  item.entries = 0;
  refuse(item, "number of entries is not possible");
  item = good;
  item.below = 9;
  refuse(item, "entries below it is not possible");
  item = good;
  item.ref = test::untyped(1);
  refuse(item, "typed reference");
  item = good;
  item.below = kSubtreeEntriesMax;
  refuse(item, "too many entries below");
  item.below = kSubtreeEntriesMax + 1;
  expect_error(encode_fan_out({{item, next}}), ErrorCode::kMalformed, "not possible");
  EXPECT_FALSE(decode_tree(unchecked_fan_out({item, next})));
  item = good;
  item.entries = kLeafEntriesMax + 1;
  item.below = item.entries;
  expect_error(encode_fan_out({{item, next}}), ErrorCode::kMalformed, "not possible");
  EXPECT_FALSE(decode_tree(unchecked_fan_out({item, next})));
}

TEST(Tree, a_fan_out_node_has_two_leaves_or_more) {
  const FanOutItem item{"b", 10, 20, test::typed(1)};
  for (const auto& leaves : {std::vector<FanOutItem>{}, std::vector<FanOutItem>{item}}) {
    expect_error(encode_fan_out({leaves}), ErrorCode::kMalformed, "fewer than two");
    expect_integrity_error(decode_tree(unchecked_fan_out(leaves)), "fewer than two");
  }
}

TEST(Tree, sizes_are_limited_before_anything_is_decoded) {
  expect_integrity_error(decode_tree(Bytes(kFanOutSizeMax + 1)), "too large");
  expect_integrity_error(LeafReader::open(Bytes(kLeafSizeMax + 1)), "too large");
  TreeLeaf many;
  for (std::size_t i = 0; i <= kLeafEntriesMax; ++i) many.entries.push_back(file(fmt::format("{:06}", i)));
  expect_error(encode_leaf(many), ErrorCode::kUnsupported, "too large");
  expect_integrity_error(decode_tree(unchecked_leaf(many.entries)), "too large");
  for (Entry& entry : many.entries) {
    entry = of_type(EntryType::kFifo);
    entry.name = fmt::format("{:06}", &entry - many.entries.data());
  }
  ASSERT_LT(unchecked_leaf(many.entries).size(), kLeafSizeMax);
  expect_integrity_error(decode_tree(unchecked_leaf(many.entries)), "at most 16384");
  many.entries.pop_back();
  EXPECT_TRUE(encode_leaf(many));
}

TEST(Tree, an_unknown_version_and_kind_are_told_apart_from_damage) {
  Bytes bytes = encode_leaf({}).value();
  ASSERT_EQ(bytes[10], std::byte{1});
  bytes[10] = std::byte{2};
  expect_error(decode_tree(bytes), ErrorCode::kUnsupported, "version 2");
  bytes[10] = std::byte{1};
  bytes[11] = std::byte{2};
  expect_integrity_error(decode_tree(bytes), "2 is more than 1");
}

TEST(LeafReader, gives_the_entries_one_by_one_and_checks_the_end) {
  const Bytes bytes = encode_leaf(varied_leaf()).value();
  auto reader = LeafReader::open(bytes);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->count(), varied_leaf().entries.size());
  Entry entry = full_file("memory from before must not show through");
  for (const Entry& expected : varied_leaf().entries) {
    ASSERT_EQ(reader->next(entry).value(), true);
    EXPECT_EQ(entry, expected);
  }
  EXPECT_EQ(reader->next(entry).value(), false);

  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  auto other = LeafReader::open(longer);
  ASSERT_TRUE(other);
  for (std::size_t i = 0; i < varied_leaf().entries.size(); ++i) ASSERT_TRUE(other->next(entry));
  expect_integrity_error(other->next(entry), "bytes after its end");
}

TEST(LeafReader, refuses_a_fan_out_node) {
  const Bytes bytes = encode_fan_out({{{"a", 1, 1, test::typed(1)}, {"b", 1, 1, test::typed(2)}}}).value();
  expect_integrity_error(LeafReader::open(bytes), "not a leaf");
}

TEST(HardlinkId, depends_on_device_and_inode) {
  Bytes input = bytes_of("mnt/disk");
  input.resize(input.size() + 9);
  store_le<std::uint64_t>(input.data() + input.size() - 8, 42);
  EXPECT_EQ(hardlink_id("mnt/disk", 42), load_le<std::uint64_t>(sha256(input).data()));
  EXPECT_NE(hardlink_id("mnt/disk", 42), hardlink_id("mnt/disk", 43));
  EXPECT_NE(hardlink_id("mnt/disk", 42), hardlink_id("mnt", 42));
}

}  // namespace
}  // namespace asl
