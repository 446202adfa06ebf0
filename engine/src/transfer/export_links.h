// Which entries of a subtree are further names of an inode met before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <asl/engine/domain.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/stop.h>

#include "transfer/external_sorter.h"

namespace asl {

// Made by a first walk over the trees alone; what it finds is sorted on disk if need be, since an archive of
// hard-linked trees has as many links as files. Read in walk order, beside a second walk.
class ExportLinks {
 public:
  // Parts that cannot be read are passed over: the second walk reports them.
  static Result<ExportLinks> find(const Domain& domain, const Snapshot& snapshot, const std::string& path,
                                  const StopToken& stop);

  // The path of the first name, if the entry number `position` of the walk (from 0) is a further one.
  // Positions must be asked in ascending order.
  Result<std::optional<std::string>> first_name(std::uint64_t position);

 private:
  explicit ExportLinks(std::unique_ptr<ExternalSorter> further);
  Result<void> advance();

  std::unique_ptr<ExternalSorter> further_;  // position -> path of the first name
  ExternalSorter::Reader reader_;
  std::optional<std::uint64_t> next_;
};

}  // namespace asl
