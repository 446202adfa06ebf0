#include "io/faulting_io.h"

#include <algorithm>
#include <cerrno>
#include <gtest/gtest.h>

#include "io/transfer.h"
#include "support.h"

namespace asl::io {
namespace {

using test::bytes_of;
using test::random_bytes;
using test::TempDirectory;
using test::value_of;

class Faulting : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_ / name; }
  File create(const std::string& name) { return value_of(io_.open(path(name), {.create_new = true})); }
  Bytes get(const std::string& name) { return value_of(read_file(*plain_, path(name), 1U << 30)); }

  TempDirectory directory_;
  std::unique_ptr<Io> plain_ = make_plain_io();
  FaultingIo io_{*plain_};
};

TEST_F(Faulting, without_rules_everything_passes_and_is_counted) {
  const File file = create("a");
  ASL_EXPECT_OK(io_.write(file, as_bytes("data"), 0));
  ASL_EXPECT_OK(io_.sync(file));
  ASL_EXPECT_OK(io_.sync_directory(directory_.path()));
  EXPECT_EQ(get("a"), bytes_of("data"));
  EXPECT_EQ(io_.calls(CallKind::kWrite), 1U);
  EXPECT_EQ(io_.calls(CallKind::kCreate), 1U);
  EXPECT_EQ(io_.calls(CallKind::kRead), 0U);
  EXPECT_EQ(io_.calls(), 4U);
}

TEST_F(Faulting, the_nth_call_fails_as_often_as_asked) {
  const File file = create("a");
  const std::size_t rule = io_.add({.kind = CallKind::kWrite, .first = 2, .count = 2, .sys_errno = ENOSPC});
  ASL_EXPECT_OK(io_.write(file, as_bytes("1"), 0));
  for (int i = 0; i < 2; ++i) {
    const auto failed = io_.write(file, as_bytes("2"), 0);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kNoSpace);
    EXPECT_EQ(failed.error().path, path("a"));
  }
  ASL_EXPECT_OK(io_.write(file, as_bytes("4"), 1));
  EXPECT_EQ(io_.fired(rule), 2U);
  EXPECT_EQ(get("a"), bytes_of("14"));
}

TEST_F(Faulting, a_permanent_rule_lasts_until_cleared) {
  const File file = create("a");
  io_.add({.kind = CallKind::kSyncData});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(io_.sync_data(file).error().sys_errno, EIO);
  io_.clear();
  ASL_EXPECT_OK(io_.sync_data(file));
}

TEST_F(Faulting, a_rule_matches_by_path_through_open_files_too) {
  const File a = create("a.idx");
  const File b = create("b.bin");
  io_.add({.path_contains = ".idx"});
  EXPECT_FALSE(io_.write(a, as_bytes("x"), 0));
  ASL_EXPECT_OK(io_.write(b, as_bytes("x"), 0));
  EXPECT_FALSE(io_.status(path("a.idx")));
  EXPECT_FALSE(io_.rename(path("b.bin"), path("c.idx"), false));
  EXPECT_FALSE(exists(*plain_, path("c.idx")));
}

TEST_F(Faulting, every_kind_of_call_can_fail) {
  const File file = create("a");
  const File directory = value_of(io_.open(directory_.path(), {.directory = true}));
  Bytes into(4);
  io_.add({.sys_errno = EROFS});
  EXPECT_FALSE(io_.open(path("a"), {}));
  EXPECT_FALSE(io_.open(path("b"), {.create_new = true}));
  EXPECT_FALSE(io_.open_at(directory, "a", {}));
  EXPECT_FALSE(io_.read(file, into, 0));
  EXPECT_FALSE(io_.write(file, into, 0));
  EXPECT_FALSE(io_.truncate(file, 1));
  EXPECT_FALSE(io_.allocate(file, 1));
  EXPECT_FALSE(io_.sync_data(file));
  EXPECT_FALSE(io_.sync(file));
  EXPECT_FALSE(io_.status(file));
  EXPECT_FALSE(io_.status(path("a")));
  EXPECT_FALSE(io_.list(directory_.path()));
  EXPECT_FALSE(io_.make_directory(path("d")));
  EXPECT_FALSE(io_.rename(path("a"), path("b"), true));
  EXPECT_FALSE(io_.link(path("a"), path("b")));
  EXPECT_FALSE(io_.remove(path("a")));
  EXPECT_FALSE(io_.remove_directory(path("d")));
  EXPECT_FALSE(io_.sync_directory(directory_.path()));
  EXPECT_FALSE(io_.lock(path("lock"), 0));
  EXPECT_FALSE(io_.make_queue(1));
  // Nothing of it reached the file system.
  EXPECT_EQ(value_of(plain_->list(directory_.path())).size(), 1U);
  EXPECT_EQ(get("a"), Bytes());
}

