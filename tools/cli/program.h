// A whole program: its table, its handlers, and what is common to every command.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/error.h>
#include <asl/engine/stop.h>

#include "option_table.h"
#include "output.h"
#include "parse.h"
#include "progress.h"

namespace asl::cli {

// What a handler gets beside its options.
struct Context {
  Context(const ProgramSpec& program_spec, Output& standard_output, Output& standard_error,
          StopToken stop_token)
      : program(program_spec), out(standard_output), err(standard_error), stop(stop_token) {}

  const ProgramSpec& program;  // only the commands that exist
  Output& out;                 // standard output: facts. Flushed and checked after the handler returns
  Output& err;                 // standard error
  StopToken stop;
  std::string root;                   // as settled from --root, $ASL_ROOT and the defaults; may not exist
  std::optional<std::string> domain;  // --domain
  bool json = false;
  bool quiet = false;
  ProgressMode progress_mode = ProgressMode::kAuto;  // kNone if quiet
  Progress* progress = nullptr;                      // set by ProgressScope

  // "asl: warning: ..." on standard error, above a progress line if there is one. Escaped here.
  void warn(std::string_view message);
};

// Shows progress while it lives: ProgressScope progress(context); work(progress.counters(), context.stop);
class ProgressScope {
 public:
  explicit ProgressScope(Context& context)
      : context_(context), progress_(context.progress_mode, context.err) {
    context_.progress = &progress_;
  }
  ProgressScope(const ProgressScope&) = delete;
  ProgressScope& operator=(const ProgressScope&) = delete;
  ~ProgressScope() { context_.progress = nullptr; }
  ProgressCounters& counters() { return progress_.counters(); }

 private:
  Context& context_;
  Progress progress_;
};

// Does one command. Returns the exit code: 0, kExitSourceIncomplete, or the code of a finding it has printed
// itself (verify: 5). An Error is printed by the caller.
using Handler = Result<int> (*)(Context& context, const ParsedOptions& options);

struct CommandHandler {
  std::string_view name;  // as in the table
  Handler run;
};

// What a program gets from its process; tests make their own.
struct Invocation {
  std::vector<std::string> arguments;  // without the program's name
  std::map<std::string, std::string> environment;
  Output& out;
  Output& err;
  StopToken stop;
};

// The table without the rows that have no handler. A handler without a row is a programming error and aborts.
ProgramSpec linked_program(ProgramSpec program, std::span<const CommandHandler> handlers);

// Parses, runs, prints errors. Returns the exit code.
int run_program(const ProgramSpec& program, std::span<const CommandHandler> handlers, Invocation invocation);
// The same for a process: signals, environment, standard streams.
int run_main(const ProgramSpec& program, std::span<const CommandHandler> handlers, int argc, char** argv);

// "asl: <error>" and "try: <hint>", escaped for a terminal.
std::string error_text(std::string_view program, const Error& error);

// Handlers every program has: "help" and the hidden "generate".
Result<int> run_help(Context& context, const ParsedOptions& options);
Result<int> run_generate(Context& context, const ParsedOptions& options);
// Their rows.
std::vector<CommandSpec> common_commands(std::string_view help_section);

}  // namespace asl::cli
