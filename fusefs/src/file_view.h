// The whole view as a file system asks for it: nodes, names, attributes, contents. Knows nothing of libfuse.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/statvfs.h>
#include <vector>

#include <asl/engine/io.h>

#include "control_tree.h"
#include "domain_set.h"
#include "failure.h"
#include "node_id.h"
#include "open_file.h"
#include "open_files.h"
#include "tree_cache.h"

namespace asl::fusefs {

// A whole snapshot, or a directory of one, in place of everything.
struct OnlyPlace {
  std::string domain;    // as DomainSet::by_name; empty: the only one there is
  std::string snapshot;  // "7", "latest", "label", "7:/path"
};

struct FileViewOptions {
  std::string directory;  // a host root or a domain's directory
  std::optional<OnlyPlace> only;
  DomainOptions domain;
  BadRanges bad_ranges = BadRanges::kError;
  std::size_t tree_cache_bytes = 64 << 20;
  std::size_t open_files_bytes = 8 << 20;
  std::function<void(const std::string&)> log;
};

// One entry of a directory of a snapshot, as it is handed on. Valid during the call.
struct TreeItem {
  std::uint64_t index = 0;  // in the directory
  std::string_view name;
  std::uint64_t node = 0;
  const struct stat* status = nullptr;
};
// Returns false to stop.
using TreeVisitor = std::function<bool(const TreeItem& item)>;

// Thread-safe. Node ids are those of node_id.h; kRoot is the mount's root, whatever that shows.
class FileView {
 public:
  static constexpr std::uint64_t kRoot = ControlTree::kRoot;

  // Opens the store for reading. `io` must outlive the object.
  static Result<std::unique_ptr<FileView>> open(io::Io& io, FileViewOptions options);

  Reply<NodeAnswer> lookup(std::uint64_t parent, std::string_view name);
  void forget(std::uint64_t node, std::uint64_t lookups);
  struct Attributes {
    struct stat status{};
    double seconds = 0;
  };
  Reply<Attributes> attributes(std::uint64_t node);
  Reply<std::string> link_target(std::uint64_t node);
  // Names with a NUL each.
  Reply<std::string> xattr_names(std::uint64_t node);
  Reply<Bytes> xattr(std::uint64_t node, std::string_view name);
  // FS_IOC_GETFLAGS, as the source had them.
  Reply<std::uint32_t> inode_flags(std::uint64_t node);
  // The content of a regular file. Of a snapshot's and of blobs', what was opened last is held.
  Reply<std::shared_ptr<const OpenFile>> content(std::uint64_t node);
  // The same, not held.
  Reply<std::shared_ptr<const OpenFile>> open_content(std::uint64_t node);
  // The log has grown: what is held may have moved, or be withdrawn.
  void drop_contents() { open_files_.clear(); }

  Result<struct statvfs> file_system() const;

  // Whether a directory is one of a snapshot, whose content never changes.
  bool is_in_snapshot(std::uint64_t node) const;
  // Entries of a control directory.
  Reply<std::vector<ListedName>> list_control(std::uint64_t directory);
  // Where an entry of a snapshot stands; ENOENT for the root.
  struct PlaceInDirectory {
    std::uint64_t directory = 0;  // node
    std::uint64_t index = 0;      // in it
  };
  Reply<PlaceInDirectory> place_in_directory(std::uint64_t node);
  // st_ino of the directory that holds this one; of the mount's root, its own.
  Reply<std::uint64_t> parent_inode(std::uint64_t directory);
  // Entries of a directory of a snapshot, from number `index` on.
  Reply<void> list_tree(std::uint64_t directory, std::uint64_t index, const TreeVisitor& visit);

  // For telling the kernel of newer commits.
  DomainSet& domains() { return *domains_; }
  bool shows_everything() const { return !only_; }

 private:
  struct Located {
    DomainView* domain = nullptr;
    std::shared_ptr<const SnapshotTree> tree;
    TreePlace place;
  };
  explicit FileView(FileViewOptions options)
      : options_(std::move(options)),
        cache_(options_.tree_cache_bytes),
        open_files_(options_.open_files_bytes) {}
  Result<void> settle_root();
  // Node 1 stands for the place that is the root, if there is one.
  std::uint64_t resolved(std::uint64_t node) const {
    return node == kRoot && only_ ? only_->node_id() : node;
  }
  static bool is_control(std::uint64_t node) { return node == kRoot || (node & kControlBit) != 0; }
  Reply<Located> locate(std::uint64_t node);
  Reply<Entry> entry_of(const Located& at);
  std::uint64_t inode_of(const Located& at, std::uint32_t position, const Entry& entry) const;

  const FileViewOptions options_;
  TreeCache cache_;
  OpenFiles open_files_;
  std::unique_ptr<DomainSet> domains_;
  std::unique_ptr<ControlTree> control_;
  std::optional<TreePlace> only_;
};

}  // namespace asl::fusefs
