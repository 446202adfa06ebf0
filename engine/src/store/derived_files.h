// Files beside the truth, for people and other tools: domain.json and the copies of snapshots. Rebuilt from
// the log and the artifacts; nothing reads them to decide anything.
#pragma once

#include <cstdint>

#include <asl/engine/bytes.h>
#include <asl/engine/domain.h>
#include <asl/engine/error.h>

namespace asl {

// snapshots/snapshot-<id>.meta and domain.json, after a commit that anchored a snapshot. Not synced.
Result<void> write_derived_files(const Domain& domain, std::uint64_t snapshot_id, ByteSpan snapshot_bytes);
// domain.json alone.
Result<void> write_domain_json(const Domain& domain);

}  // namespace asl
