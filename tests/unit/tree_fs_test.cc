#include "io/tree_fs.h"

#include <cerrno>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <set>
#include <string>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace asl::io {
namespace {

class TreeFs : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/tree_fs_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
    fd_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_GE(fd_, 0);
  }
  void TearDown() override {
    ::close(fd_);
    std::filesystem::remove_all(path_);
  }
  int make(const char* name, std::string_view content = {}) {
    const int fd = ::openat(fd_, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    EXPECT_GE(fd, 0);
    EXPECT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    return fd;
  }

  std::string path_;
  int fd_ = -1;
};

TEST_F(TreeFs, ListsAllNamesOnceWithInodesAndTypes) {
  std::set<std::string> expected;
  for (int i = 0; i < 5000; ++i) {
    // Long names, so that one buffer cannot hold them.
    const std::string name = std::string(200, 'n') + std::to_string(i);
    ::close(make(name.c_str()));
    expected.insert(name);
  }
  NameList list;
  ASSERT_TRUE(list_all(fd_, list));
  ASSERT_EQ(list.size(), expected.size());
  list.sort_by_name();
  std::size_t index = 0;
  for (const std::string& name : expected) {
    EXPECT_EQ(list.name(index), name);
    EXPECT_STREQ(list.c_name(index), name.c_str());
    EXPECT_EQ(list.item(index).type, DT_REG);
    const auto stat = stat_at(fd_, list.c_name(index));
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->inode, list.item(index).inode);
    ++index;
  }
  list.sort_by_inode();
  for (std::size_t i = 1; i < list.size(); ++i) EXPECT_LT(list.item(i - 1).inode, list.item(i).inode);
}

TEST_F(TreeFs, ListsADirectoryInPartsAndThenSaysItEnded) {
  ::close(make("one"));
  NameList list;
  auto more = list_some(fd_, list);
  ASSERT_TRUE(more);
  EXPECT_TRUE(*more);
  more = list_some(fd_, list);
  ASSERT_TRUE(more);
  EXPECT_FALSE(*more);
  EXPECT_EQ(list.size(), 1U);
  EXPECT_GT(list.memory_bytes(), 0U);
}

TEST_F(TreeFs, ListingWhatIsNoDirectoryKeepsTheErrno) {
  const int file = make("file");
  NameList list;
  const auto more = list_some(file, list);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().sys_errno, ENOTDIR);
  ::close(file);
}

TEST_F(TreeFs, StatTellsWhatTheKernelTells) {
  const int file = make("file", "12345");
  ASSERT_EQ(::fchmod(file, 04751), 0);
  const struct timespec times[2] = {{0, 0}, {-1000000000, 123456789}};  // 1938
  ASSERT_EQ(::futimens(file, times), 0);
  ASSERT_EQ(::linkat(fd_, "file", fd_, "other", 0), 0);
  const auto by_name = stat_at(fd_, "file");
  ASSERT_TRUE(by_name);
  struct stat expected;
  ASSERT_EQ(::fstat(file, &expected), 0);
  EXPECT_EQ(by_name->mode, expected.st_mode);
  EXPECT_EQ(by_name->nlink, 2U);
  EXPECT_EQ(by_name->uid, expected.st_uid);
  EXPECT_EQ(by_name->gid, expected.st_gid);
  EXPECT_EQ(by_name->device, expected.st_dev);
  EXPECT_EQ(by_name->inode, expected.st_ino);
  EXPECT_EQ(by_name->size, 5U);
  EXPECT_EQ(by_name->blocks_512, static_cast<std::uint64_t>(expected.st_blocks));
  EXPECT_EQ(by_name->mtime, (FileTime{-1000000000, 123456789}));
  EXPECT_EQ(by_name->ctime.seconds, expected.st_ctim.tv_sec);
  EXPECT_EQ(by_name->ctime.nanoseconds, static_cast<std::uint32_t>(expected.st_ctim.tv_nsec));
  EXPECT_TRUE(by_name->is_regular());
  const auto by_fd = stat_fd(file);
  ASSERT_TRUE(by_fd);
  EXPECT_EQ(*by_fd, *by_name);
  ::close(file);
}

TEST_F(TreeFs, StatDoesNotFollowSymlinks) {
  ASSERT_EQ(::symlinkat("nowhere", fd_, "link"), 0);
  const auto stat = stat_at(fd_, "link");
  ASSERT_TRUE(stat);
  EXPECT_TRUE(stat->is_symlink());
  EXPECT_EQ(stat->size, 7U);
}

