#include "man_page.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "help.h"
#include "text.h"

namespace asl::cli {
namespace {

// Text that roff takes literally. Dashes stay dashes, so that options can be copied out of the page.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

// Running text, broken into lines so that a changed word changes one line of the committed page.
std::string roff_text(std::string_view text) {
  return roff(wrap(text, 0, kManSourceWidth));
}

std::string paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find("\n\n");
    if (!out.empty()) out += ".PP\n";
    out += roff_text(text.substr(0, end)) + '\n';
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

std::string heading(const ProgramSpec& program, std::string_view page) {
  return fmt::format(
      ".\\\" Generated from the option table by tools/generate-docs; do not edit.\n"
      ".TH {} 1 {} \"{} {}\" \"User Commands\"\n.nh\n.ad l\n",
      roff(upper(page)), program.date, program.name, program.version);
}

std::string option_entry(const OptionSpec& option) {
  std::string out = ".TP\n";
  if (option.letter != 0) out += fmt::format("\\fB\\-{}\\fR, ", option.letter);
  out += fmt::format("\\fB\\-\\-{}\\fR", roff(option.name));
  if (option.kind != ValueKind::kFlag) out += fmt::format(" \\fI{}\\fR", roff(option.metavar));
  return out + '\n' + roff_text(option_explanation(option)) + '\n';
}

std::string option_entries(const std::vector<OptionSpec>& options) {
  std::string out;
  for (const OptionSpec& option : options) out += option_entry(option);
  return out;
}

std::string synopsis(const ProgramSpec& program, const CommandSpec& command) {
  std::string out = fmt::format("\\fB{} {}\\fR [\\fIOPTION\\fR]...", roff(program.name), roff(command.name));
  for (const PositionalSpec& positional : command.positionals) {
    const std::string name =
        fmt::format("\\fI{}\\fR{}", roff(positional.name), positional.max > 1 ? "..." : "");
    out += positional.min == 0 ? fmt::format(" [{}]", name) : " " + name;
  }
  return out + '\n';
}

std::string argument_entries(const CommandSpec& command) {
  std::string out;
  for (const PositionalSpec& positional : command.positionals)
    out += fmt::format(".TP\n\\fI{}\\fR\n{}\n", roff(positional.name),
                       roff_text(std::string(positional.help) + '.'));
  return out;
}

std::string exit_status(const std::vector<ExitCodeSpec>& codes) {
  std::string out = ".SH EXIT STATUS\n";
  for (const ExitCodeSpec& code : codes)
    out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", code.code, roff_text(code.meaning));
  return out;
}

std::string examples(const std::vector<const CommandSpec*>& commands) {
  std::string out;
  for (const CommandSpec* command : commands)
    for (const ExampleSpec& example : command->examples)
      out += fmt::format("{}{}\n.PP\n.RS 4\n.EX\n{}\n.EE\n.RE\n", out.empty() ? ".SH EXAMPLES\n" : ".PP\n",
                         roff_text(example.meaning), roff(example.command));
  return out;
}

std::string named_entries(std::string_view title, const std::vector<NamedText>& rows) {
  if (rows.empty()) return {};
  std::string out = fmt::format(".SH {}\n", title);
  for (const NamedText& row : rows)
    out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(row.name), roff_text(row.text));
  return out;
}

std::string page_name(const ProgramSpec& program, const CommandSpec& command) {
  return fmt::format("{}-{}", program.name, first_word(command.name));
}

std::vector<ExitCodeSpec> exit_codes_of_all(const std::vector<const CommandSpec*>& commands) {
  std::vector<ExitCodeSpec> codes;
  for (const ExitCodeSpec& row : exit_code_table())
    if (std::ranges::any_of(commands, [&](const CommandSpec* command) {
          const auto own = exit_codes_of(*command);
          return std::ranges::find(own, row.code, &ExitCodeSpec::code) != own.end();
        }))
      codes.push_back(row);
  return codes;
}

// Every key of the configuration with the options it stands in for.
std::string settings(const ProgramSpec& program) {
  std::map<std::string_view, std::string> keys;
  const auto add = [&keys](std::string_view command, const std::vector<OptionSpec>& options) {
    for (const OptionSpec& option : options) {
      if (option.config_key.empty()) continue;
      std::string& users = keys[option.config_key];
      users += fmt::format("{}\\-\\-{}{}{}", users.empty() ? "" : ", ", roff(option.name),
                           command.empty() ? "" : " of ", roff(command));
    }
  };
  add({}, program.options);
  for (const CommandSpec& command : program.commands)
    if (!command.hidden) add(command.name, command.options);
  if (keys.empty()) return {};
  std::string out =
      ".SH CONFIGURATION\n"
      "\\fIROOT\\fR/host/config.yaml is a small part of YAML: nested keys, one a line, with plain or "
      "double\\-quoted values. "
      "Here they are written with dots: \\(lqstore.jobs\\(rq is the key jobs below the key store. An option "
      "that is given "
      "beats its setting; unknown keys are warned about.\n";
  for (const auto& [key, users] : keys)
    out += fmt::format(".TP\n\\fB{}\\fR\nStands in for {}.\n", roff(key), users);
  return out;
}

ManPage program_page(const ProgramSpec& program) {
  std::string text = heading(program, program.name);
  text += fmt::format(".SH NAME\n{} \\- {}\n", roff(program.name), roff(program.summary));
  text += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n",
                      roff(program.name));
  text += ".SH DESCRIPTION\n" + paragraphs(program.description) + ".SH COMMANDS\n";
  for (const std::string_view section : program.sections) {
    std::string rows;
    for (const CommandSpec& command : program.commands)
      if (command.section == section && !command.hidden)
        rows += fmt::format(".TP\n\\fB{}\\fR\n{}; see \\fB{}\\fR(1).\n", roff(command.name),
                            roff(command.summary), roff(page_name(program, command)));
    if (!rows.empty()) text += fmt::format(".SS {}\n", roff(section)) + rows;
  }
  text += ".SH OPTIONS\nEvery command understands these, before or after its name.\n" +
          option_entries(program.options);
  text += settings(program) + exit_status(exit_code_table());
  text += named_entries("ENVIRONMENT", program.environment) + named_entries("FILES", program.files);
  std::string others;
  for (const std::string_view page : program.see_also)
    others += fmt::format("{}{}", others.empty() ? "" : ", ", roff(page));
  if (!others.empty()) text += ".SH SEE ALSO\n" + others + '\n';
  return {fmt::format("{}.1", program.name), text};
}

