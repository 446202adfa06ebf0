// What the completion scripts of all shells have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "option_table.h"

namespace asl::cli {

struct Word {
  std::string_view text;
  std::string_view meaning;
};

// "asl-rescue" -> "asl_rescue": a name for a shell function.
std::string identifier(std::string_view text);
// The first clause of an option's help: a completion menu has one line.
std::string_view brief(std::string_view help);
// The commands that are not hidden.
std::vector<const CommandSpec*> listed(const ProgramSpec& program);
// What can follow the program's name, and what can follow the first word of a two-word command.
std::vector<Word> first_words(const ProgramSpec& program);
std::vector<Word> second_words(const ProgramSpec& program, std::string_view group);
// "a b c".
std::string join_words(const std::vector<Word>& words);
// " -d --domain --json".
std::string option_words(const std::vector<OptionSpec>& options);
bool takes_paths(ValueKind kind);
// kPath or kDirectory if an argument of the command is one, else kText.
ValueKind argument_kind(const CommandSpec& command);

}  // namespace asl::cli
