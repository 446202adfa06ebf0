#include "log/log_reader.h"

#include <utility>

#include "log/log_replay.h"

namespace asl {

std::optional<Error> ReplayOutcome::corruption() const {
  if (damage.empty()) return std::nullopt;
  Error error = damage.front().error;
  if (error.hint.empty())
    error.hint = "asl restore or asl export-tar what the store still shows, and ingest it into a new one";
  return error;
}

Result<ReplayOutcome> replay_log(io::Io& io, const LogFiles& files, const ReplayOptions& options,
                                 const LogGroupCallback& callback) {
  return LogReplay(io, files, options, callback).run();
}

}  // namespace asl
