#include <functional>

#include <asl/engine/cm.h>
#include <asl/engine/snapshot.h>

#include "format_test_util.h"

namespace asl {
namespace {

using test::expect_error;
using test::expect_integrity_error;

Entry root_directory(const std::string& name) {
  Entry entry;
  entry.name = name;
  entry.type = EntryType::kDirectory;
  entry.mode = 0755;
  entry.mtime_s = 1'700'000'000;
  entry.content = test::typed(0x33);
  entry.below = 2;
  return entry;
}

Snapshot example() {
  Snapshot snapshot;
  snapshot.domain_id.fill(std::byte{0xD0});
  snapshot.snapshot_id = 2;
  snapshot.parent_id = 1;
  snapshot.created_s = 1'700'000'100;
  snapshot.host = "ada-laptop";
  snapshot.label = "before repair";
  snapshot.tags = {"home"};
  snapshot.roots = {{"/home/ada", root_directory("ada")}};
  snapshot.counts = {1, 1, 1, 0, 6, 3, 0};
  snapshot.errors = test::typed(0x44);
  snapshot.users = {{0, "root"}, {1000, "ada"}};
  snapshot.groups = {{0, "root"}};
  return snapshot;
}

// Has something in every field, two roots among it.
Snapshot full() {
  Snapshot snapshot = example();
  snapshot.created_s = -7;
  snapshot.tags = {"a", "b", "\xC3\xA9"};
  Entry disk;
  disk.name = "ada~2";
  disk.content = test::untyped(5);
  disk.size_bytes = 1ULL << 40;
  snapshot.roots.push_back({"/dev/\xFF", disk});
  snapshot.claim = test::typed(0x55);
  snapshot.origin = SnapshotOrigin{{}, test::typed(0x66)};
  return snapshot;
}

TEST(Snapshot, round_trips_and_has_one_encoding) {
  for (const Snapshot& snapshot : {example(), full()}) {
    const auto bytes = encode_snapshot(snapshot);
    ASSERT_TRUE(bytes) << bytes.error().to_string();
    EXPECT_EQ(decode_snapshot(*bytes).value(), snapshot);
    test::expect_one_encoding(*bytes, decode_snapshot, encode_snapshot);
  }
}

TEST(Snapshot, the_documented_example_is_what_is_written) {
  EXPECT_EQ(encode_snapshot(example()).value(), test::doc_example("format-snapshot.md", 0))
      << to_hex(encode_snapshot(example()).value());
}

TEST(Snapshot, may_lack_what_is_optional) {
  Snapshot snapshot = example();
  snapshot.parent_id = 0;
  snapshot.created_s.reset();
  snapshot.host.clear();
  snapshot.label.clear();
  snapshot.tags.clear();
  snapshot.errors = {};
  snapshot.users.clear();
  snapshot.groups.clear();
  test::expect_one_encoding(encode_snapshot(snapshot).value(), decode_snapshot, encode_snapshot);
}

TEST(Snapshot, only_a_single_directory_may_have_no_name) {
  Snapshot snapshot = example();
  snapshot.roots[0] = {"/", root_directory("")};
  test::expect_one_encoding(encode_snapshot(snapshot).value(), decode_snapshot, encode_snapshot);
  snapshot.roots.push_back({"/home", root_directory("home")});
  expect_error(encode_snapshot(snapshot), ErrorCode::kMalformed, "a name is empty");
  snapshot = full();
  snapshot.roots.erase(snapshot.roots.begin());
  snapshot.roots[0].entry.name.clear();
  expect_error(encode_snapshot(snapshot), ErrorCode::kMalformed, "a name is empty");
}

TEST(Snapshot, each_rule_is_enforced) {
  const std::initializer_list<std::pair<std::string_view, std::function<void(Snapshot&)>>> cases = {
      {"has no number", [](Snapshot& s) { s.snapshot_id = s.parent_id = 0; }},
      {"not younger than its parent", [](Snapshot& s) { s.parent_id = s.snapshot_id; }},
      {"host or label", [](Snapshot& s) { s.host = "\xFF"; }},
      {"host or label", [](Snapshot& s) { s.label.assign(kSnapshotTextSizeMax + 1, 'l'); }},
      {"tag is not a text", [](Snapshot& s) { s.tags = {""}; }},
      {"tag is not a text", [](Snapshot& s) { s.tags = {"\xFF"}; }},
      {"tags are not sorted", [](Snapshot& s) { s.tags = {"b", "a"}; }},
      {"tags are not sorted", [](Snapshot& s) { s.tags = {"a", "a"}; }},
      {"has no root", [](Snapshot& s) { s.roots.clear(); }},
      {"source path", [](Snapshot& s) { s.roots[0].source_path.clear(); }},
      {"source path", [](Snapshot& s) { s.roots[0].source_path.push_back('\0'); }},
      {"source path", [](Snapshot& s) { s.roots[0].source_path.assign(kSourcePathSizeMax + 1, 'p'); }},
      {"a name is empty", [](Snapshot& s) { s.roots[0].entry.name = ".."; }},
      {"same name", [](Snapshot& s) { s.roots.push_back(s.roots[0]); }},
      {"not a tree", [](Snapshot& s) { s.roots[0].entry.content = test::untyped(1); }},
      {"errors are not a typed", [](Snapshot& s) { s.errors = test::untyped(1); }},
      {"claim is not a typed", [](Snapshot& s) { s.claim = test::untyped(1); }},
      {"origin is not a typed", [](Snapshot& s) { s.origin = SnapshotOrigin{{}, test::untyped(1)}; }},
      {"user or group name", [](Snapshot& s) { s.users[0].name.clear(); }},
      {"user or group name", [](Snapshot& s) { s.groups[0].name = "\xFF"; }},
      {"sorted by id", [](Snapshot& s) { std::swap(s.users[0], s.users[1]); }},
      {"sorted by id", [](Snapshot& s) { s.groups.push_back(s.groups[0]); }},
  };
  for (const auto& [rule, spoil] : cases) {
    Snapshot snapshot = example();
    spoil(snapshot);
    expect_error(encode_snapshot(snapshot), ErrorCode::kMalformed, rule);
  }
}

// The encoder refuses to write these, so they are made by changing bytes of a good snapshot.
TEST(Snapshot, the_decoder_enforces_rules_too) {
  const Bytes good = encode_snapshot(full()).value();
  const auto changed = [&](std::string_view what, std::string_view into) {
    Bytes bytes = good;
    const auto at = as_text(good).find(what);
    EXPECT_NE(at, std::string_view::npos) << what;
    EXPECT_EQ(what.size(), into.size());
    for (std::size_t i = 0; i < into.size(); ++i) bytes[at + i] = static_cast<std::byte>(into[i]);
    return decode_snapshot(bytes);
  };
  const std::string domain(20, '\xD0');
  expect_integrity_error(changed(domain + "\x02\x01", domain + "\x02\x02"), "not younger than its parent");
  expect_integrity_error(changed("\xA1"
                                 "a\xA1"
                                 "b",
                                 "\xA1"
                                 "b\xA1"
                                 "a"),
                         "tags are not sorted");
  expect_integrity_error(changed("/home/ada", std::string_view("/home/\0da", 9)), "source path");
  expect_integrity_error(changed("\xC4\x03"
                                 "ada",
                                 "\xC4\x03"
                                 "a/a"),
                         "a name is empty");
  expect_integrity_error(changed("\xC4\x03"
                                 "ada",
                                 std::string_view("\xC4\x03"
                                                  "a\0a",
                                                  5)),
                         "a name is empty");
  expect_integrity_error(changed("before repair", "before\xFFrepair"), "UTF-8");
  expect_integrity_error(changed("\x92\xCD\x03\xE8\xA3"
                                 "ada",
                                 std::string_view("\x92\xCD\x03\xE8\xA3"
                                                  "ad\xFF",
                                                  8)),
                         "UTF-8");
  // A reference's hash id: errors and origin become untyped.
  expect_integrity_error(changed(std::string_view("\x00\x01\x44", 3), "\xF0\x01\x44"),
                         "errors are not a typed");
  expect_integrity_error(changed(std::string_view("\x00\x01\x55", 3), "\xF0\x01\x55"),
                         "claim is not a typed");
  expect_integrity_error(changed(std::string_view("\x00\x01\x66", 3), "\xF0\x01\x66"),
                         "origin is not a typed");
  expect_integrity_error(changed(std::string_view("\x00\x01\x33", 3), "\xF0\x01\x33"), "not a tree");
}

TEST(Snapshot, a_domain_id_must_have_20_bytes) {
  Bytes bytes;
  CmWriter writer(bytes);
  writer.array(16);
  writer.str("asl-snapshot");
  writer.uint(1);
  writer.bin(Bytes(19));
  bytes.resize(bytes.size() + 40);
  expect_integrity_error(decode_snapshot(bytes), "20 bytes");
}

TEST(Snapshot, sizes_are_limited) {
  expect_integrity_error(decode_snapshot(Bytes(kSnapshotSizeMax + 1)), "too large");
  Snapshot snapshot = example();
  snapshot.users.clear();
  for (std::uint32_t id = 0; id < 70'000; ++id) snapshot.users.push_back({id, std::string(255, 'u')});
  expect_error(encode_snapshot(snapshot), ErrorCode::kUnsupported, "too large");
}

TEST(Snapshot, another_version_is_refused) {
  Bytes bytes = encode_snapshot(example()).value();
  const auto version_at = as_text(bytes).find("asl-snapshot") + std::string_view("asl-snapshot").size();
  bytes[version_at] = std::byte{2};
  expect_error(decode_snapshot(bytes), ErrorCode::kUnsupported, "version 2");
}

}  // namespace
}  // namespace asl
