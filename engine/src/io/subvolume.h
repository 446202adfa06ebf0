// btrfs subvolumes and snapshots, through libbtrfsutil.
//
// Free functions over open directories, safe from any thread. Errors carry the errno of the system call that
// failed and the name that was asked for.
#pragma once

#include <string>

#include <asl/engine/error.h>

namespace asl::io {

// False for everything that is not the top of a btrfs subvolume, on other file systems too.
Result<bool> is_subvolume(int directory_fd);
// Whether the directory lies on btrfs.
Result<bool> is_on_btrfs(int directory_fd);

// A read-only snapshot of the subvolume, as entry `name` of the directory `parent_fd` on the same file
// system. It holds everything written before the call, synced or not, and is durable on return (the kernel
// commits its transaction). Subvolumes inside are empty directories in it. EEXIST if the name is taken.
Result<void> snapshot_subvolume(int subvolume_fd, int parent_fd, const std::string& name);
// Removes a snapshot or subvolume. Its space comes back some time later. If the machine goes down right after
// it, the entry may be there again.
Result<void> remove_subvolume(int parent_fd, const std::string& name);

}  // namespace asl::io
