// Finding extents in ordinary files: the originals, a restored directory, a mounted snapshot, a disk or its
// image.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/stop.h>

#include "maintain/block_rebuilder.h"
#include "maintain/repair_sources.h"

namespace asl {

// What is found goes to `sources`. One thread. Nothing is followed out of a place by its names: paths in
// snapshots hold no "..", and only regular files (and the places themselves) are opened.
class FileFinder {
 public:
  FileFinder(io::Io& io, const Domain& domain, RepairSources& sources, const StopToken& stop)
      : io_(io), domain_(domain), sources_(sources), stop_(stop) {}

  // Wanted extents of which no place is known yet, where the snapshots say that they were: every file that
  // holds one is looked for in the places, and read at the extent's offset.
  Result<void> look_by_path(const NamedExtents& named);
  // Cuts and hashes every file of the places, until all that is wanted is found.
  Result<void> look_everywhere(DigestSet wanted);

  // Files that might be the one at `path` of a snapshot.
  std::vector<std::string> candidates(const Snapshot& snapshot, const std::string& path) const;

 private:
  struct Wanted {
    Digest digest;
    std::uint64_t offset;  // in the content
    std::uint32_t length;
  };
  using WantedOf = std::unordered_map<Reference, std::vector<Wanted>, ReferenceHash>;

  Result<void> look_in_snapshot(const Snapshot& snapshot, const WantedOf& wanted);
  void look_at(const Snapshot& snapshot, const std::string& path, const Wanted& wanted, std::uint64_t shift);
  Result<void> search_file(const std::string& path, DigestSet& wanted);

  io::Io& io_;
  const Domain& domain_;
  RepairSources& sources_;
  const StopToken stop_;
};

}  // namespace asl
