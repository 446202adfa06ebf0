#include "signals.h"

#include <csignal>
#include <unistd.h>

namespace asl::cli {
namespace {

// A signal handler can only reach what is global.
std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only use lock-free atomics");

void on_stop_signal(int) {
  if (stop_requested.exchange(true)) ::_exit(130);
}

void on_pipe_signal(int) {}

void handle(int signal_number, void (*handler)(int), int flags) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  ::sigaction(signal_number, &action, nullptr);
}

// nohup and background jobs of a shell start with the signal ignored; that is a wish to keep.
void handle_unless_ignored(int signal_number) {
  struct sigaction old{};
  ::sigaction(signal_number, nullptr, &old);
  if (old.sa_handler != SIG_IGN) handle(signal_number, on_stop_signal, 0);
}

}  // namespace

StopToken install_signal_handlers() {
  handle_unless_ignored(SIGINT);
  handle_unless_ignored(SIGHUP);
  handle(SIGTERM, on_stop_signal, 0);
  // A handler, not SIG_IGN: exec resets handlers but keeps ignored signals ignored.
  handle(SIGPIPE, on_pipe_signal, SA_RESTART);
  return StopToken(stop_requested);
}

}  // namespace asl::cli
