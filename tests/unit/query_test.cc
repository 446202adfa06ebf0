#include <string>
#include <tuple>
#include <vector>

#include <asl/engine/diff.h>
#include <asl/engine/file_content.h>
#include <asl/engine/find.h>
#include <asl/engine/history.h>
#include <asl/engine/partial.h>
#include <asl/engine/sums.h>

#include "query_fixture.h"

namespace asl::test {
namespace {

Digest digest_of_ones() {
  Digest digest;
  digest.fill(std::byte{0x11});
  return digest;
}
const std::string kOnes(64, '1');

TEST(SumLine, IsWhatSha256sumPrints) {
  EXPECT_EQ(sum_line(digest_of_ones(), "a b", SumLineEnd::kNewline), kOnes + "  a b\n");
  EXPECT_EQ(sum_line(digest_of_ones(), "*a", SumLineEnd::kNewline), kOnes + "  *a\n");
  EXPECT_EQ(sum_line(digest_of_ones(), "caf\xe9", SumLineEnd::kNewline), kOnes + "  caf\xe9\n");
}

TEST(SumLine, EscapesWhatWouldBreakALine) {
  EXPECT_EQ(sum_line(digest_of_ones(), "a\nb", SumLineEnd::kNewline), "\\" + kOnes + "  a\\nb\n");
  EXPECT_EQ(sum_line(digest_of_ones(), "a\\nb", SumLineEnd::kNewline), "\\" + kOnes + "  a\\\\nb\n");
  EXPECT_EQ(sum_line(digest_of_ones(), "a\r", SumLineEnd::kNewline), "\\" + kOnes + "  a\\r\n");
}

TEST(SumLine, EscapesNothingBeforeAZeroByte) {
  EXPECT_EQ(sum_line(digest_of_ones(), "a\n\\", SumLineEnd::kNul), kOnes + "  a\n\\" + '\0');
}

TEST(SumLine, DoesNotNameStandardInput) {
  EXPECT_EQ(sum_line(digest_of_ones(), "-", SumLineEnd::kNewline), kOnes + "  ./-\n");
  EXPECT_EQ(sum_line(digest_of_ones(), "-n", SumLineEnd::kNewline), kOnes + "  -n\n");
  EXPECT_EQ(sum_line(digest_of_ones(), "a/-", SumLineEnd::kNul), kOnes + "  a/-" + '\0');
}

TEST(Labels, AreNoNumbersPathsOrReservedWords) {
  for (const char* good : {"home", "7th", "a.b", "été"}) EXPECT_TRUE(check_label(good)) << good;
  for (const char* bad : {"", "7", "0123", "latest", ".", "..", "a/b", "a:b", "a\tb", "a\x7f", "\xff"})
    EXPECT_EQ(check_label(bad).error().code, ErrorCode::kUsage) << bad;
  EXPECT_FALSE(check_label(std::string(256, 'x')));
}

TEST_F(QueryTest, SumsLeaveOutFilesThatWereNotReadWhole) {
  const Snapshot snapshot =
      add_snapshot({{"dir/part", partial_file({{0, "abc"}}, 10)}, {"whole", file("whole")}});
  std::vector<std::tuple<std::string, bool>> seen;
  const SumsReport report = value_of(
      list_sums(*domain_, snapshot, "", [&](const std::string& path, const Digest* digest) -> Result<void> {
        seen.emplace_back(path, digest != nullptr);
        return {};
      }));
  EXPECT_EQ(report.files, 2U);
  EXPECT_EQ(report.partial, 1U);
  EXPECT_EQ(seen, (std::vector<std::tuple<std::string, bool>>{{"dir/part", false}, {"whole", true}}));
}

TEST_F(QueryTest, APartialFileReadsAsItsPiecesWithZerosBetween) {
  const Snapshot snapshot = add_snapshot({{"part", partial_file({{2, "abc"}, {8, "de"}}, 12)}});
  const Entry entry = value_of(find_path(*domain_, snapshot, "part"));
  EXPECT_EQ(value_of(FileContent::open(*domain_, entry)).gaps(),
            value_of(FileContent::open(*domain_, entry.content)).gaps());
  const FileContent content = value_of(FileContent::open(*domain_, entry.content));
  ASSERT_EQ(content.length(), 12U);
  EXPECT_EQ(content.gaps().size(), 3U);
  const std::string expected("\0\0abc\0\0\0de\0\0", 12);
  for (std::size_t from = 0; from <= 12; ++from) {
    for (std::size_t size = 0; size <= 13; ++size) {
      Bytes into(size, std::byte{'x'});
      const std::size_t got = value_of(content.read(from, into));
      EXPECT_EQ(as_text(ByteSpan(into).first(got)), expected.substr(from, size)) << from << " " << size;
    }
  }
}

TEST_F(QueryTest, APartialFileIsRefusedByNamingItsGaps) {
  const Snapshot snapshot =
      add_snapshot({{"part", partial_file({{2, "abc"}, {8, "de"}}, 12)}, {"whole", file("x")}});
  const Entry part = value_of(find_path(*domain_, snapshot, "part"));
  const auto refused = value_of(FileContent::open(*domain_, part)).require_whole();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kIntegrity);
  EXPECT_NE(refused.error().message.find("0-1, 5-7, 10-11"), std::string::npos) << refused.error().message;
  const Entry whole = value_of(find_path(*domain_, snapshot, "whole"));
  ASL_EXPECT_OK(value_of(FileContent::open(*domain_, whole)).require_whole());
  EXPECT_EQ(FileContent::open(*domain_, value_of(snapshot_root(*domain_, snapshot))).error().code,
            ErrorCode::kUsage);
}

TEST(Gaps, ALongListIsCutShort) {
  std::vector<PartialGap> gaps;
  for (std::uint64_t k = 0; k < 10; ++k) gaps.push_back({k * 10, 1, GapStatus::kBad});
  EXPECT_TRUE(describe_gaps(gaps).ends_with("70-70 and 2 more")) << describe_gaps(gaps);
}

class DiffTest : public QueryTest {
 protected:
  std::vector<std::string> compare(const Snapshot& a, const Snapshot& b) {
    const Entry before = value_of(find_path(*domain_, a, ""));
    const Entry after = value_of(find_path(*domain_, b, ""));
    std::vector<std::string> lines;
    report_ =
        value_of(diff(*domain_, {a, before}, {b, after}, [&](const Difference& difference) -> Result<void> {
          EXPECT_EQ(difference.before == nullptr, difference.change == Change::kAdded);
          EXPECT_EQ(difference.after == nullptr, difference.change == Change::kRemoved);
          lines.push_back(std::string(1, "+-Mm"[static_cast<std::size_t>(difference.change)]) +
                          difference.path);
          return {};
        }));
    return lines;
  }
  DiffReport report_;
};

TEST_F(DiffTest, OnlyWhatDiffersIsTold) {
  const Snapshot a = add_snapshot({{"a/b/c", file("1")}, {"d", file("2")}});
  const Snapshot b = add_snapshot({{"a/b/c", file("1")}, {"d", file("3")}});
  EXPECT_EQ(compare(a, b), (std::vector<std::string>{"Md"}));
  EXPECT_EQ(report_.content, 1U);
  EXPECT_TRUE(compare(a, a).empty());
}

TEST_F(DiffTest, SubtreesComeAndGoWhole) {
  const Snapshot a = add_snapshot({{"a/x", file("1")}, {"a/y/z", file("2")}, {"m", file("3")}});
  const Snapshot b = add_snapshot({{"b/x", file("1")}, {"m", file("3")}});
  EXPECT_EQ(compare(a, b), (std::vector<std::string>{"-a", "-a/x", "-a/y", "-a/y/z", "+b", "+b/x"}));
  EXPECT_EQ(report_.removed, 4U);
  EXPECT_EQ(report_.added, 2U);
}

TEST_F(DiffTest, AnotherTypeIsRemovedAndAdded) {
  const Snapshot a = add_snapshot({{"a", file("1")}});
  const Snapshot b = add_snapshot({{"a/x", file("1")}});
  EXPECT_EQ(compare(a, b), (std::vector<std::string>{"-a", "+a", "+a/x"}));
}

TEST_F(DiffTest, WhatOnlyTheDiskKnowsIsNotCompared) {
  Entry before = file("1");
  before.nlink = 2;
  Entry after = before;
  before.hardlink_id = 7;
  before.btime_s = 1;
  after.hardlink_id = 8;
  after.btime_s = 2;
  EXPECT_TRUE(compare(add_snapshot({{"a", before}}), add_snapshot({{"a", after}})).empty());
}

TEST_F(DiffTest, FieldsThatDifferAreNamed) {
  Entry before = file("1");
  Entry after = file("2");
  after.mode = 0600;
  after.uid = 5;
  after.gid = 6;
  after.mtime_ns = 1;
  after.nlink = 2;
  after.flags = kEntryChanged;
  after.inode_flags = 1;
  after.xattrs.push_back({bytes_of("user.a"), bytes_of("b"), {}});
  EXPECT_EQ(differing_fields(before, after),
            (std::vector<std::string_view>{"content", "mode", "owner", "group", "mtime", "xattrs", "links",
                                           "flags", "attributes"}));
  EXPECT_EQ(compare(add_snapshot({{"a", before}}), add_snapshot({{"a", after}})),
            (std::vector<std::string>{"Ma"}));
  after.content = before.content;
  EXPECT_EQ(compare(add_snapshot({{"a", before}}), add_snapshot({{"a", after}})),
            (std::vector<std::string>{"ma"}));
}

class FindTest : public QueryTest {
 protected:
  // "path first-last xcount"
  std::vector<std::string> search(const FindQuery& query, const std::vector<SnapshotPath>& places) {
    std::vector<std::string> lines;
    const auto visit = [&](const FindHit& hit) -> Result<void> {
      lines.push_back(hit.path + " " + std::to_string(hit.first_snapshot) + "-" +
                      std::to_string(hit.last_snapshot) + " x" + std::to_string(hit.snapshots));
      return {};
    };
    const auto on_error = [](std::uint64_t, const std::string&, const Error& error) -> Result<void> {
      return fail(error);
    };
    value_of(find_entries(*domain_, query, places, visit, on_error));
    return lines;
  }
};

TEST_F(FindTest, AHitLivesAsLongAsItIsTheSame) {
  Entry moved = file("x");
  moved.mtime_s = 9;
  add_snapshot({{"d/x", file("x")}, {"other", file("1")}});
  add_snapshot({{"d/x", file("x")}, {"other", file("2")}});
  add_snapshot({{"d/x", moved}});
  add_snapshot({{"d/y", file("y")}});
  add_snapshot({{"d/x", moved}});
  const std::vector<SnapshotPath> all{{5, ""}, {4, ""}, {3, ""}, {2, ""}, {1, ""}};
  EXPECT_EQ(search({.pattern = "x"}, all),
            (std::vector<std::string>{"d/x 1-2 x2", "d/x 3-3 x1", "d/x 5-5 x1"}));
}

TEST_F(FindTest, HistoriesOfOtherHostsAreTheirOwn) {
  add_snapshot({{"x", file("x")}}, "left");
  add_snapshot({{"x", file("x")}}, "right");
  add_snapshot({{"x", file("x")}}, "left");
  EXPECT_EQ(search({.pattern = "x"}, std::vector<SnapshotPath>{{1, ""}, {2, ""}, {3, ""}}),
            (std::vector<std::string>{"x 1-3 x2", "x 2-2 x1"}));
}

TEST_F(FindTest, EveryConditionMustHold) {
  Entry changed = file("changed");
  changed.flags = kEntryChanged;
  add_snapshot({{"a/small", file("1")},
                {"a/large", file("123456")},
                {"b/part", partial_file({{0, "abc"}}, 5)},
                {"b/changed", changed}});
  const std::vector<SnapshotPath> one{{1, ""}};
  EXPECT_EQ(search({.larger_than_bytes = 5}, one),
            (std::vector<std::string>{"a/large 1-1 x1", "b/changed 1-1 x1"}));
  EXPECT_EQ(search({.pattern = "a/*", .larger_than_bytes = 1, .smaller_than_bytes = 7}, one),
            (std::vector<std::string>{"a/large 1-1 x1"}));
  EXPECT_EQ(search({.incomplete = true}, one),
            (std::vector<std::string>{"b/changed 1-1 x1", "b/part 1-1 x1"}));
  EXPECT_EQ(search({.type = EntryType::kDirectory}, one), (std::vector<std::string>{"a 1-1 x1", "b 1-1 x1"}));
  EXPECT_EQ(
      search({.content = ReferencePrefix{kHashIdSha256, to_hex(file("1").content.digest).substr(0, 8)}}, one),
      (std::vector<std::string>{"a/small 1-1 x1"}));
  EXPECT_TRUE(search({.damaged = true}, one).empty());
}

TEST_F(FindTest, APlaceInsideASnapshotIsSearchedByItself) {
  add_snapshot({{"a/x", file("1")}, {"b/x", file("2")}});
  EXPECT_EQ(search({.pattern = "x"}, std::vector<SnapshotPath>{{1, "b"}}),
            (std::vector<std::string>{"b/x 1-1 x1"}));
  EXPECT_EQ(search({.pattern = "x"}, std::vector<SnapshotPath>{{1, "a/x"}}),
            (std::vector<std::string>{"a/x 1-1 x1"}));
}

TEST_F(FindTest, ExclamationMarksAreOrdinary) {
  add_snapshot({{"!x", file("1")}, {"x", file("2")}});
  EXPECT_EQ(search({.pattern = "!x"}, std::vector<SnapshotPath>{{1, ""}}),
            (std::vector<std::string>{"!x 1-1 x1"}));
}

}  // namespace
}  // namespace asl::test
