#include "commands/handlers.h"

namespace asl::cli {

// auth_host_commands.inc is one ASL_COMMAND("name", run_name) a line, written by meson.
#define ASL_COMMAND(name, handler) Result<int> handler(Context& context, const ParsedOptions& options);
#include "auth_host_commands.inc"
#undef ASL_COMMAND

std::vector<CommandHandler> auth_host_handlers() {
  return {
#define ASL_COMMAND(name, handler) {name, handler},
#include "auth_host_commands.inc"
#undef ASL_COMMAND
      {"help", run_help},
      {"generate", run_generate},
  };
}

}  // namespace asl::cli
