// How a process in the background tells the one that started it whether it is ready.
#pragma once

#include <functional>

#include <asl/engine/error.h>

namespace asl::fusefs {

// Forks. In the child, which leads a session of its own and has no terminal, runs `work` and ends the process
// with it; `work` is given what to call once it is ready. Returns in the parent when the child is ready, or
// with the error that it ended with before. To be called while the process has one thread.
using Ready = std::function<void()>;
Result<void> run_in_background(const std::function<Result<void>(const Ready& ready)>& work);

}  // namespace asl::fusefs
