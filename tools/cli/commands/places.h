// "ID" and "ID:PATH" on the command line.
#pragma once

#include <string>

#include <asl/engine/domain.h>
#include <asl/engine/tree_walk.h>

#include "parse.h"

namespace asl::cli {

// A place inside a snapshot that was found.
struct Place {
  Snapshot snapshot;
  std::string path;  // "" or "a/b"
  Entry entry;
};

// kNotFound if there is no such snapshot or nothing at that path.
Result<Place> find_place(const Domain& domain, const std::string& text);
// The one that the positional "ID[:PATH]" names; "latest" without it.
Result<Place> find_place(const Domain& domain, const ParsedOptions& options);

// "a/b" below "" is "a/b", "c" below "a/b" is "a/b/c".
std::string join_path(const std::string& above, const std::string& below);
// The last part of a path.
std::string base_name(const std::string& path);

}  // namespace asl::cli
