// Taking artifacts out of sight, and letting them back: tombstones. A withdrawn artifact is refused
// (kRefused, EACCES in the mount) wherever it is named; with the reasons kLegal and kSecret the next gc takes
// its bytes away too. Each call opens a writing session and is durable on return.
#pragma once

#include <span>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/history.h>
#include <asl/engine/log_record.h>
#include <asl/engine/stop.h>

namespace asl {

struct WithdrawOptions {
  TombstoneReason reason = TombstoneReason::kNone;
  // Also everything that the artifacts name now, down to the last: a directory's names, files and what is
  // below it. Equal content is one artifact: what is withdrawn so is withdrawn wherever else it is named.
  bool reached = false;
};

struct Withdrawn {
  std::vector<Reference> references;  // whose state changed, sorted
  Notices notices;
};

// One that is withdrawn already is passed over, unless for another reason than the one given now. Commits of
// 50,000 records: an interruption leaves whole ones, and the next call does the rest. kNotFound, naming the
// first, if an artifact is not there; with `reached`, kIntegrity if what names others is damaged: nothing is
// withdrawn then.
Result<Withdrawn> withdraw_artifacts(Domain& domain, std::span<const Reference> references,
                                     const WithdrawOptions& options, const StopToken& stop);

// Lifts the tombstones that are in force on these; kNotFound, naming the first, where there is none. With
// `reached`, also those of what they name, as far as that is there. What gc has taken away does not come
// back.
Result<Withdrawn> lift_tombstones(Domain& domain, std::span<const Reference> references, bool reached,
                                  const StopToken& stop);

}  // namespace asl
