#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <memory>

#include "completion.h"
#include "help.h"
#include "man_page.h"
#include "program.h"

namespace asl::cli {
namespace {

Result<void> write_file(const std::string& path, const std::string& text) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "we"), &std::fclose);
  if (file == nullptr) return fail(system_error(errno, "cannot create the file", path));
  if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() || std::fclose(file.release()) != 0)
    return fail(system_error(errno, "cannot write the file", path));
  return {};
}

Result<int> generate_man_pages(const ProgramSpec& program, const std::string& directory) {
  for (const ManPage& page : man_pages(program))
    ASL_TRY(write_file(directory + "/" + page.file_name, page.text));
  return kExitOk;
}

}  // namespace

std::vector<CommandSpec> common_commands(std::string_view help_section) {
  return {
      {.name = "help",
       .section = help_section,
       .summary = "explain a command",
       .description =
           "Prints what COMMAND does, with all its options; without a COMMAND, the list of commands.",
       .positionals =
           {{.name = "COMMAND", .help = "Command to explain, in one or two words", .min = 0, .max = 2}},
       .needs_root = false},
      {.name = "generate",
       .section = help_section,
       .summary = "write man pages or a completion script",
       .description =
           "Writes what the table of commands implies: all man pages into DIR, or one completion script to "
           "standard output. tools/generate-docs calls it.",
       .positionals =
           {{.name = "KIND", .help = "'man', 'bash', 'zsh' or 'fish'"},
            {.name = "DIR", .help = "Where the man pages go", .kind = ValueKind::kDirectory, .min = 0}},
       .hidden = true,
       .needs_root = false},
  };
}

Result<int> run_help(Context& context, const ParsedOptions& options) {
  std::vector<std::string> words = options.arguments("COMMAND");
  words.push_back("--help");
  auto line = parse_command_line(context.program, std::move(words));
  if (!line) return fail(std::move(line).error().error);
  show_help(context.program, *line, context.out);
  return kExitOk;
}

Result<int> run_generate(Context& context, const ParsedOptions& options) {
  const std::string& kind = options.argument("KIND");
  if (kind == "man") {
    if (options.arguments("DIR").empty()) return fail(ErrorCode::kUsage, "man pages need a directory");
    return generate_man_pages(context.program, options.argument("DIR"));
  }
  if (kind == "bash")
    context.out.write(bash_completion(context.program));
  else if (kind == "zsh")
    context.out.write(zsh_completion(context.program));
  else if (kind == "fish")
    context.out.write(fish_completion(context.program));
  else
    return fail(ErrorCode::kUsage, "KIND is one of: man, bash, zsh, fish");
  return kExitOk;
}

}  // namespace asl::cli
