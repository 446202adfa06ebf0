#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <asl/engine/io.h>

#include "io/transfer.h"
#include "io/uring_queue.h"
#include "support.h"

namespace asl::io {
namespace {

using test::bytes_of;
using test::random_bytes;
using test::TempDirectory;
using test::value_of;

enum class Kind { kPlain, kUring };

class EachIo : public ::testing::TestWithParam<Kind> {
 protected:
  std::unique_ptr<Io> io_ = GetParam() == Kind::kPlain ? make_plain_io() : make_uring_io();
  TempDirectory directory_;

  std::string path(const std::string& name) const { return directory_ / name; }
  void put(const std::string& name, ByteSpan bytes) {
    const File file = value_of(io_->open(path(name), {.create_new = true}));
    ASL_ASSERT_OK(io_->write(file, bytes, 0));
  }
  Bytes get(const std::string& name) { return value_of(read_file(*io_, path(name), 1U << 30)); }
};

INSTANTIATE_TEST_SUITE_P(Io, EachIo, ::testing::Values(Kind::kPlain, Kind::kUring),
                         [](const auto& param) { return param.param == Kind::kPlain ? "plain" : "uring"; });

TEST_P(EachIo, reads_back_what_it_wrote) {
  const Bytes data = random_bytes(100'000, 1);
  put("a", data);
  EXPECT_EQ(get("a"), data);
  const File file = value_of(io_->open(path("a"), {}));
  Bytes part(1000);
  EXPECT_EQ(value_of(io_->read(file, part, 500)), 1000U);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), data.begin() + 500));
  EXPECT_EQ(value_of(io_->read(file, part, 99'500)), 500U);
  EXPECT_EQ(value_of(io_->read(file, part, 100'000)), 0U);
}

TEST_P(EachIo, creating_what_exists_fails_and_keeps_it) {
  put("a", as_bytes("first"));
  const auto again = io_->open(path("a"), {.create_new = true});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().sys_errno, EEXIST);
  EXPECT_EQ(again.error().code, ErrorCode::kIo);
  EXPECT_EQ(again.error().path, path("a"));
  EXPECT_EQ(get("a"), bytes_of("first"));
  EXPECT_EQ(value_of(io_->status(path("a"))).st_mode & 07777U, 0600U);
}

TEST_P(EachIo, a_missing_file_is_not_found) {
  EXPECT_EQ(io_->open(path("none"), {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(io_->status(path("none")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(io_->list(path("none")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(io_->remove(path("none")).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(exists(*io_, path("none")));
}

TEST_P(EachIo, an_error_on_an_open_file_names_it) {
  put("a", as_bytes("x"));
  const File read_only = value_of(io_->open(path("a"), {}));
  const auto written = io_->write(read_only, as_bytes("y"), 7);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().path, path("a"));
  EXPECT_EQ(written.error().offset, 7U);
  EXPECT_EQ(written.error().sys_errno, EBADF);
}

TEST_P(EachIo, opens_relative_to_a_directory) {
  ASL_ASSERT_OK(io_->make_directory(path("d")));
  put("d/a", as_bytes("inside"));
  const File directory = value_of(io_->open(path("d"), {.directory = true}));
  const File file = value_of(io_->open_at(directory, "a", {}));
  EXPECT_EQ(value_of(io_->status(file)).st_size, 6);
  EXPECT_EQ(io_->open_at(directory, "b", {}).error().path, path("d/b"));
}

TEST_P(EachIo, a_symlink_is_refused_where_asked) {
  put("a", as_bytes("x"));
  ASSERT_EQ(symlink("a", path("l").c_str()), 0);
  EXPECT_TRUE(io_->open(path("l"), {}));
  EXPECT_EQ(io_->open(path("l"), {.no_follow = true}).error().sys_errno, ELOOP);
  EXPECT_TRUE(S_ISLNK(value_of(io_->status(path("l"))).st_mode));
}

TEST_P(EachIo, opening_a_fifo_without_a_writer_does_not_hang_where_asked) {
  ASSERT_EQ(mkfifo(path("f").c_str(), 0600), 0);
  const File file = value_of(io_->open(path("f"), {.no_wait = true}));
  EXPECT_TRUE(S_ISFIFO(value_of(io_->status(file)).st_mode));
}

TEST_P(EachIo, direct_io_falls_back_silently_and_reads_an_odd_tail) {
  const Bytes data = random_bytes(3 * kPageSize + 100, 2);
  put("a", data);
  const File file = value_of(io_->open(path("a"), {.direct = true}));
  AlignedBuffer buffer(8 * kPageSize);
  ASSERT_EQ(value_of(io_->read(file, buffer.span(), 0)), data.size());
  EXPECT_TRUE(std::equal(data.begin(), data.end(), buffer.data()));
  // A file system that knows no direct I/O: procfs.
  EXPECT_TRUE(io_->open("/proc/self/status", {.direct = true}));
}

TEST_P(EachIo, truncate_and_allocate_set_the_length) {
  const File file = value_of(io_->open(path("a"), {.create_new = true}));
  const auto allocated = io_->allocate(file, 100'000);
  if (allocated) {
    EXPECT_EQ(value_of(io_->status(file)).st_size, 100'000);
    ASL_EXPECT_OK(io_->allocate(file, 10));
    EXPECT_EQ(value_of(io_->status(file)).st_size, 100'000);
  } else {
    EXPECT_EQ(allocated.error().code, ErrorCode::kUnsupported);
  }
  ASL_EXPECT_OK(io_->truncate(file, 4096));
  EXPECT_EQ(get("a"), Bytes(4096));
  ASL_EXPECT_OK(io_->sync_data(file));
  ASL_EXPECT_OK(io_->sync(file));
}

TEST_P(EachIo, lists_names_inodes_and_types) {
  put("a", as_bytes("x"));
  ASL_ASSERT_OK(io_->make_directory(path("d")));
  const auto entries = value_of(io_->list(directory_.path()));
  ASSERT_EQ(entries.size(), 2U);
  const auto& file = entries[0].name == "a" ? entries[0] : entries[1];
  const auto& sub = entries[0].name == "a" ? entries[1] : entries[0];
  EXPECT_EQ(file.inode, value_of(io_->status(path("a"))).st_ino);
  EXPECT_EQ(file.type, DT_REG);
  EXPECT_EQ(sub.name, "d");
  EXPECT_EQ(sub.type, DT_DIR);
}

TEST_P(EachIo, rename_replaces_only_where_asked) {
  put("a", as_bytes("one"));
  put("b", as_bytes("two"));
  const auto refused = io_->rename(path("a"), path("b"), false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sys_errno, EEXIST);
  EXPECT_EQ(get("b"), bytes_of("two"));
  ASL_EXPECT_OK(io_->rename(path("a"), path("b"), true));
  EXPECT_EQ(get("b"), bytes_of("one"));
  EXPECT_FALSE(exists(*io_, path("a")));
  ASL_EXPECT_OK(io_->rename(path("b"), path("c"), false));
  EXPECT_EQ(get("c"), bytes_of("one"));
  ASL_EXPECT_OK(io_->sync_directory(directory_.path()));
}

TEST_P(EachIo, links_and_removes) {
  put("a", as_bytes("one"));
  ASL_EXPECT_OK(io_->link(path("a"), path("b")));
  EXPECT_EQ(io_->link(path("a"), path("b")).error().sys_errno, EEXIST);
  ASL_EXPECT_OK(io_->remove(path("a")));
  EXPECT_EQ(get("b"), bytes_of("one"));
  ASL_ASSERT_OK(io_->make_directory(path("d")));
  EXPECT_EQ(io_->make_directory(path("d")).error().sys_errno, EEXIST);
  put("d/x", as_bytes("x"));
  EXPECT_EQ(io_->remove_directory(path("d")).error().sys_errno, ENOTEMPTY);
  ASL_EXPECT_OK(io_->remove(path("d/x")));
  ASL_EXPECT_OK(io_->remove_directory(path("d")));
}

TEST_P(EachIo, a_held_lock_is_reported_and_released_with_its_owner) {
  auto held = io_->lock(path("lock"), 0);
  ASSERT_TRUE(held);
  const auto refused = io_->lock(path("lock"), 30);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLocked);
  EXPECT_EQ(refused.error().path, path("lock"));
  held->reset();
  EXPECT_TRUE(io_->lock(path("lock"), 0));
}

TEST_P(EachIo, a_lock_of_another_process_is_seen_and_ends_with_it) {
  int ready[2];
  int finish[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(finish), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lock = io_->lock(path("lock"), 0);
    char byte = lock ? 'y' : 'n';
    const bool told = ::write(ready[1], &byte, 1) == 1;
    ::close(finish[1]);
    const bool waited = ::read(finish[0], &byte, 1) == 0;
    _exit(told && waited ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_EQ(io_->lock(path("lock"), 0).error().code, ErrorCode::kLocked);
  ::close(finish[1]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(io_->lock(path("lock"), 0));
  for (const int fd : {ready[0], ready[1], finish[0]}) ::close(fd);
}

TEST_P(EachIo, replace_file_leaves_only_the_new_content) {
  ASL_EXPECT_OK(replace_file(*io_, path("a"), as_bytes("one")));
  put("a.new", as_bytes("left by a crash"));
  ASL_EXPECT_OK(replace_file(*io_, path("a"), as_bytes("two")));
  EXPECT_EQ(get("a"), bytes_of("two"));
  EXPECT_EQ(value_of(io_->list(directory_.path())).size(), 1U);
  EXPECT_FALSE(replace_file(*io_, path("none/a"), as_bytes("x")));
}

TEST_P(EachIo, read_file_refuses_more_than_allowed) {
  put("a", Bytes(1000));
  EXPECT_EQ(value_of(read_file(*io_, path("a"), 1000)).size(), 1000U);
  EXPECT_EQ(read_file(*io_, path("a"), 999).error().code, ErrorCode::kMalformed);
  // Files whose size is not known beforehand are read whole.
  EXPECT_FALSE(value_of(read_file(*io_, "/proc/self/status", 1U << 20)).empty());
}

TEST_P(EachIo, a_queue_writes_and_reads_many_blocks) {
  constexpr std::size_t kCount = 300;
  constexpr std::size_t kBlock = 4096;
  const Bytes data = random_bytes(kCount * kBlock, 3);
  const File file = value_of(io_->open(path("a"), {.create_new = true}));
  const auto queue = value_of(io_->make_queue(16));
  Transfers transfers(*queue);
  std::set<std::uint64_t> done;
  const auto take = [&] {
    const auto finished = value_of(transfers.next(true));
    ASSERT_TRUE(finished);
    EXPECT_EQ(finished->result, static_cast<std::int64_t>(kBlock));
    EXPECT_TRUE(done.insert(finished->token).second);
  };
  for (std::size_t i = 0; i < kCount; ++i) {
    if (transfers.full()) take();
    ASL_ASSERT_OK(transfers.write(file, ByteSpan(data).subspan(i * kBlock, kBlock), i * kBlock, i));
  }
  while (transfers.in_flight() > 0) take();
  EXPECT_EQ(done.size(), kCount);
  EXPECT_FALSE(value_of(transfers.next(true)));
  EXPECT_EQ(get("a"), data);

  Bytes back(data.size());
  std::vector<ReadRequest> requests;
  for (std::size_t i = 0; i < kCount; ++i)
    requests.push_back({.file = &file,
                        .into = MutableByteSpan(back).subspan((kCount - 1 - i) * kBlock, kBlock),
                        .offset = (kCount - 1 - i) * kBlock});
  ASL_ASSERT_OK(read_all(*queue, requests));
  EXPECT_EQ(back, data);
}

TEST_P(EachIo, a_queue_reports_ends_and_errors_of_single_operations) {
  const Bytes data = random_bytes(5000, 4);
  put("a", data);
  const File file = value_of(io_->open(path("a"), {}));
  const File closed(nullptr, 1'000'000);
  const auto queue = value_of(io_->make_queue(4));
  Bytes one(4096);
  Bytes two(4096);
  Bytes three(10);
  Bytes four(10);
  std::vector<ReadRequest> requests = {
      {&file, one, 0}, {&file, two, 4096}, {&closed, three, 0}, {&file, four, 9000}};
  ASL_ASSERT_OK(read_all(*queue, requests));
  EXPECT_EQ(requests[0].result, 4096);
  EXPECT_EQ(requests[1].result, 904);
  EXPECT_EQ(requests[2].result, -EBADF);
  EXPECT_EQ(requests[3].result, 0);
  EXPECT_TRUE(std::equal(one.begin(), one.end(), data.begin()));
}

TEST_P(EachIo, a_queue_reads_a_direct_file_to_its_odd_end) {
  const Bytes data = random_bytes(2 * kPageSize + 1, 5);
  put("a", data);
  const File file = value_of(io_->open(path("a"), {.direct = true}));
  const auto queue = value_of(io_->make_queue(1));
  AlignedBuffer buffer(4 * kPageSize);
  ReadRequest request = {.file = &file, .into = buffer.span()};
  ASL_ASSERT_OK(read_all(*queue, {&request, 1}));
  EXPECT_EQ(request.result, static_cast<std::int64_t>(data.size()));
}

TEST_P(EachIo, a_queue_counts_what_is_in_flight_and_refuses_more_than_it_holds) {
  put("a", as_bytes("0123456789"));
  const File file = value_of(io_->open(path("a"), {}));
  const auto queue = value_of(io_->make_queue(2));
  EXPECT_EQ(queue->capacity(), 2U);
  std::array<Completion, 8> out;
  EXPECT_EQ(value_of(queue->reap(out, true)), 0U);
  Bytes one(4);
  Bytes two(4);
  ASL_ASSERT_OK(queue->read(file, one, 0, 10));
  ASL_ASSERT_OK(queue->read(file, two, 4, 11));
  EXPECT_EQ(queue->in_flight(), 2U);
  EXPECT_THROW((void)queue->read(file, two, 4, 12), std::logic_error);
  std::set<std::uint64_t> tokens;
  while (queue->in_flight() > 0) {
    const std::size_t count = value_of(queue->reap(std::span(out).first(1), true));
    ASSERT_EQ(count, 1U);
    tokens.insert(out[0].token);
    EXPECT_EQ(out[0].result, 4);
  }
  EXPECT_EQ(tokens, (std::set<std::uint64_t>{10, 11}));
  EXPECT_EQ(as_text(two), "4567");
}

TEST_P(EachIo, destroying_a_queue_waits_for_its_writes) {
  const Bytes data = random_bytes(1U << 20, 6);
  const File file = value_of(io_->open(path("a"), {.create_new = true}));
  {
    const auto queue = value_of(io_->make_queue(8));
    for (std::size_t i = 0; i < 8; ++i)
      ASL_ASSERT_OK(queue->write(file, ByteSpan(data).subspan(i << 17, 1U << 17), i << 17, i));
  }
  EXPECT_EQ(get("a"), data);
}

TEST_P(EachIo, a_queue_made_here_may_be_used_by_one_other_thread) {
  put("a", as_bytes("0123456789"));
  const File file = value_of(io_->open(path("a"), {}));
  const auto queue = value_of(io_->make_queue(2));
  Bytes into(10);
  ReadRequest request = {.file = &file, .into = into};
  std::thread([&] { ASL_EXPECT_OK(read_all(*queue, {&request, 1})); }).join();
  EXPECT_EQ(as_text(into), "0123456789");
}

TEST_P(EachIo, a_queue_of_no_or_absurd_capacity_is_refused) {
  EXPECT_EQ(io_->make_queue(0).error().code, ErrorCode::kUsage);
  EXPECT_EQ(io_->make_queue(kQueueCapacityMax + 1).error().code, ErrorCode::kUsage);
  EXPECT_TRUE(io_->make_queue(kQueueCapacityMax));
}

TEST(FileTest, moving_hands_over_the_descriptor) {
  const auto io = make_plain_io();
  File first = value_of(io->open("/proc/self/status", {}));
  const int fd = first.fd();
  File second(std::move(first));
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): the state after a move is the contract
  EXPECT_EQ(second.fd(), fd);
  const int released = second.release();
  EXPECT_EQ(released, fd);
  EXPECT_FALSE(second);
  EXPECT_EQ(::close(released), 0);
}

TEST(UringQueueTest, runs_where_the_kernel_allows_it) {
  const auto queue = UringQueue::create(4);
  if (queue == nullptr) GTEST_SKIP() << "this kernel gives no io_uring";
  EXPECT_EQ(queue->capacity(), 4U);
}

TEST(DefaultIo, follows_the_environment) {
  const auto has_ring = [] {
    const auto io = make_default_io();
    const auto queue = value_of(io->make_queue(1));
    return dynamic_cast<UringQueue*>(queue.get()) != nullptr;
  };
  ASSERT_EQ(setenv("ASL_IO", "plain", 1), 0);
  EXPECT_FALSE(has_ring());
  ASSERT_EQ(unsetenv("ASL_IO"), 0);
  EXPECT_EQ(has_ring(), UringQueue::create(1) != nullptr);
}

}  // namespace
}  // namespace asl::io
