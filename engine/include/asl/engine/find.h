// Finding entries in snapshots by name, content, size, type or state.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/reference.h>
#include <asl/engine/stop.h>
#include <asl/engine/tree.h>

namespace asl {

// Everything that is set must hold.
struct FindQuery {
  // As of `ingest --exclude`: matched against names, or against paths from the snapshot's root where it holds
  // a '/'. Empty: any name.
  std::string pattern{};
  bool ignore_case = false;  // of ASCII letters
  std::optional<ReferencePrefix> content{};
  std::optional<std::uint64_t> larger_than_bytes{};   // regular files only
  std::optional<std::uint64_t> smaller_than_bytes{};  // regular files only
  std::optional<EntryType> type{};
  bool damaged = false;     // the store knows some of its bytes to be damaged, or does not have them
  bool incomplete = false;  // not read whole, or changed while it was read
};

// One entry, the same in a run of snapshots of the same sources.
struct FindHit {
  std::string path{};  // from the snapshot's root
  Entry entry;
  std::uint64_t first_snapshot = 0;
  std::uint64_t last_snapshot = 0;
  std::uint64_t snapshots = 0;  // how many hold it
};

// With more than one place hits are kept until the end, to see how long each lives: beyond this many the
// search fails (kUnsupported) and wants to be narrowed. A few hundred bytes each.
inline constexpr std::uint64_t kFindHitsMax = 1'000'000;

using FindVisitor = std::function<Result<void>(const FindHit& hit)>;
// A directory that cannot be read is reported and passed over; so is a snapshot, with an empty path.
using FindErrorHandler =
    std::function<Result<void>(std::uint64_t snapshot_id, const std::string& path, const Error& error)>;

// Searches `places`, in the order of their snapshots; a subtree that is the same as in the snapshot before it
// of the same host and sources is not read again. Hits come by sources, then by path, then by first snapshot.
// Errors: kUsage (the pattern), kNotFound (a place), kInterrupted, those of the callbacks.
Result<void> find_entries(const Domain& domain, const FindQuery& query, std::span<const SnapshotPath> places,
                          const FindVisitor& visit, const FindErrorHandler& on_error,
                          const StopToken& stop = {});

}  // namespace asl
