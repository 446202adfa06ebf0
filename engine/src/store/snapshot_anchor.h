// How a snapshot is described and made visible, wherever its trees came from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/log_record.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/store_writer.h>

namespace asl {

std::string this_host_name();
std::int64_t unix_seconds_now();
// As a snapshot holds them.
std::vector<std::string> sorted_tags(std::vector<std::string> tags);
// The newest snapshot of the same host and sources, among the newest ones; 0 if none.
std::uint64_t find_parent(const Domain& domain, const Snapshot& made);

// Commits everything that was put, with the snapshot, its label (of the snapshot itself) and `more` log
// records, as one group; durable on return. What could not be done beside it, a
// copy for people or a pin (pin/settle.h), is told in `notices`.
// Errors: encode_snapshot's and StoreWriter::commit's.
Result<Reference> anchor_snapshot(StoreWriter& writer, const Domain& domain, const Snapshot& snapshot,
                                  std::span<const NewRecord> more, std::vector<std::string>& notices);

}  // namespace asl