// What follows the name: alone on its page, or as one part of several.
std::string command_body(const CommandSpec& command) {
  std::string text = paragraphs(command.description) + argument_entries(command);
  return text + option_entries(command.options);
}

ManPage command_page(const ProgramSpec& program, std::string_view word) {
  const std::vector<const CommandSpec*> commands = commands_under(program, word);
  const bool grouped = commands.front()->name != word;
  const std::string name = page_name(program, *commands.front());
  std::string_view summary = commands.front()->summary;
  if (grouped) summary = std::ranges::find(program.groups, word, &NamedText::name)->text;
  while (summary.ends_with('.')) summary.remove_suffix(1);
  std::string text = heading(program, name);
  text += fmt::format(".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n", roff(name), roff(summary));
  for (const CommandSpec* command : commands)
    text += (command == commands.front() ? "" : ".br\n") + synopsis(program, *command);
  text += ".SH DESCRIPTION\n";
  if (!grouped) {
    text += paragraphs(commands.front()->description);
    text += argument_entries(*commands.front()) + ".SH OPTIONS\n" + option_entries(commands.front()->options);
    if (commands.front()->options.empty()) text += "This command has no options of its own.\n";
  } else {
    for (const CommandSpec* command : commands)
      text += fmt::format(".SS {} {}\n", roff(program.name), roff(command->name)) + command_body(*command);
    text += ".SH OPTIONS\n";
  }
  if (!grouped) text += ".PP\n";
  text += fmt::format(
      "The options of every command, such as \\fB\\-\\-root\\fR and \\fB\\-\\-json\\fR, are in "
      "\\fB{}\\fR(1).\n",
      roff(program.name));
  text += exit_status(exit_codes_of_all(commands)) + examples(commands);
  text += fmt::format(".SH SEE ALSO\n\\fB{}\\fR(1)\n", roff(program.name));
  return {name + ".1", text};
}

}  // namespace

std::vector<ManPage> man_pages(const ProgramSpec& program) {
  std::vector<ManPage> pages = {program_page(program)};
  std::set<std::string_view> seen;
  for (const CommandSpec& command : program.commands)
    if (!command.hidden && seen.insert(first_word(command.name)).second)
      pages.push_back(command_page(program, first_word(command.name)));
  return pages;
}

}  // namespace asl::cli
