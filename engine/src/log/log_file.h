// Where the files of a domain's log lie. Nothing else knows their names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <asl/engine/error.h>
#include <asl/engine/io.h>

namespace asl {

// More torn-* than this at one logseq means that something else is wrong with this machine.
inline constexpr unsigned kTornCopiesMax = 1000;

// <domain>/log/: log-<first logseq, 16 digits>.aol, head, torn-<logseq>. A value; thread-safe.
class LogFiles {
 public:
  explicit LogFiles(const std::string& domain_directory)
      : domain_directory_(domain_directory), directory_(domain_directory + "/log") {}

  const std::string& domain_directory() const { return domain_directory_; }
  const std::string& directory() const { return directory_; }
  std::string file_path(std::uint64_t first_logseq) const;
  std::string head_path() const { return directory_ + "/head"; }
  // `copy` is 1, or more, up to kTornCopiesMax, where earlier tails were cut at the same logseq (-2, -3,
  // ...).
  std::string torn_path(std::uint64_t logseq, unsigned copy) const;

  // First logseqs of the files there are, ascending. Names of any other form are not log files. A log
  // directory that is missing is kNotFound.
  Result<std::vector<std::uint64_t>> list(io::Io& io) const;

 private:
  std::string domain_directory_;
  std::string directory_;
};

}  // namespace asl
