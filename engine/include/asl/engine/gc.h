// Garbage collection: giving back the space of what nothing needs any more (doc/gc.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/progress.h>
#include <asl/engine/snapshot_pins.h>
#include <asl/engine/stop.h>

namespace asl {

// A block of which less than this is live is written anew without the rest.
inline constexpr unsigned kGcRepackBelowPercent = 50;
// Blocks shorter than this are joined once there are more than kGcSmallBlocksMax of them.
inline constexpr std::uint64_t kGcSmallBlockBytes = 16ULL << 20;
inline constexpr std::size_t kGcSmallBlocksMax = 8;

struct GcOptions {
  bool dry_run = false;  // says what would be done, takes no lock and changes nothing
  unsigned repack_below_percent = kGcRepackBelowPercent;
};

// Why something is kept.
enum class GcRootKind : std::uint8_t {
  kSnapshot,     // not forgotten
  kPublication,  // a publication, or what authority, execution and state records of the log name
  kAuthority,    // an artifact of an authority kind
  kPinned,       // set by `put`
  kFixed,        // made by a program run
};
std::string_view gc_root_kind_name(GcRootKind kind);

// Roots are looked at in this order, and each counts what the ones before it do not keep already.
struct GcRoot {
  GcRootKind kind = GcRootKind::kSnapshot;
  std::uint64_t snapshot_id = 0;  // of a snapshot
  std::string label{};
  std::uint64_t artifacts = 0;
  std::uint64_t bytes = 0;  // of these artifacts; extents that they share are counted again
};

struct GcReport {
  std::vector<GcRoot> kept;  // one for each snapshot, and one for each other kind that keeps something
  std::uint64_t records_live = 0;
  // Needed by nobody, or by another copy of the artifact than this. They go when their segment is written
  // anew: for a block's sake, or once they are an eighth of it.
  std::uint64_t records_dead = 0;
  std::uint64_t artifacts_dropped = 0;
  std::uint64_t blocks = 0;           // before
  std::uint64_t blocks_removed = 0;   // nothing in them was live
  std::uint64_t blocks_repacked = 0;  // what was live in them was moved
  std::uint64_t blocks_written = 0;   // by moving
  std::uint64_t bytes_before = 0;     // of all blocks' files
  std::uint64_t bytes_after = 0;
  std::uint64_t bytes_moved = 0;
  std::uint64_t segments_rewritten = 0;
  // What snapshots of the file system hold back: space that is freed comes back only when they go.
  PinReport pins;
  std::vector<std::string> pins_removed;  // their snapshots were forgotten
  // Extents that could not be moved because they are damaged; their blocks stay as they are.
  std::vector<Error> damage;
  std::vector<std::string> notices;
  double seconds = 0;
};

// Marks what is needed, drops the rest and commits; what the log has let go of is then removed. A crash at
// any moment leaves the store as before or as after.
//
// Nothing is dropped unless every live segment and every tree that is reached was read and verified in this
// run: kIntegrity, naming what is damaged, otherwise. kInterrupted, and the errors of StoreWriter::open.
Result<GcReport> collect_garbage(Domain& domain, const GcOptions& options, ProgressCounters& progress,
                                 const StopToken& stop);

}  // namespace asl
