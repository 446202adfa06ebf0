// A disk that is dying, for tests: a file system with one file, `disk`, which shows the bytes of another file
// and answers EIO to every read that touches a bad range.
//
//   bad_disk_fs BACKING OFFSET+LENGTH,... MOUNTPOINT [libfuse options]
//
// Read directly it is a file with bad sectors; with a loop device over it, a disk.
#define FUSE_USE_VERSION 31
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fuse.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr const char* kName = "/disk";

struct Range {
  off_t begin;
  off_t end;
};

struct Disk {
  int fd = -1;
  off_t size = 0;
  std::vector<Range> bad;
};
Disk disk;

// "4096+512,81920+4096"; false if it is of another form.
bool take_ranges(const char* text) {
  while (*text != '\0') {
    char* next = nullptr;
    const long long begin = std::strtoll(text, &next, 10);
    if (next == text || *next != '+') return false;
    text = next + 1;
    const long long length = std::strtoll(text, &next, 10);
    if (next == text || (*next != ',' && *next != '\0')) return false;
    disk.bad.push_back({begin, begin + length});
    text = *next == ',' ? next + 1 : next;
  }
  return true;
}

int get_attributes(const char* path, struct stat* status, fuse_file_info*) {
  *status = {};
  if (std::strcmp(path, "/") == 0) {
    status->st_mode = S_IFDIR | 0755;
    status->st_nlink = 2;
    return 0;
  }
  if (std::strcmp(path, kName) != 0) return -ENOENT;
  status->st_mode = S_IFREG | 0444;
  status->st_nlink = 1;
  status->st_size = disk.size;
  status->st_blksize = 4096;
  status->st_blocks = disk.size / 512;
  return 0;
}

int list(const char*, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*, fuse_readdir_flags) {
  fill(buffer, kName + 1, nullptr, 0, static_cast<fuse_fill_dir_flags>(0));
  return 0;
}

int open_disk(const char* path, fuse_file_info* info) {
  if (std::strcmp(path, kName) != 0) return -ENOENT;
  if ((info->flags & O_ACCMODE) != O_RDONLY) return -EROFS;
  // Every read comes here as it was asked: no page cache that reads ahead into a bad range.
  info->direct_io = 1;
  return 0;
}

int read_disk(const char*, char* into, size_t size, off_t offset, fuse_file_info*) {
  const off_t end = offset + static_cast<off_t>(size);
  for (const Range& bad : disk.bad) {
    if (offset < bad.end && end > bad.begin) return -EIO;
  }
  const ssize_t got = pread(disk.fd, into, size, offset);
  return got < 0 ? -errno : static_cast<int>(got);
}

}  // namespace

int main(int argc, char** argv) {
  struct stat status = {};
  if (argc < 4 || !take_ranges(argv[2])) {
    std::fputs("usage: bad_disk_fs BACKING OFFSET+LENGTH,... MOUNTPOINT [OPTION...]\n", stderr);
    return 2;
  }
  disk.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
  if (disk.fd < 0 || fstat(disk.fd, &status) != 0) {
    std::perror(argv[1]);
    return 1;
  }
  disk.size = status.st_size;
  fuse_operations operations = {};
  operations.getattr = get_attributes;
  operations.readdir = list;
  operations.open = open_disk;
  operations.read = read_disk;
  argv[2] = argv[0];  // what is left is libfuse's: program, mount point, options
  return fuse_main(argc - 2, argv + 2, &operations, nullptr);
}
