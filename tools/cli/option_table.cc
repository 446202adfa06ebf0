#include "option_table.h"

#include <algorithm>
#include <set>

namespace asl::cli {
namespace {

template <typename Specs>
bool names_are_unique(const Specs& specs) {
  std::set<std::string_view> seen;
  return std::ranges::all_of(specs, [&](const auto& spec) { return seen.insert(spec.name).second; });
}

bool letters_are_unique(const ProgramSpec& program, const CommandSpec& command) {
  std::set<char> seen;
  std::set<std::string_view> names;
  for (const auto* options : {&program.options, &command.options})
    for (const OptionSpec& option : *options) {
      if (option.letter != 0 && !seen.insert(option.letter).second) return false;
      if (!names.insert(option.name).second) return false;
    }
  return true;
}

bool option_is_well_formed(const OptionSpec& option) {
  const bool has_value = option.kind != ValueKind::kFlag;
  return !option.name.empty() && !option.help.empty() && !option.help.ends_with('.') &&
         has_value == !option.metavar.empty() && (option.kind == ValueKind::kEnum) == !option.choices.empty();
}

bool positionals_are_well_formed(const std::vector<PositionalSpec>& positionals) {
  for (std::size_t i = 0; i < positionals.size(); ++i) {
    const PositionalSpec& spec = positionals[i];
    const bool last = i + 1 == positionals.size();
    if (spec.min > spec.max || spec.help.empty() || (spec.max > 1 && !last)) return false;
    if (!last && spec.min == 0 && positionals[i + 1].min > 0) return false;
  }
  return true;
}

}  // namespace

const std::vector<ExitCodeSpec>& exit_code_table() {
  static const std::vector<ExitCodeSpec> table = {
      {0, "Done."},
      {1, "Done, but some source data could not be read or changed while being read; it is listed."},
      {2, "Usage error."},
      {3, "The store is locked or busy."},
      {4, "Not found."},
      {5, "Integrity failure: something stored is not what it must be."},
      {6, "I/O error."},
      {7, "Refused by policy or authority."},
      {8, "Malformed input."},
      {9, "No space left."},
      {10, "Not supported here."},
      {130, "Interrupted."},
  };
  return table;
}

const CommandSpec* find_command(const ProgramSpec& program, std::string_view name) {
  const auto at = std::ranges::find(program.commands, name, &CommandSpec::name);
  return at == program.commands.end() ? nullptr : &*at;
}

std::string_view first_word(std::string_view command_name) {
  return command_name.substr(0, command_name.find(' '));
}

std::vector<const CommandSpec*> commands_under(const ProgramSpec& program, std::string_view word) {
  std::vector<const CommandSpec*> found;
  for (const CommandSpec& command : program.commands)
    if (first_word(command.name) == word) found.push_back(&command);
  return found;
}

std::vector<OptionSpec> common_options() {
  return {
      {.name = "root",
       .kind = ValueKind::kDirectory,
       .metavar = "DIR",
       .help =
           "Directory that holds the store; without it $ASL_ROOT, then /asl-auth-host on an authority host, "
           "then ./asl-root"},
      {.name = "domain",
       .letter = 'd',
       .kind = ValueKind::kText,
       .metavar = "NAME",
       .help = "Domain to work on, by alias or id (or a prefix of it); not needed where there is only one",
       .config_key = "domains.default"},
      {.name = "json", .help = "Print facts, and errors too, as JSON"},
      {.name = "progress",
       .kind = ValueKind::kEnum,
       .metavar = "MODE",
       .help = "How to show progress: 'auto' draws one line on a terminal and nothing elsewhere, 'line' also "
               "prints "
               "a line every ten seconds elsewhere, 'json' prints one object a second to standard error",
       .default_text = "auto",
       .choices = {"auto", "none", "json", "line"},
       .config_key = "logging.progress"},
      {.name = "quiet",
       .letter = 'q',
       .help = "Print only what was asked for and errors: no progress, no summary"},
      {.name = "version", .help = "Print the version and exit"},
      {.name = "help", .letter = 'h', .help = "Print help and exit"},
  };
}

std::vector<std::string_view> check_table(const ProgramSpec& program) {
  std::vector<std::string_view> wrong;
  if (!names_are_unique(program.commands)) wrong.push_back("two commands share a name");
  for (const CommandSpec& command : program.commands) {
    const bool text_ok =
        !command.summary.empty() && !command.summary.ends_with('.') && !command.description.empty();
    const bool section_ok =
        command.hidden || std::ranges::find(program.sections, command.section) != program.sections.end();
    const bool group_ok =
        command.name.find(' ') == std::string_view::npos ||
        std::ranges::find(program.groups, first_word(command.name), &NamedText::name) != program.groups.end();
    if (!text_ok || !section_ok || !group_ok || !letters_are_unique(program, command) ||
        !positionals_are_well_formed(command.positionals) ||
        !std::ranges::all_of(command.options, option_is_well_formed))
      wrong.push_back(command.name);
  }
  if (!std::ranges::all_of(program.options, option_is_well_formed)) wrong.push_back("a common option");
  return wrong;
}

}  // namespace asl::cli
