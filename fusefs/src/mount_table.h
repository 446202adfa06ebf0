// What is mounted where, as the kernel says.
#pragma once

#include <optional>
#include <string>

#include <asl/engine/error.h>

namespace asl::fusefs {

inline constexpr const char* kFileSystemType = "fuse.asl";

struct MountEntry {
  std::string type;    // "ext4", "fuse.asl"
  std::string device;  // "0:52"
};

// The uppermost mount at exactly this directory (absolute, without links); nothing if there is none.
Result<std::optional<MountEntry>> find_mount(const std::string& directory);

// Absolute and without links, except that the last part is not looked at: a mount whose process is gone
// cannot be. kNotFound if there is no such parent.
Result<std::string> settled_path(const std::string& path);

}  // namespace asl::fusefs
