#include "completion_words.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace asl::cli {

std::string identifier(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(out, [](char c) { return c == '-' || c == ' '; }, '_');
  return out;
}

std::string_view brief(std::string_view help) {
  for (const std::string_view end : {"; ", ". ", ": "}) help = help.substr(0, help.find(end));
  return help;
}

std::vector<const CommandSpec*> listed(const ProgramSpec& program) {
  std::vector<const CommandSpec*> commands;
  for (const CommandSpec& command : program.commands)
    if (!command.hidden) commands.push_back(&command);
  return commands;
}

std::vector<Word> first_words(const ProgramSpec& program) {
  std::vector<Word> words;
  std::set<std::string_view> seen;
  for (const CommandSpec* command : listed(program)) {
    const std::string_view word = first_word(command->name);
    if (!seen.insert(word).second) continue;
    const auto group = std::ranges::find(program.groups, word, &NamedText::name);
    words.push_back({word, word == command->name ? command->summary : group->text});
  }
  return words;
}

std::vector<Word> second_words(const ProgramSpec& program, std::string_view group) {
  std::vector<Word> words;
  for (const CommandSpec* command : commands_under(program, group))
    if (command->name.size() > group.size())
      words.push_back({command->name.substr(group.size() + 1), command->summary});
  return words;
}

std::string join_words(const std::vector<Word>& words) {
  std::string out;
  for (const Word& word : words) out += fmt::format("{}{}", out.empty() ? "" : " ", word.text);
  return out;
}

std::string option_words(const std::vector<OptionSpec>& options) {
  std::string out;
  for (const OptionSpec& option : options) {
    if (option.letter != 0) out += fmt::format(" -{}", option.letter);
    out += fmt::format(" --{}", option.name);
  }
  return out;
}

bool takes_paths(ValueKind kind) {
  return kind == ValueKind::kPath || kind == ValueKind::kDirectory;
}

ValueKind argument_kind(const CommandSpec& command) {
  for (const PositionalSpec& positional : command.positionals)
    if (takes_paths(positional.kind)) return positional.kind;
  return ValueKind::kText;
}

}  // namespace asl::cli
