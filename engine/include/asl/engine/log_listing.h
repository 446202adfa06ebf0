// Reading a domain's log for people: every commit that verifies, in order, and what is wrong with the rest.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/log_record.h>

namespace asl {

struct LogListingOptions {
  std::uint64_t since_logseq = 1;               // records before it are left out
  std::optional<std::uint64_t> last_commits{};  // only so many commits, counted from the end
};

// One verified commit. The span is valid during the callback.
struct ListedCommit {
  std::span<const LogRecord> records;  // COMMIT last
  bool after_gap = false;              // records before it are lost
};
using CommitVisitor = std::function<Result<void>(const ListedCommit& commit)>;

// Reads the log anew, from its first record, checking the chain on the way. Returns what does not verify,
// empty for a sound log; reading goes on behind it. Errors: kIo, and those of `visit`.
Result<std::vector<Error>> list_log(const Domain& domain, const LogListingOptions& options,
                                    const CommitVisitor& visit);

}  // namespace asl
