#include "io/target_fs.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <string>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace asl::io {
namespace {

class TargetFs : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/target_fs_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
    fd_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_GE(fd_, 0);
    io_ = make_plain_io();
  }
  void TearDown() override {
    ::close(fd_);
    std::filesystem::remove_all(path_);
  }
  SourceStat stat(const char* name) {
    auto status = stat_at(fd_, name);
    EXPECT_TRUE(status) << name;
    return status ? *status : SourceStat{};
  }

  std::string path_;
  int fd_ = -1;
  std::unique_ptr<Io> io_;
};

TEST_F(TargetFs, ANewFileIsEmptyUnreadableAndMarkedUnfinished) {
  const auto made = create_file_at(*io_, fd_, "file");
  ASSERT_TRUE(made);
  EXPECT_EQ(stat("file").mode, S_IFREG | kUnfinishedMode);
  EXPECT_EQ(stat("file").size, 0U);
  AlignedBuffer page(kPageSize);
  EXPECT_TRUE(io_->write(made->file, page.span(), 0));
  const auto again = create_file_at(*io_, fd_, "file");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().sys_errno, EEXIST);
}

TEST_F(TargetFs, ANewFileIsNeverMadeThroughASymlink) {
  ASSERT_TRUE(make_symlink_at(fd_, "link", "elsewhere"));
  const auto made = create_file_at(*io_, fd_, "link");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().sys_errno, EEXIST);
  EXPECT_FALSE(stat_at(fd_, "elsewhere"));
}

TEST_F(TargetFs, MakesEveryKindOfEntry) {
  ASSERT_TRUE(make_directory_at(fd_, "dir", 0700));
  ASSERT_TRUE(make_symlink_at(fd_, "link", "a target"));
  ASSERT_TRUE(make_node_at(fd_, "fifo", S_IFIFO | 0600, 0));
  ASSERT_TRUE(make_node_at(fd_, "socket", S_IFSOCK | 0600, 0));
  EXPECT_TRUE(stat("dir").is_directory());
  EXPECT_EQ(*read_link_at(fd_, "link"), "a target");
  EXPECT_TRUE(S_ISFIFO(stat("fifo").mode));
  EXPECT_TRUE(S_ISSOCK(stat("socket").mode));
  const auto device = make_node_at(fd_, "null", S_IFCHR | 0600, makedev(1, 3));
  if (device) {
    EXPECT_EQ(stat("null").rdev, makedev(1, 3));
  } else {
    EXPECT_EQ(device.error().sys_errno, EPERM);
  }
  const auto clash = make_directory_at(fd_, "link", 0700);
  ASSERT_FALSE(clash);
  EXPECT_EQ(clash.error().sys_errno, EEXIST);
}

TEST_F(TargetFs, LinksRenamesAndRemoves) {
  ASSERT_TRUE(create_file_at(*io_, fd_, "one"));
  ASSERT_TRUE(link_at(fd_, "one", fd_, "two"));
  EXPECT_EQ(stat("one").inode, stat("two").inode);
  ASSERT_TRUE(make_symlink_at(fd_, "link", "nowhere"));
  ASSERT_TRUE(link_at(fd_, "link", fd_, "link2"));  // the symlink itself
  EXPECT_TRUE(stat("link2").is_symlink());
  ASSERT_TRUE(rename_at(fd_, "one", fd_, "link"));
  EXPECT_TRUE(stat("link").is_regular());
  EXPECT_FALSE(stat_at(fd_, "one"));
  ASSERT_TRUE(make_directory_at(fd_, "dir", 0700));
  EXPECT_FALSE(remove_at(fd_, "dir"));
  EXPECT_TRUE(remove_directory_at(fd_, "dir"));
  EXPECT_TRUE(remove_at(fd_, "link2"));
  EXPECT_FALSE(remove_at(fd_, "link2"));
}

