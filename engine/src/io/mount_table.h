// What is mounted where: the kernel's table (proc(5), /proc/PID/mountinfo).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/error.h>

namespace asl::io {

struct Mount {
  std::uint64_t device = 0;   // as st_dev
  std::string root;           // which directory of the file system is mounted: "/" unless it is a bind mount
  std::string point;          // where
  std::string type;           // "ext4", "zfs", "fuse.zfs", ...
  std::string source;         // what the file system calls its source; for ZFS the data set
  std::string super_options;  // of the file system, comma separated
};

// Lines that are not of the documented form are kMalformed.
Result<std::vector<Mount>> parse_mount_table(std::string_view text);
// Those of this process.
Result<std::vector<Mount>> read_mount_table();

// Absolute, without symlinks.
Result<std::string> real_path(const std::string& path);

}  // namespace asl::io
