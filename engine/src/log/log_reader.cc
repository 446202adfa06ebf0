#include "log/log_reader.h"

#include <utility>

#include "log/log_replay.h"

namespace asl {

std::optional<Error> ReplayOutcome::corruption() const {
  if (damage.empty()) return std::nullopt;
  Error error = damage.front().error;
  if (error.hint.empty())
    error.hint =
        "asl repair --from a copy of this store, or a pin of it; asl copy takes what still verifies into "
        "another "
        "store";
  return error;
}

Result<ReplayOutcome> replay_log(io::Io& io, const LogFiles& files, const ReplayOptions& options,
                                 const LogGroupCallback& callback) {
  return LogReplay(io, files, options, callback).run();
}

}  // namespace asl