TEST_F(TargetFs, SetsModesAndTimesByDescriptorAndByName) {
  const auto made = create_file_at(*io_, fd_, "file");
  ASSERT_TRUE(made);
  const FileTime before_1970{-86400, 999999999};
  ASSERT_TRUE(set_mtime(made->file.fd(), before_1970));
  ASSERT_TRUE(set_mode(made->file.fd(), 06755));
  EXPECT_EQ(stat("file").mode, S_IFREG | 06755U);
  EXPECT_EQ(stat("file").mtime, before_1970);
  ASSERT_TRUE(make_node_at(fd_, "fifo", S_IFIFO | 0600, 0));
  ASSERT_TRUE(set_mode_at(fd_, "fifo", 0640));
  EXPECT_EQ(stat("fifo").mode, S_IFIFO | 0640U);
  const FileTime later{4000000000, 1};
  ASSERT_TRUE(set_mtime_at(fd_, "fifo", later));
  EXPECT_EQ(stat("fifo").mtime, later);
}

TEST_F(TargetFs, SymlinksAreNotFollowedByAnySetter) {
  const auto made = create_file_at(*io_, fd_, "file");
  ASSERT_TRUE(made);
  const SourceStat before = stat("file");
  ASSERT_TRUE(make_symlink_at(fd_, "link", "file"));
  ASSERT_TRUE(set_mtime_at(fd_, "link", {1000, 5}));
  EXPECT_EQ(stat("link").mtime, (FileTime{1000, 5}));
  const auto mode = set_mode_at(fd_, "link", 0777);
  ASSERT_FALSE(mode);
  EXPECT_EQ(mode.error().sys_errno, EOPNOTSUPP);
  EXPECT_FALSE(set_xattr_at(fd_, "link", "user.x", as_bytes("v")));  // symlinks take no user attributes
  if (::geteuid() == 0) {
    ASSERT_TRUE(set_owner_at(fd_, "link", 12, 34));
    EXPECT_EQ(stat("link").uid, 12U);
    EXPECT_EQ(stat("link").gid, 34U);
  }
  EXPECT_EQ(stat("file"), before);
}

TEST_F(TargetFs, SetsAndRemovesXattrs) {
  const auto made = create_file_at(*io_, fd_, "file");
  ASSERT_TRUE(made);
  if (!set_xattr(made->file.fd(), "user.one", as_bytes("1")))
    GTEST_SKIP() << "this file system has no user attributes";
  ASSERT_TRUE(set_xattr_at(fd_, "file", "user.two", as_bytes("22")));
  auto set = read_xattrs(made->file.fd());
  ASSERT_TRUE(set);
  ASSERT_EQ(set->items.size(), 2U);
  EXPECT_EQ(as_text(set->items[1].value), "22");
  EXPECT_TRUE(remove_xattr(made->file.fd(), "user.one"));
  EXPECT_TRUE(remove_xattr_at(fd_, "file", "user.two"));
  EXPECT_TRUE(remove_xattr(made->file.fd(), "user.one"));
  set = read_xattrs(made->file.fd());
  ASSERT_TRUE(set);
  EXPECT_TRUE(set->items.empty());
}

TEST_F(TargetFs, SetsOnlyTheInodeFlagsInTheMask) {
  const auto made = create_file_at(*io_, fd_, "file");
  ASSERT_TRUE(made);
  const int fd = made->file.fd();
  if (!set_inode_flags(fd, FS_NODUMP_FL, FS_NODUMP_FL)) GTEST_SKIP() << "this file system has no inode flags";
  const auto before = inode_flags(fd);
  ASSERT_TRUE(before);
  EXPECT_NE(*before & FS_NODUMP_FL, 0U);
  ASSERT_TRUE(set_inode_flags(fd, FS_NOATIME_FL, FS_NOATIME_FL));
  EXPECT_EQ(*inode_flags(fd), *before | FS_NOATIME_FL);
  ASSERT_TRUE(set_inode_flags(fd, 0, kInodeFlagsLate));
  EXPECT_EQ(*inode_flags(fd) & kInodeFlagsLate, 0U);
}

TEST_F(TargetFs, ReservedSpaceDoesNotChangeTheSize) {
  const auto made = create_file_at(*io_, fd_, "file");
  ASSERT_TRUE(made);
  ASSERT_TRUE(reserve_space(made->file.fd(), 1 << 20));
  EXPECT_EQ(stat("file").size, 0U);
  EXPECT_TRUE(sync_file_system(fd_));
}

}  // namespace
}  // namespace asl::io
