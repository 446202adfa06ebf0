// Which parts of a source, or of a snapshot, a command leaves out (doc/man: --exclude and its relatives).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace asl {

struct FilterOptions {
  std::vector<std::string> patterns;  // --exclude, in the order given
  std::vector<std::string>
      pattern_files;  // --exclude-from: one pattern a line, '#' comments; after `patterns`
  // --exclude-if-present NAME[:HEADER]: a directory that holds a file NAME (starting with HEADER) is left
  // empty but for that file.
  std::vector<std::string> if_present;
  bool caches = false;  // --exclude-caches: the same for CACHEDIR.TAG with its signature
  std::optional<std::uint64_t> larger_than_bytes;  // --exclude-larger-than, for regular files
};

}  // namespace asl
