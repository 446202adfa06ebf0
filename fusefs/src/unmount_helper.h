// The system call, or for users without the right to it, the program that has it.
#pragma once

#include <string>

#include <asl/engine/error.h>

namespace asl::fusefs {

// With `lazily` at once, also while files are open. kLocked if it is busy; kIo otherwise.
Result<void> take_away(const std::string& mount_point, bool lazily);

}  // namespace asl::fusefs