TEST_F(Faulting, a_failing_write_may_leave_a_part) {
  const File file = create("a");
  io_.add({.kind = CallKind::kWrite, .count = 1, .sys_errno = ENOSPC, .transferred_bytes = 3});
  EXPECT_EQ(io_.write(file, as_bytes("0123456"), 0).error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(get("a"), bytes_of("012"));
}

TEST_F(Faulting, a_short_read_looks_like_the_end_of_the_file) {
  const File file = create("a");
  ASL_ASSERT_OK(io_.write(file, as_bytes("0123456"), 0));
  io_.add({.kind = CallKind::kRead, .count = 1, .sys_errno = 0, .transferred_bytes = 2});
  Bytes into(7);
  EXPECT_EQ(value_of(io_.read(file, into, 0)), 2U);
  EXPECT_EQ(value_of(io_.read(file, into, 0)), 7U);
}

TEST_F(Faulting, a_queue_fails_single_operations_and_keeps_the_others) {
  const File file = create("a");
  const auto queue = value_of(io_.make_queue(4));
  io_.add({.kind = CallKind::kWrite, .first = 2, .count = 1, .sys_errno = EIO});
  const Bytes data = bytes_of("0123");
  for (std::uint64_t i = 0; i < 4; ++i) ASL_ASSERT_OK(queue->write(file, ByteSpan(data).subspan(i, 1), i, i));
  EXPECT_EQ(queue->in_flight(), 4U);
  EXPECT_THROW((void)queue->write(file, data, 0, 9), std::logic_error);
  std::array<std::int64_t, 4> results = {};
  std::array<Completion, 3> out;
  while (queue->in_flight() > 0) {
    const std::size_t count = value_of(queue->reap(out, true));
    for (const Completion& completion : std::span(out).first(count))
      results[completion.token] = completion.result;
  }
  EXPECT_EQ(results, (std::array<std::int64_t, 4>{1, -EIO, 1, 1}));
  EXPECT_EQ(get("a"), bytes_of(std::string_view("0\00023", 4)));
}

TEST_F(Faulting, transfers_complete_short_reads_and_writes) {
  const Bytes data = random_bytes(10'000, 1);
  const File file = create("a");
  const auto queue = value_of(io_.make_queue(2));
  io_.add({.sys_errno = 0, .transferred_bytes = 777});
  {
    Transfers transfers(*queue);
    ASL_ASSERT_OK(transfers.write(file, ByteSpan(data).first(6000), 0, 1));
    ASL_ASSERT_OK(transfers.write(file, ByteSpan(data).subspan(6000), 6000, 2));
    EXPECT_TRUE(transfers.full());
    EXPECT_THROW((void)transfers.write(file, data, 0, 3), std::logic_error);
    std::int64_t total = 0;
    while (transfers.in_flight() > 0) total += value_of(transfers.next(true))->result;
    EXPECT_EQ(total, 10'000);
  }
  EXPECT_EQ(get("a"), data);
  Bytes back(12'000);
  ReadRequest request = {.file = &file, .into = back};
  ASL_ASSERT_OK(read_all(*queue, {&request, 1}));
  EXPECT_EQ(request.result, 10'000);
  EXPECT_TRUE(std::equal(data.begin(), data.end(), back.begin()));
}

TEST_F(Faulting, transfers_report_an_error_in_the_middle_and_a_write_of_nothing) {
  const Bytes data = random_bytes(1000, 1);
  const File file = create("a");
  const auto queue = value_of(io_.make_queue(2));
  Transfers transfers(*queue);
  io_.add({.count = 1, .sys_errno = 0, .transferred_bytes = 100});
  io_.add({.first = 2, .count = 1, .sys_errno = ENOSPC});
  ASL_ASSERT_OK(transfers.write(file, data, 0, 1));
  EXPECT_EQ(value_of(transfers.next(true))->result, -ENOSPC);
  EXPECT_EQ(get("a").size(), 100U);
  io_.clear();
  io_.add({.sys_errno = 0, .transferred_bytes = 0});
  ASL_ASSERT_OK(transfers.write(file, data, 0, 1));
  EXPECT_EQ(value_of(transfers.next(true))->result, -EIO);
}

}  // namespace
}  // namespace asl::io
