// What differs between two directories of snapshots of one domain.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/stop.h>
#include <asl/engine/tree.h>

namespace asl {

enum class Change : std::uint8_t {
  kAdded,
  kRemoved,
  kContent,   // a file's bytes, a symlink's target, a device's number; perhaps metadata too
  kMetadata,  // only owner, mode, times, attributes...
};

struct Difference {
  Change change = Change::kAdded;
  std::string path{};             // relative to the two places; "" for themselves
  const Entry* before = nullptr;  // null if added
  const Entry* after = nullptr;   // null if removed
};
// Called in tree order, directories before what they hold; everything in `difference` is valid during the
// call.
using DiffVisitor = std::function<Result<void>(const Difference& difference)>;

// A place in a snapshot: an entry of it (find_path). Both must outlive the call.
struct DiffSide {
  const Snapshot& snapshot;
  const Entry& entry;
};

struct DiffReport {
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t content = 0;
  std::uint64_t metadata = 0;
};

// Compares by reference: a subtree that is the same on both sides is not read. An entry that became another
// type is removed and added. Memory is one leaf a level and side. Errors: those of reading trees,
// kInterrupted, those of `visit`.
Result<DiffReport> diff(const Domain& domain, const DiffSide& before, const DiffSide& after,
                        const DiffVisitor& visit, const StopToken& stop = {});

// What differs between two entries of one type: "content", "target", "device", "mode", "owner", "group",
// "mtime", "xattrs", "links", "flags", "attributes". What follows from others (sizes, counts), names the
// inode (hard link ids), or cannot be set on a restored file (the birth time) is not compared.
std::vector<std::string_view> differing_fields(const Entry& before, const Entry& after);

}  // namespace asl
