// Hard links of an archive: from "a further name of that member" to inodes with all their names.
#pragma once

#include <memory>
#include <string>

#include <asl/engine/io.h>
#include <asl/engine/stop.h>

#include "transfer/external_sorter.h"
#include "transfer/import_problems.h"

namespace asl {

// A link names the newest member of that path before it, as if the archive were unpacked: where a later
// member takes the path, the link keeps what was there. Links to links are followed. All sorting is on disk
// if need be.
class ImportLinks {
 public:
  // `members`: version keys and members, sorted. Links that lead nowhere are problems.
  static Result<ImportLinks> resolve(io::Io& io, const std::string& directory, const ExternalSorter& members,
                                     ImportProblems& problems, const StopToken& stop);

  // Path key -> member, of every name of every linked inode that the archive leaves behind.
  const ExternalSorter& entries() const { return *entries_; }

 private:
  ImportLinks(io::Io& io, std::string directory, ImportProblems& problems, const StopToken& stop);
  std::unique_ptr<ExternalSorter> make_sorter() const;
  Result<void> collect(const ExternalSorter& members);
  Result<void> follow(const ExternalSorter& members, bool last_round);
  Result<void> give_names();

  io::Io& io_;
  std::string directory_;
  ImportProblems& problems_;
  StopToken stop_;
  std::unique_ptr<ExternalSorter>
      links_;  // version key of what is linked to -> the link's own number and path
  std::unique_ptr<ExternalSorter> inodes_;  // number of the inode's member, then names
  std::unique_ptr<ExternalSorter> entries_;
};

}  // namespace asl
