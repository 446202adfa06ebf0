// Stable names for the devices that a source spans, for hard-link ids.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace asl {

// A device number means nothing on another day or machine; the path at which a snapshot first enters the
// device does. Directories are scanned in parallel, so "first" cannot be what happened to be scanned first:
// paths known from the mount table are entered before the scan. Thread-safe.
class DevicePaths {
 public:
  // `source` as an absolute real path. Reads /proc/self/mountinfo; without it only the scan's own finds
  // count.
  void add_mounts_below(const std::string& source, const std::string& prefix_in_snapshot);
  // The device of the entry at `path` in the snapshot, where the scan enters it. Keeps the path that comes
  // first in tree order.
  void enter(std::uint64_t device, const std::string& path);
  // The id of inode `inode` on `device` (tree.h).
  std::uint64_t link_id(std::uint64_t device, std::uint64_t inode) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::string> first_path_;
};

// Tree order: component by component, as bytes.
bool before_in_tree_order(const std::string& a, const std::string& b);

}  // namespace asl
