#include "program.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "help.h"
#include "json_out.h"
#include "signals.h"
#include "text.h"

extern char** environ;

namespace asl::cli {
namespace {

constexpr std::string_view kAuthorityRoot = "/asl-auth-host";
bool is_directory(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string settle_root(const ParsedOptions& options, const std::map<std::string, std::string>& environment) {
  if (const auto given = options.text("root")) return *given;
  const auto variable = environment.find("ASL_ROOT");
  if (variable != environment.end() && !variable->second.empty()) return variable->second;
  if (is_directory(std::string(kAuthorityRoot) + "/host")) return std::string(kAuthorityRoot);
  return "./asl-root";
}

ProgressMode progress_mode_of(const ParsedOptions& options) {
  const std::string mode = options.text("progress").value();
  if (options.flag("quiet") || mode == "none") return ProgressMode::kNone;
  if (mode == "json") return ProgressMode::kJson;
  return mode == "line" ? ProgressMode::kLine : ProgressMode::kAuto;
}

void print_error(const Invocation& invocation, const ProgramSpec& program, const Error& error, bool json) {
  invocation.err.write(error_text(program.name, error));
  if (json) invocation.err.line(error_json(program.name, error).dump());
}

int report_usage(const ProgramSpec& program, const Invocation& invocation, const UsageError& usage,
                 bool json) {
  const std::string line =
      usage.command == nullptr ? usage_line(program, usage.group) : usage_line(program, *usage.command);
  invocation.err.line("usage: " + line);
  print_error(invocation, program, usage.error, json);
  return exit_code(usage.error.code);
}

int finish_output(const ProgramSpec& program, const Invocation& invocation, int status) {
  auto flushed = invocation.out.flush();
  if (flushed) return status;
  print_error(invocation, program, flushed.error(), false);
  return exit_code(flushed.error().code);
}

const OptionSpec* option_for_key(const ProgramSpec& program, const CommandSpec& command,
                                 std::string_view key) {
  for (const auto* options : {&command.options, &program.options})
    for (const OptionSpec& option : *options)
      if (option.config_key == key) return &option;
  return nullptr;
}

bool is_known_key(const ProgramSpec& program, std::string_view key) {
  return std::ranges::any_of(program.commands, [&](const CommandSpec& command) {
    return option_for_key(program, command, key) != nullptr;
  });
}

Error bad_setting(const ConfigEntry& entry, const std::string& path, std::string_view reason) {
  Error error;
  error.code = ErrorCode::kMalformed;
  error.message = fmt::format("setting '{}' in line {}: {}", entry.key, entry.line, reason);
  error.path = path;
  return error;
}

Result<void> apply_setting(const ConfigEntry& entry, const OptionSpec& option, const std::string& path,
                           ParsedOptions& options) {
  if (option.kind == ValueKind::kFlag) {
    if (entry.value == "false") return {};
    if (entry.value != "true") return fail(bad_setting(entry, path, "must be true or false"));
  }
  if (auto set = options.set(option, {entry.value}); !set)
    return fail(bad_setting(entry, path, set.error().message));
  return {};
}

// Settings stand in for options that were not given. Returns the keys nobody knows, as warnings.
Result<std::vector<std::string>> apply_config(const ProgramSpec& program, const std::string& path,
                                              ParsedOptions& options) {
  std::vector<std::string> warnings;
  ASL_ASSIGN(const auto entries, load_config(path));
  for (const ConfigEntry& entry : entries) {
    const OptionSpec* option = option_for_key(program, options.command(), entry.key);
    if (option == nullptr && !is_known_key(program, entry.key))
      warnings.push_back(fmt::format("unknown setting '{}': {}: line {}", entry.key, path, entry.line));
    if (option != nullptr && !options.has(option->name))
      ASL_TRY(apply_setting(entry, *option, path, options));
  }
  return warnings;
}

Result<int> run_command(const ProgramSpec& program, Handler handler, ParsedOptions& options,
                        const Invocation& invocation) {
  Context context(program, invocation.out, invocation.err, invocation.stop);
  if (options.command().needs_root) {
    context.root = settle_root(options, invocation.environment);
    ASL_ASSIGN(const auto warnings, apply_config(program, context.root + "/host/config.yaml", options));
    for (const std::string& warning : warnings) context.warn(warning);
  }
  context.domain = options.text("domain");
  context.json = options.flag("json");
  context.quiet = options.flag("quiet");
  context.progress_mode = progress_mode_of(options);
  return handler(context, options);
}

}  // namespace

void Context::warn(std::string_view message) {
  const std::string line = fmt::format("{}: warning: {}", program.name, printable_message(message));
  if (progress != nullptr)
    progress->note(line);
  else
    err.line(line);
}

std::string error_text(std::string_view program, const Error& error) {
  std::string text = fmt::format("{}: {}\n", program, printable_message(error.to_string()));
  if (!error.hint.empty()) text += fmt::format("try: {}\n", printable_message(error.hint));
  return text;
}

ProgramSpec linked_program(ProgramSpec program, std::span<const CommandHandler> handlers) {
  for (const CommandHandler& handler : handlers)
    if (find_command(program, handler.name) == nullptr) {
      fmt::print(stderr, "{}: internal error: command '{}' is not in the table\n", program.name,
                 handler.name);
      std::abort();
    }
  std::erase_if(program.commands, [&](const CommandSpec& command) {
    return std::ranges::find(handlers, command.name, &CommandHandler::name) == handlers.end();
  });
  std::erase_if(program.groups,
                [&](const NamedText& group) { return commands_under(program, group.name).empty(); });
  return program;
}

int run_program(const ProgramSpec& program, std::span<const CommandHandler> handlers, Invocation invocation) {
  // The words are not sorted into options yet when parsing fails.
  const bool json_asked = std::ranges::find(invocation.arguments, "--json") != invocation.arguments.end();
  auto line = parse_command_line(program, std::move(invocation.arguments));
  if (!line) return report_usage(program, invocation, line.error(), json_asked);
  int status = kExitOk;
  if (line->action == CommandLine::Action::kHelp) {
    show_help(program, *line, invocation.out);
  } else if (line->action == CommandLine::Action::kVersion) {
    invocation.out.line(fmt::format("{} {}", program.name, program.version));
  } else {
    const auto handler = std::ranges::find(handlers, line->command->name, &CommandHandler::name);
    const auto done = run_command(program, handler->run, *line->options, invocation);
    // Facts printed before a failure belong before its message.
    status = finish_output(program, invocation, done.value_or(kExitOk));
    if (!done && done.error().code == ErrorCode::kUsage)
      return report_usage(program, invocation, {done.error(), line->command, {}}, json_asked);
    if (!done) {
      print_error(invocation, program, done.error(), json_asked);
      return exit_code(done.error().code);
    }
    return status;
  }
  return finish_output(program, invocation, status);
}

int run_main(const ProgramSpec& program, std::span<const CommandHandler> handlers, int argc, char** argv) {
  const StopToken stop = install_signal_handlers();
  Output out(STDOUT_FILENO);
  Output err(STDERR_FILENO);
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return run_program(program, handlers,
                     {{argv + std::min(argc, 1), argv + argc}, std::move(environment), out, err, stop});
}

}  // namespace asl::cli
