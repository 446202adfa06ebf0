// Changing the list of snapshots: labels, holds, forgetting. Each call opens a writing session, makes one
// commit and is durable on return. Nothing is freed by it; that is gc's work.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>

namespace asl {

// What a snapshot or the writer had to say beside the result: StoreWriter::notices.
using Notices = std::vector<std::string>;

// A label is a name people type and a file name in the mounted view: 1 to 255 bytes of UTF-8, no '/', ':' or
// control characters, not all digits, not "latest", "." or "..". kUsage otherwise.
Result<void> check_label(std::string_view label);

// Labels are unique: one that is taken moves. An empty label takes the snapshot's own away.
// kNotFound for an unknown or forgotten snapshot, and the errors of StoreWriter::open and commit, here and
// below.
Result<Notices> label_snapshot(Domain& domain, std::uint64_t id, const std::string& label);

// `reason` is kept in the log. A snapshot that is in the wanted state already is passed over.
Result<Notices> hold_snapshots(Domain& domain, std::span<const std::uint64_t> ids, bool on,
                               const std::string& reason);

// All or none. kRefused, naming the first, if one of them is on hold or published.
Result<Notices> forget_snapshots(Domain& domain, std::span<const std::uint64_t> ids);
// What forget_snapshots would say, without changing anything.
Result<void> check_forgettable(const LogState& state, std::span<const std::uint64_t> ids);

// Takes the pins away that `put` set; a commit for every 50,000 of them. kNotFound, naming the first, if an
// artifact is not there; one that is not pinned is passed over.
struct Unpinned {
  std::vector<Reference> references;  // those that were pinned, sorted
  Notices notices;
};
Result<Unpinned> unpin_artifacts(Domain& domain, std::span<const Reference> references);

}  // namespace asl