TEST_F(TreeFs, StatOfAMissingNameSaysNotFound) {
  const auto stat = stat_at(fd_, "missing");
  ASSERT_FALSE(stat);
  EXPECT_EQ(stat.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(stat.error().sys_errno, ENOENT);
  EXPECT_EQ(stat.error().path, "missing");
}

TEST_F(TreeFs, InodeFlagsAreThoseOfChattr) {
  const int file = make("file");
  const auto before = inode_flags(file);
  ASSERT_TRUE(before);
  int set = FS_NODUMP_FL | static_cast<int>(*before);
  if (::ioctl(file, FS_IOC_SETFLAGS, &set) != 0) {
    ::close(file);
    GTEST_SKIP() << "this file system has no inode flags";
  }
  const auto after = inode_flags(file);
  ASSERT_TRUE(after);
  EXPECT_EQ(*after, *before | FS_NODUMP_FL);
  ::close(file);
}

TEST_F(TreeFs, XattrsAreSortedAndOursAreLeftOut) {
  const int file = make("file");
  const std::string large(3000, 'v');
  if (::fsetxattr(file, "user.zebra", large.data(), large.size(), 0) != 0) {
    ::close(file);
    GTEST_SKIP() << "this file system has no user attributes";
  }
  ASSERT_EQ(::fsetxattr(file, "user.empty", "", 0, 0), 0);
  ASSERT_EQ(::fsetxattr(file, "user.asl.sha256", "x", 1, 0), 0);
  ASSERT_EQ(::fsetxattr(file, "user.aslant", "\0\xFF", 2, 0), 0);
  const auto by_fd = read_xattrs(file);
  ASSERT_TRUE(by_fd);
  ASSERT_EQ(by_fd->items.size(), 3U);
  EXPECT_EQ(by_fd->items[0].name, "user.aslant");
  EXPECT_EQ(by_fd->items[0].value, (Bytes{std::byte{0}, std::byte{0xFF}}));
  EXPECT_EQ(by_fd->items[1].name, "user.empty");
  EXPECT_TRUE(by_fd->items[1].value.empty());
  EXPECT_EQ(by_fd->items[2].name, "user.zebra");
  EXPECT_EQ(as_text(by_fd->items[2].value), large);
  EXPECT_EQ(by_fd->failed_errno, 0);
  const auto by_name = read_xattrs_at(fd_, "file");
  ASSERT_TRUE(by_name);
  EXPECT_EQ(by_name->items, by_fd->items);
  ::close(file);
}

TEST_F(TreeFs, ManyXattrNamesNeedTheLargeBuffer) {
  const int file = make("file");
  std::size_t count = 0;
  // Many short ones: how many fit depends on the file system, that they pass 1 KiB does not.
  for (; count < 15; ++count) {
    const std::string name = "user." + std::string(100, 'n') + std::to_string(count);
    if (::fsetxattr(file, name.c_str(), "", 0, 0) != 0) break;
  }
  if (count < 11) {
    ::close(file);
    GTEST_SKIP() << "this file system holds only " << count << " attributes of 100 bytes";
  }
  const auto set = read_xattrs(file);
  ASSERT_TRUE(set);
  EXPECT_EQ(set->items.size(), count);
  ::close(file);
}

TEST_F(TreeFs, XattrsOfASymlinkAreItsOwn) {
  const int file = make("file");
  ASSERT_EQ(::symlinkat("file", fd_, "link"), 0);
  const bool file_set = ::fsetxattr(file, "user.of_file", "x", 1, 0) == 0;
  const auto link = read_xattrs_at(fd_, "link");
  ASSERT_TRUE(link);
  for (const Xattr& xattr : link->items) EXPECT_NE(xattr.name, "user.of_file");
  if (::geteuid() == 0 && file_set) {
    ASSERT_EQ(::lsetxattr((path_ + "/link").c_str(), "trusted.of_link", "y", 1, 0), 0);
    const auto again = read_xattrs_at(fd_, "link");
    ASSERT_TRUE(again);
    ASSERT_EQ(again->items.size(), link->items.size() + 1);
  }
  ::close(file);
}

TEST_F(TreeFs, ReadsSymlinksOfAnyLength) {
  const std::string target(4095, 't');
  ASSERT_EQ(::symlinkat("a/b", fd_, "short"), 0);
  auto read = read_link_at(fd_, "short");
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, "a/b");
  if (::symlinkat(target.c_str(), fd_, "long") == 0) {
    read = read_link_at(fd_, "long");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, target);
  }
  ::close(make("file"));
  read = read_link_at(fd_, "file");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().sys_errno, EINVAL);
}

TEST_F(TreeFs, DataRangesSkipHoles) {
  const int file = make("sparse");
  constexpr std::uint64_t kMiB = 1 << 20;
  ASSERT_EQ(::pwrite(file, "x", 1, kMiB), 1);
  ASSERT_EQ(::ftruncate(file, 3 * kMiB), 0);
  auto range = next_data_range(file, 0, 3 * kMiB);
  ASSERT_TRUE(range);
  ASSERT_TRUE(range->has_value());
  if ((*range)->offset == 0) {
    ::close(file);
    GTEST_SKIP() << "this file system does not tell holes";
  }
  EXPECT_EQ((*range)->offset, kMiB);
  const std::uint64_t end = kMiB + (*range)->length;
  EXPECT_LT(end, 3 * kMiB);
  range = next_data_range(file, end, 3 * kMiB);
  ASSERT_TRUE(range);
  EXPECT_FALSE(range->has_value());
  // A size smaller than the file's, as when it grew since it was looked at.
  range = next_data_range(file, kMiB, kMiB + 1);
  ASSERT_TRUE(range);
  EXPECT_EQ(*range, (DataRange{kMiB, 1}));
  range = next_data_range(file, 5, 5);
  ASSERT_TRUE(range);
  EXPECT_FALSE(range->has_value());
  ::close(file);
}

TEST_F(TreeFs, AFileIsNoBlockDevice) {
  const int file = make("file");
  const auto device = block_device(file);
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().sys_errno, ENOTTY);
  ::close(file);
}

}  // namespace
}  // namespace asl::io
