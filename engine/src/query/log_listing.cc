#include <asl/engine/log_listing.h>

#include "log/log_replay.h"

namespace asl {
namespace {

Result<std::uint64_t> count_commits(const Domain& domain, const LogFiles& files) {
  std::uint64_t count = 0;
  ASL_TRY(replay_log(domain.io(), files, {}, [&](const LogGroup&) -> Result<void> {
    ++count;
    return {};
  }));
  return count;
}

std::vector<Error> damage_of(const ReplayOutcome& outcome) {
  std::vector<Error> errors;
  errors.reserve(outcome.damage.size());
  for (const LogDamage& damage : outcome.damage) errors.push_back(damage.error);
  return errors;
}

}  // namespace

Result<std::vector<Error>> list_log(const Domain& domain, const LogListingOptions& options,
                                    const CommitVisitor& visit) {
  const LogFiles files(domain.directory());
  std::uint64_t skip = 0;
  if (options.last_commits) {
    ASL_ASSIGN(const std::uint64_t count, count_commits(domain, files));
    skip = count - std::min(count, *options.last_commits);
  }
  // An integrity error from the callback would be taken for damage of the log.
  std::optional<Error> stopped;
  auto outcome = replay_log(domain.io(), files, {}, [&](const LogGroup& group) -> Result<void> {
    if (skip > 0) {
      --skip;
      return {};
    }
    std::span<const LogRecord> records = group.records;
    while (!records.empty() && records.front().logseq < options.since_logseq) records = records.subspan(1);
    if (records.empty() || stopped) return {};
    if (auto visited = visit({.records = records, .after_gap = group.after_gap}); !visited)
      stopped = std::move(visited).error();
    return {};
  });
  ASL_TRY(outcome);
  if (stopped) return fail(std::move(*stopped));
  return damage_of(*outcome);
}

}  // namespace asl
