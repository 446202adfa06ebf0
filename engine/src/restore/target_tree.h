// The directories of a restore's target: reached component by component from the target itself, so that a
// symlink in it never leads out of it; made when first needed; given their metadata when all below is done.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/io.h>
#include <asl/engine/tree.h>

#include "restore/metadata.h"
#include "restore/restore_run.h"

namespace asl {

// Nothing can be reached by a path of PATH_MAX that is nested deeper, and each level costs stack. Whoever
// makes children keeps to it.
inline constexpr std::uint32_t kTargetDepthMax = 4096;
// Directory handles kept open beside those in use.
inline constexpr std::size_t kOpenDirectoriesMax = 256;

// An open directory; shared, so that it closes when its last user is done.
using DirectoryHandle = std::shared_ptr<const io::File>;

struct TargetDirectory {
  std::shared_ptr<TargetDirectory> parent;  // null: the target itself
  std::string name;                         // empty: the target itself
  std::optional<Entry> entry;               // metadata to set; none where the snapshot has none for it
  std::uint32_t depth = 0;
  std::atomic<std::uint32_t> pending{1};  // the scan, its files and its directories that are not done yet

  std::mutex mutex;  // guards what follows
  enum class State : std::uint8_t { kUnknown, kReady, kFailed } state = State::kUnknown;
  bool existed = false;  // before this restore
  std::weak_ptr<const io::File> handle;
  std::optional<FreshOwner> fresh_owner;  // what a new file in it gets, once one was looked at
};

// Relative to the target; "" for itself.
std::string path_of(const TargetDirectory& directory);
std::string path_of(const TargetDirectory& directory, std::string_view name);

// Thread-safe.
class TargetTree {
 public:
  enum class Access : std::uint8_t { kLook, kChange };

  TargetTree(RestoreRun& run, const MetadataSetter& metadata, Access access);

  // Opens the target; with kChange it is made if missing, with its parents. kRefused if it lies in the store.
  Result<void> open_target(const std::string& path);
  bool target_exists() const { return target_ != nullptr; }
  // Its metadata will be that of `entry`, if given.
  std::shared_ptr<TargetDirectory> root(std::optional<Entry> entry);
  // Counts as pending in `parent` until it is released itself.
  std::shared_ptr<TargetDirectory> child(const std::shared_ptr<TargetDirectory>& parent, const Entry& entry);

  // A handle on the directory, which is made (with those above it) if it is not there. Null if that failed,
  // which is then a problem already reported; with Access::kLook null if it is not there.
  DirectoryHandle open(TargetDirectory& directory);
  // Whether it was there before; to be asked after a successful open.
  bool existed(TargetDirectory& directory);

  // A file or directory was added to what is pending, or is done. The last release sets the metadata.
  void hold(TargetDirectory& directory) { directory.pending.fetch_add(1, std::memory_order_relaxed); }
  void release(const std::shared_ptr<TargetDirectory>& directory);

  // The owner a file just made in `directory` has, asked of the kernel once.
  FreshOwner fresh_owner(TargetDirectory& directory, int file_fd);

  // True for the store's own directories, which are never removed or written to.
  bool is_protected(std::uint64_t device, std::uint64_t inode) const;
  // All file systems that were written to.
  Result<void> sync();

 private:
  DirectoryHandle open_locked(TargetDirectory& directory);
  Result<void> make_or_adopt(const io::File& parent, TargetDirectory& directory);
  Result<DirectoryHandle> open_existing(const io::File& parent, TargetDirectory& directory);
  Result<void> adopt(const io::File& handle, TargetDirectory& directory);
  void keep_open(DirectoryHandle handle);
  void finish(TargetDirectory& directory);
  Result<void> check_outside_store() const;
  void note_protected();

  RestoreRun& run_;
  const MetadataSetter& metadata_;
  const Access access_;
  bool target_existed_ = false;
  DirectoryHandle target_;

  struct Inode {
    std::uint64_t device;
    std::uint64_t inode;
    bool operator==(const Inode&) const = default;
  };
  std::vector<Inode> protected_;

  std::mutex cache_mutex_;
  std::array<DirectoryHandle, kOpenDirectoriesMax> recent_;  // a ring
  std::size_t next_recent_ = 0;

  std::mutex file_systems_mutex_;
  struct FileSystem {
    std::uint64_t device;
    DirectoryHandle handle;
  };
  std::vector<FileSystem> file_systems_;  // as many as are mounted below the target
};

}  // namespace asl
