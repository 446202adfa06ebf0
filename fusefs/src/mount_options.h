// What may stand after -o.
#pragma once

#include <string>
#include <vector>

#include <asl/engine/error.h>

#include "open_file.h"

namespace asl::fusefs {

struct ParsedMountOptions {
  std::vector<std::string> kernel;  // for libfuse and the kernel, with what is always there
  BadRanges bad_ranges = BadRanges::kError;
};

// `given` are the arguments of -o, each with one or more options and commas between. kUsage for one that is
// not known. The mount is read-only, nodev and nosuid unless `dev` or `suid` are given, checks access in the
// kernel, and is open to everybody where root mounts it.
Result<ParsedMountOptions> parse_mount_options(const std::vector<std::string>& given, bool is_root);

}  // namespace asl::fusefs
