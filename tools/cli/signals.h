// Ctrl-C and its relatives.
#pragma once

#include <asl/engine/stop.h>

namespace asl::cli {

// Installs the handlers of this process, once, before other threads start: the first SIGINT, SIGTERM or
// SIGHUP makes the returned token ask to stop, the second ends the process at once with status 130 (what is
// committed stays). SIGPIPE does nothing, so that a write reports EPIPE instead (Output ends the process
// then); programs started by this one get the default back.
StopToken install_signal_handlers();

}  // namespace asl::cli
