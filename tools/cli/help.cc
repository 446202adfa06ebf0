#include "help.h"

#include <algorithm>
#include <fmt/format.h>

#include "text.h"

namespace asl::cli {
namespace {

constexpr std::size_t kTextIndent = 2;
constexpr std::size_t kHelpColumn = 26;  // where explanations start
constexpr std::size_t kNameGap = 2;

// A name on the left, its explanation from kHelpColumn on; on the next line where the name is too long.
void append_row(std::string& out, std::string_view name, std::string_view text, std::size_t width) {
  std::string line(kTextIndent, ' ');
  line += name;
  if (line.size() + kNameGap > kHelpColumn) {
    out += line + '\n';
    line.clear();
  }
  line.append(kHelpColumn - line.size(), ' ');
  out += line + wrap(text, kHelpColumn, width, kHelpColumn) + '\n';
}

void append_options(std::string& out, std::string_view title, const std::vector<OptionSpec>& options,
                    std::size_t width) {
  if (options.empty()) return;
  out += fmt::format("\n{}:\n", title);
  for (const OptionSpec& option : options) {
    // Options without a letter line up with those that have one.
    const std::string name = (option.letter == 0 ? "    " : "") + option_synopsis(option);
    append_row(out, name, option_explanation(option), width);
  }
}

void append_paragraphs(std::string& out, std::string_view text, std::size_t width) {
  while (!text.empty()) {
    const std::size_t end = text.find("\n\n");
    out += '\n' + wrap(text.substr(0, end), 0, width) + '\n';
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
}

void append_commands(std::string& out, const std::vector<const CommandSpec*>& commands, std::size_t width) {
  for (const CommandSpec* command : commands)
    if (!command->hidden) append_row(out, command->name, command->summary, width);
}

}  // namespace

std::string option_synopsis(const OptionSpec& option) {
  std::string text = option.letter == 0 ? "" : fmt::format("-{}, ", option.letter);
  text += fmt::format("--{}", option.name);
  if (option.kind != ValueKind::kFlag) text += fmt::format(" {}", option.metavar);
  return text;
}

std::string option_explanation(const OptionSpec& option) {
  std::string text(option.help);
  if (!option.choices.empty()) text += fmt::format(". One of: {}", fmt::join(option.choices, ", "));
  if (!option.default_text.empty()) text += fmt::format(" (default: {})", option.default_text);
  if (option.repeatable) text += ". May be given several times";
  return text + '.';
}

std::string positional_synopsis(const PositionalSpec& positional) {
  const std::string name = std::string(positional.name) + (positional.max > 1 ? "..." : "");
  return positional.min == 0 ? fmt::format(" [{}]", name) : " " + name;
}

std::vector<ExitCodeSpec> exit_codes_of(const CommandSpec& command) {
  std::vector<ExitCodeSpec> codes;
  for (const ExitCodeSpec& row : exit_code_table())
    if (std::ranges::find(kCommonExitCodes, row.code) != std::end(kCommonExitCodes) ||
        std::ranges::find(command.exit_codes, row.code) != command.exit_codes.end())
      codes.push_back(row);
  return codes;
}

std::string usage_line(const ProgramSpec& program, const CommandSpec& command) {
  std::string line = fmt::format("{} {} [OPTION]...", program.name, command.name);
  for (const PositionalSpec& positional : command.positionals) line += positional_synopsis(positional);
  return line;
}

std::string usage_line(const ProgramSpec& program, std::string_view group) {
  const std::string between = group.empty() ? "" : fmt::format(" {}", group);
  return fmt::format("{}{} COMMAND [OPTION]... [ARGUMENT]...", program.name, between);
}

std::string program_help(const ProgramSpec& program, std::size_t width) {
  std::string out = fmt::format("Usage: {}\n", usage_line(program));
  append_paragraphs(out, program.description, width);
  for (const std::string_view section : program.sections) {
    std::vector<const CommandSpec*> commands;
    for (const CommandSpec& command : program.commands)
      if (command.section == section) commands.push_back(&command);
    if (std::ranges::all_of(commands, &CommandSpec::hidden)) continue;
    out += fmt::format("\n{}:\n", section);
    append_commands(out, commands, width);
  }
  append_options(out, "Options of every command", program.options, width);
  append_paragraphs(out,
                    fmt::format("'{} COMMAND --help' explains one command, 'man {}' has it all.",
                                program.name, program.name),
                    width);
  return out;
}

std::string group_help(const ProgramSpec& program, std::string_view group, std::size_t width) {
  std::string out = fmt::format("Usage: {}\n", usage_line(program, group));
  const auto at = std::ranges::find(program.groups, group, &NamedText::name);
  if (at != program.groups.end()) append_paragraphs(out, at->text, width);
  out += "\nCommands:\n";
  append_commands(out, commands_under(program, group), width);
  append_paragraphs(out, fmt::format("'{} {} COMMAND --help' explains one of them.", program.name, group),
                    width);
  return out;
}

std::string command_help(const ProgramSpec& program, const CommandSpec& command, std::size_t width) {
  std::string out = fmt::format("Usage: {}\n", usage_line(program, command));
  append_paragraphs(out, command.description, width);
  if (!command.positionals.empty()) out += "\nArguments:\n";
  for (const PositionalSpec& positional : command.positionals)
    append_row(out, positional.name, std::string(positional.help) + '.', width);
  append_options(out, "Options", command.options, width);
  append_options(out, "Options of every command", program.options, width);
  if (!command.examples.empty()) out += "\nExamples:\n";
  for (const ExampleSpec& example : command.examples) {
    out += fmt::format("  {}\n      {}\n", example.command, wrap(example.meaning, 6, width, 6));
  }
  out += "\nExit status:\n";
  for (const ExitCodeSpec& code : exit_codes_of(command))
    out += fmt::format("  {:>3}  {}\n", code.code, wrap(code.meaning, 7, width, 7));
  return out;
}

void show_help(const ProgramSpec& program, const CommandLine& line, Output& out) {
  constexpr std::size_t kHelpWidthMax = 100;  // longer lines are hard to read
  const std::size_t width = std::min(out.width(), kHelpWidthMax);
  if (line.command != nullptr)
    out.write(command_help(program, *line.command, width));
  else
    out.write(line.group.empty() ? program_help(program, width) : group_help(program, line.group, width));
}

}  // namespace asl::cli
