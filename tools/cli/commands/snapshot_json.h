// A snapshot's facts, as JSON and in words.
#pragma once

#include <string>

#include <asl/engine/log_state.h>
#include <asl/engine/snapshot.h>

#include "json_out.h"

namespace asl::cli {

// Adds the fields that "snapshots" and "snapshot show" have in common.
// "files", "directories", ... as members of `object`.
void put_counts(Json& object, const SnapshotCounts& counts);
void put_snapshot(Json& object, const Snapshot& snapshot, const SnapshotState& state, bool published);
// "held, 3 errors, 1 partial": what stands out; empty if nothing does.
std::string snapshot_remarks(const Snapshot& snapshot, const SnapshotState& state, bool published);

}  // namespace asl::cli
