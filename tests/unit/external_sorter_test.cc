#include "transfer/external_sorter.h"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>

#include <asl/engine/io.h>

#include "support.h"

namespace asl {
namespace {

using test::TempDirectory;
using Rows = std::vector<std::pair<std::string, std::string>>;

Rows read_all(const ExternalSorter& sorter) {
  Rows rows;
  auto reader = sorter.read();
  while (test::value_of(reader.next())) rows.emplace_back(as_text(reader.key()), as_text(reader.value()));
  return rows;
}

Rows shuffled_rows(std::size_t count) {
  Rows rows;
  for (std::size_t k = 0; k < count; ++k)
    rows.emplace_back("key" + std::to_string(k * 7919 % 100'003),
                      std::string(k % 97, 'v') + std::to_string(k));
  std::mt19937 random(1);
  std::shuffle(rows.begin(), rows.end(), random);
  return rows;
}

void expect_sorted(std::size_t memory_bytes, std::size_t count) {
  const TempDirectory directory;
  const auto io = io::make_plain_io();
  ExternalSorter sorter(*io, directory.path(), memory_bytes);
  Rows rows = shuffled_rows(count);
  for (const auto& [key, value] : rows) ASL_ASSERT_OK(sorter.add(as_bytes(key), as_bytes(value)));
  ASL_ASSERT_OK(sorter.sort());
  EXPECT_EQ(sorter.size(), count);
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  EXPECT_EQ(read_all(sorter), rows);
  EXPECT_EQ(read_all(sorter), rows) << "a second reader sees the same";
}

TEST(ExternalSorter, sorts_what_fits_into_memory_without_a_file) {
  const TempDirectory directory;
  const auto io = io::make_plain_io();
  ExternalSorter sorter(*io, directory / "not-there");
  ASL_ASSERT_OK(sorter.add(as_bytes("b"), as_bytes("2")));
  ASL_ASSERT_OK(sorter.add(as_bytes("a"), as_bytes("1")));
  ASL_ASSERT_OK(sorter.sort());
  EXPECT_FALSE(sorter.spilled());
  EXPECT_EQ(read_all(sorter), (Rows{{"a", "1"}, {"b", "2"}}));
}

TEST(ExternalSorter, merges_a_few_runs_from_its_file) {
  expect_sorted(64 << 10, 5000);
}

TEST(ExternalSorter, merges_more_runs_than_it_keeps) {
  expect_sorted(1 << 10, 20'000);
}

TEST(ExternalSorter, keeps_the_order_of_equal_keys) {
  const TempDirectory directory;
  const auto io = io::make_plain_io();
  ExternalSorter sorter(*io, directory.path(), 512);
  Rows expected;
  for (int k = 0; k < 5000; ++k) {
    expected.emplace_back("same", std::to_string(k));
    ASL_ASSERT_OK(sorter.add(as_bytes("same"), as_bytes(expected.back().second)));
  }
  ASL_ASSERT_OK(sorter.sort());
  EXPECT_EQ(read_all(sorter), expected);
}

TEST(ExternalSorter, takes_records_longer_than_its_memory_and_empty_ones) {
  const TempDirectory directory;
  const auto io = io::make_plain_io();
  ExternalSorter sorter(*io, directory.path(), 1 << 10);
  const std::string big(300'000, 'x');
  ASL_ASSERT_OK(sorter.add(as_bytes("z"), as_bytes(big)));
  ASL_ASSERT_OK(sorter.add({}, {}));
  ASL_ASSERT_OK(sorter.add(as_bytes("y"), as_bytes(big)));
  ASL_ASSERT_OK(sorter.add(as_bytes("x"), {}));
  ASL_ASSERT_OK(sorter.sort());
  EXPECT_EQ(read_all(sorter), (Rows{{"", ""}, {"x", ""}, {"y", big}, {"z", big}}));
}

TEST(ExternalSorter, an_empty_one_has_nothing_to_read) {
  const TempDirectory directory;
  const auto io = io::make_plain_io();
  ExternalSorter sorter(*io, directory.path());
  ASL_ASSERT_OK(sorter.sort());
  EXPECT_TRUE(read_all(sorter).empty());
}

TEST(ExternalSorter, leaves_no_name_behind_even_while_it_is_in_use) {
  const TempDirectory directory;
  const auto io = io::make_plain_io();
  ExternalSorter sorter(*io, directory.path(), 512);
  for (int k = 0; k < 100; ++k) ASL_ASSERT_OK(sorter.add(as_bytes(std::to_string(k)), as_bytes("value")));
  EXPECT_TRUE(sorter.spilled());
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(ExternalSorter, says_so_where_it_cannot_spill) {
  const TempDirectory directory;
  const auto io = io::make_plain_io();
  ExternalSorter sorter(*io, directory / "not-there", 64);
  Result<void> added;
  for (int k = 0; k < 10 && added; ++k) added = sorter.add(as_bytes(std::to_string(k)), as_bytes("value"));
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace asl
