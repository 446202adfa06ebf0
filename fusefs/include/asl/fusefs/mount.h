// Showing a store as a read-only file system, and taking it away (doc/fuse.md).
#pragma once

#include <string>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/error.h>

namespace asl::fusefs {

struct MountOptions {
  std::string mount_point;  // an empty directory
  std::string store;        // a host root, or the directory of one domain
  // Read from segments and bloom files alone, and write nothing anywhere.
  bool media = false;
  // One snapshot, or a directory of one, instead of everything: "7", "latest", "label", "7:/path".
  std::string only;
  std::string domain;  // whose; empty if there is one
  VerifyReads verify = VerifyReads::kOnce;
  bool foreground = false;
  std::vector<std::string> options;  // of -o; commas within are understood
  // Where the process in the background writes what went wrong; empty: to the system's log.
  std::string log_file;
};

// In the background: returns once the mount answers, or once it is clear that it cannot; another process
// serves it from then on, until it is unmounted or gets SIGTERM. In the foreground: returns after the
// unmount.
//
// To be called while the process has one thread. Errors: kUsage for a mount point or option that will not do,
// kNotFound for a missing store, mount point or snapshot, kLocked where something is mounted already,
// kUnsupported without FUSE, kIo where the system does not permit it.
Result<void> mount(const MountOptions& options);

// Takes the mount at `mount_point` away, also where the process that served it is gone. kNotFound if nothing
// of ours is mounted there, kLocked while files on it are open.
Result<void> unmount(const std::string& mount_point);

}  // namespace asl::fusefs
