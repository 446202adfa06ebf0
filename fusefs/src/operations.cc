#include "operations.h"

#include <algorithm>
#include <cstring>
#include <linux/fs.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <vector>

#include "directory_reply.h"

namespace asl::fusefs {
namespace {

// As many reads ahead as a fast disk can use; the kernel's own 12 starve it.
constexpr unsigned kBackgroundRequestsMax = 64;
constexpr std::string_view kTrustedPrefix = "trusted.";

Served& served(fuse_req_t request) {
  return *static_cast<Served*>(fuse_req_userdata(request));
}

void reply_failure(fuse_req_t request, const Failure& failure) {
  if (!failure.words.empty()) served(request).log(failure.words);
  fuse_reply_err(request, failure.number);
}

void init(void* user_data, fuse_conn_info* connection) {
  auto& self = *static_cast<Served*>(user_data);
  self.kernel_opens_directories = (connection->capable & FUSE_CAP_NO_OPENDIR_SUPPORT) != 0;
  self.kernel_opens_files = (connection->capable & FUSE_CAP_NO_OPEN_SUPPORT) != 0;
  const auto want = [&](unsigned capability, bool wanted) {
    if (wanted && (connection->capable & capability) != 0)
      connection->want |= capability;
    else
      connection->want &= ~capability;
  };
  want(FUSE_CAP_POSIX_ACL, true);
  want(FUSE_CAP_CACHE_SYMLINKS, true);
  want(FUSE_CAP_READDIRPLUS, true);
  // Left to choose, the kernel takes bare names of a long listing, and then asks for one after the other.
  want(FUSE_CAP_READDIRPLUS_AUTO, false);
  // What the kernel keeps of a file or a listing goes when the time of change moves, as it does around the
  // snapshots. Below them attributes are kept for ever, so that it never asks.
  want(FUSE_CAP_AUTO_INVAL_DATA, true);
  want(FUSE_CAP_SPLICE_READ, false);
  connection->max_write = kRequestBytesMax;
  connection->max_read = kRequestBytesMax;
  connection->max_background = kBackgroundRequestsMax;
  connection->congestion_threshold = kBackgroundRequestsMax * 3 / 4;
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  const auto found = served(request).view.lookup(parent, name);
  if (!found) return reply_failure(request, found.error());
  const fuse_entry_param entry = entry_of(*found);
  // Interrupted: the kernel does not count this look-up, and will not forget it.
  if (fuse_reply_entry(request, &entry) == -ENOENT && found->node != 0)
    served(request).view.forget(found->node, 1);
}

void forget(fuse_req_t request, fuse_ino_t node, std::uint64_t lookups) {
  served(request).view.forget(node, lookups);
  fuse_reply_none(request);
}

void forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* forgets) {
  for (std::size_t k = 0; k < count; ++k) served(request).view.forget(forgets[k].ino, forgets[k].nlookup);
  fuse_reply_none(request);
}

void getattr(fuse_req_t request, fuse_ino_t node, fuse_file_info*) {
  const auto found = served(request).view.attributes(node);
  if (!found) return reply_failure(request, found.error());
  fuse_reply_attr(request, &found->status, found->seconds);
}

void readlink(fuse_req_t request, fuse_ino_t node) {
  const auto target = served(request).view.link_target(node);
  if (!target) return reply_failure(request, target.error());
  fuse_reply_readlink(request, target->c_str());
}

// The kernel opens and closes files by itself from the first refusal on, keeps their pages, and asks with the
// node: a program that reads ten thousand files saves twenty thousand requests.
void open(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  if ((info->flags & O_ACCMODE) != O_RDONLY) {
    fuse_reply_err(request, EROFS);
  } else if (served(request).kernel_opens_files) {
    fuse_reply_err(request, ENOSYS);
  } else {
    info->keep_cache = 1;
    info->noflush = 1;
    fuse_reply_open(request, info);
  }
}

void release(fuse_req_t request, fuse_ino_t, fuse_file_info*) {
  fuse_reply_err(request, 0);
}

void read(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info*) {
  // Working memory of this thread: it serves one request at a time.
  thread_local AlignedBuffer scratch(kRequestBytesMax);
  thread_local std::vector<Artifact::Piece> pieces;
  thread_local std::vector<iovec> vectors;
  Served& self = served(request);
  const auto file = self.view.content(node);
  if (!file) return reply_failure(request, file.error());
  if (self.read_ahead != nullptr) self.read_ahead->file_read(*file, static_cast<std::uint64_t>(offset), size);
  pieces.clear();
  const auto got = (*file)->read(static_cast<std::uint64_t>(offset),
                                 scratch.span().first(std::min<std::size_t>(size, kRequestBytesMax)), pieces);
  if (!got) return reply_failure(request, got.error());
  vectors.clear();
  for (const Artifact::Piece& piece : pieces)
    vectors.push_back({const_cast<std::byte*>(piece.bytes.data()), piece.bytes.size()});
  fuse_reply_iov(request, vectors.data(), static_cast<int>(vectors.size()));
  pieces.clear();  // lets go of what they hold in memory
  if (offset == 0 && self.neighbours != nullptr && self.view.is_in_snapshot(node))
    self.neighbours->file_read(node);
}

void lseek(fuse_req_t request, fuse_ino_t node, off_t offset, int whence, fuse_file_info*) {
  if (offset < 0 || (whence != SEEK_DATA && whence != SEEK_HOLE)) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  const auto file = served(request).view.content(node);
  if (!file) return reply_failure(request, file.error());
  const auto from = static_cast<std::uint64_t>(offset);
  const auto found = whence == SEEK_DATA ? (*file)->seek_data(from) : (*file)->seek_hole(from);
  if (!found) return reply_failure(request, found.error());
  fuse_reply_lseek(request, static_cast<off_t>(*found));
}

void reply_value(fuse_req_t request, ByteSpan value, std::size_t size) {
  if (size == 0)
    fuse_reply_xattr(request, value.size());
  else if (value.size() > size)
    fuse_reply_err(request, ERANGE);
  else
    fuse_reply_buf(request, reinterpret_cast<const char*>(value.data()), value.size());
}

void getxattr(fuse_req_t request, fuse_ino_t node, const char* name, std::size_t size) {
  const auto value = served(request).view.xattr(node, name);
  if (!value) return reply_failure(request, value.error());
  reply_value(request, *value, size);
}

// As other file systems do: who may not read trusted attributes does not see them listed.
std::string without_trusted(const std::string& names) {
  std::string rest;
  for (std::size_t at = 0; at < names.size();) {
    const std::string_view name = names.c_str() + at;
    if (!name.starts_with(kTrustedPrefix)) rest.append(name.data(), name.size() + 1);
    at += name.size() + 1;
  }
  return rest;
}

void listxattr(fuse_req_t request, fuse_ino_t node, std::size_t size) {
  auto names = served(request).view.xattr_names(node);
  if (!names) return reply_failure(request, names.error());
  if (fuse_req_ctx(request)->uid != 0) *names = without_trusted(*names);
  reply_value(request, as_bytes(*names), size);
}

void statfs(fuse_req_t request, fuse_ino_t) {
  const auto facts = served(request).view.file_system();
  if (!facts) return reply_failure(request, facts.error());
  fuse_reply_statfs(request, &*facts);
}

void ioctl(fuse_req_t request, fuse_ino_t node, unsigned command, void*, fuse_file_info*, unsigned,
           const void*, std::size_t, std::size_t out_size) {
  if (command != FS_IOC_GETFLAGS || out_size < sizeof(std::uint32_t)) {
    fuse_reply_err(request, ENOTTY);
    return;
  }
  const auto flags = served(request).view.inode_flags(node);
  if (!flags) return reply_failure(request, flags.error());
  std::array<std::byte, sizeof(long)> answer{};
  store_le(answer.data(), *flags);
  fuse_reply_ioctl(request, 0, answer.data(), std::min(out_size, answer.size()));
}

// Where the mount itself does not say so already (it may have been remounted).
template <typename... Arguments>
void refuse_change(fuse_req_t request, Arguments...) {
  fuse_reply_err(request, EROFS);
}

fuse_lowlevel_ops make_operations() {
  fuse_lowlevel_ops made{};
  made.init = init;
  made.lookup = lookup;
  made.forget = forget;
  made.forget_multi = forget_multi;
  made.getattr = getattr;
  made.readlink = readlink;
  made.open = open;
  made.release = release;
  made.read = read;
  made.lseek = lseek;
  made.opendir = open_directory;
  made.readdir = read_directory;
  made.readdirplus = read_directory_plus;
  made.releasedir = close_directory;
  made.getxattr = getxattr;
  made.listxattr = listxattr;
  made.statfs = statfs;
  made.ioctl = ioctl;
  made.setattr = refuse_change;
  made.mknod = refuse_change;
  made.mkdir = refuse_change;
  made.unlink = refuse_change;
  made.rmdir = refuse_change;
  made.symlink = refuse_change;
  made.rename = refuse_change;
  made.link = refuse_change;
  made.write = refuse_change;
  made.setxattr = refuse_change;
  made.removexattr = refuse_change;
  made.create = refuse_change;
  made.fallocate = refuse_change;
  made.copy_file_range = refuse_change;
  return made;
}

}  // namespace

const fuse_lowlevel_ops& operations() {
  static const fuse_lowlevel_ops made = make_operations();
  return made;
}

}  // namespace asl::fusefs
