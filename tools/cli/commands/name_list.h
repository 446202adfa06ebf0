// Files that list names, one a line (--files-from).
#pragma once

#include <string>
#include <vector>

#include <asl/engine/error.h>

namespace asl::cli {

// The lines of the file, or of standard input for "-"; empty lines are skipped. Lines end with LF, or with
// NUL if the list holds one (find -print0).
Result<std::vector<std::string>> read_name_list(const std::string& path);

}  // namespace asl::cli
