#include "directory_reply.h"

#include <algorithm>
#include <cstring>

namespace asl::fusefs {
namespace {

// Offsets are 0 for ".", 1 for "..", 2 + n for entry n, or for the entry with place n: a listing can be gone
// on with anywhere, and nothing is kept between two requests.
constexpr std::uint64_t kDotNames = 2;

Served& served(fuse_req_t request) {
  return *static_cast<Served*>(fuse_req_userdata(request));
}

// A reply that is being filled.
class Listing {
 public:
  Listing(fuse_req_t request, std::size_t size, bool plus)
      : request_(request),
        buffer_(memory()),
        size_(std::min<std::size_t>(size, kRequestBytesMax)),
        plus_(plus) {}

  // False if it does not fit. Without a node the kernel learns name, number and type.
  bool add(const char* name, const struct stat& status, std::uint64_t node, std::uint64_t next_offset) {
    const auto offset = static_cast<off_t>(next_offset);
    std::size_t needed = 0;
    if (plus_) {
      fuse_entry_param entry{};
      entry.ino = node;
      entry.attr = status;
      entry.attr_timeout = kForever;
      entry.entry_timeout = kForever;
      needed = fuse_add_direntry_plus(request_, buffer_ + used_, size_ - used_, name, &entry, offset);
    } else {
      needed = fuse_add_direntry(request_, buffer_ + used_, size_ - used_, name, &status, offset);
    }
    if (needed > size_ - used_) return false;
    used_ += needed;
    return true;
  }
  // ".." shows the number of the directory above.
  bool add_dots(std::uint64_t offset, std::uint64_t inode, std::uint64_t parent) {
    struct stat status{};
    status.st_mode = S_IFDIR;
    status.st_ino = inode;
    if (offset == 0 && !add(".", status, 0, 1)) return false;
    status.st_ino = parent;
    return offset > 1 || add("..", status, 0, kDotNames);
  }
  bool empty() const { return used_ == 0; }
  void send() { fuse_reply_buf(request_, buffer_, used_); }

 private:
  static char* memory() {
    thread_local std::vector<char> buffer(kRequestBytesMax);
    return buffer.data();
  }
  fuse_req_t request_;
  char* buffer_;
  std::size_t size_;
  bool plus_;
  std::size_t used_ = 0;
};

void reply_failure(fuse_req_t request, const Failure& failure) {
  if (!failure.words.empty()) served(request).log(failure.words);
  fuse_reply_err(request, failure.number);
}

void list(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t from, bool plus) {
  const auto offset = static_cast<std::uint64_t>(from);
  const Served& self = served(request);  // the request is gone once it is answered
  FileView& view = self.view;
  Listing listing(request, size, plus);
  if (offset < kDotNames) {
    const auto own = view.attributes(node);
    const auto parent = view.parent_inode(node);
    if (!own) return reply_failure(request, own.error());
    if (!parent) return reply_failure(request, parent.error());
    if (!listing.add_dots(offset, own->status.st_ino, *parent)) return listing.send();
  }
  const std::uint64_t first = std::max(offset, kDotNames) - kDotNames;
  if (!view.is_in_snapshot(node)) {
    const auto names = view.list_control(node);
    if (!names) return reply_failure(request, names.error());
    for (const ListedName& entry : *names) {
      if (entry.place < first) continue;
      struct stat status{};
      status.st_mode = entry.type;
      status.st_ino = entry.inode;
      if (!listing.add(entry.name.c_str(), status, 0, entry.place + 1 + kDotNames)) break;
    }
    return listing.send();
  }
  const auto done = view.list_tree(node, first, [&](const TreeItem& item) {
    return listing.add(item.name.data(), *item.status, item.node, item.index + 1 + kDotNames);
  });
  // What could be read comes first; the failure is met again, at its own offset.
  if (!done && listing.empty()) return reply_failure(request, done.error());
  const bool at_end = done && listing.empty();
  listing.send();
  if (at_end && self.neighbours != nullptr) self.neighbours->directory_listed(node);
}

}  // namespace

fuse_entry_param entry_of(const NodeAnswer& answer) {
  fuse_entry_param entry{};
  entry.ino = answer.node;
  entry.attr = answer.status;
  entry.attr_timeout = answer.attribute_seconds;
  entry.entry_timeout = answer.entry_seconds;
  return entry;
}

// The kernel opens directories by itself from the first refusal on, and keeps all listings.
void open_directory(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  if (served(request).kernel_opens_directories) {
    fuse_reply_err(request, ENOSYS);
    return;
  }
  info->cache_readdir = 1;
  info->keep_cache = 1;
  fuse_reply_open(request, info);
}

void close_directory(fuse_req_t request, fuse_ino_t, fuse_file_info*) {
  fuse_reply_err(request, 0);
}

void read_directory(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info*) {
  list(request, node, size, offset, false);
}

void read_directory_plus(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                         fuse_file_info*) {
  list(request, node, size, offset, true);
}

}  // namespace asl::fusefs
