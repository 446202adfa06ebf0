// --help and usage lines, from the table.
#pragma once

#include <string>

#include "option_table.h"
#include "output.h"
#include "parse.h"

namespace asl::cli {

// "asl ingest [OPTION]... SOURCE...", without a newline.
std::string usage_line(const ProgramSpec& program, const CommandSpec& command);
std::string usage_line(const ProgramSpec& program, std::string_view group = {});

// The whole page, at most `width` columns wide.
std::string program_help(const ProgramSpec& program, std::size_t width);
std::string group_help(const ProgramSpec& program, std::string_view group, std::size_t width);
std::string command_help(const ProgramSpec& program, const CommandSpec& command, std::size_t width);
// The one of them that a parsed command line asks for, as wide as the terminal allows.
void show_help(const ProgramSpec& program, const CommandLine& line, Output& out);

// "-d, --domain NAME": an option as shown in help and man pages.
std::string option_synopsis(const OptionSpec& option);
// Help with its default, choices and repeatability spelled out, ending with a stop.
std::string option_explanation(const OptionSpec& option);
// " SOURCE..." with its leading blank; "[PATH]" where optional.
std::string positional_synopsis(const PositionalSpec& positional);
// The exit codes of a command: the common ones and its own, ascending.
std::vector<ExitCodeSpec> exit_codes_of(const CommandSpec& command);

}  // namespace asl::cli
