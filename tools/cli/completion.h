// Shell completion scripts from the table.
#pragma once

#include <string>

#include "option_table.h"

namespace asl::cli {

// Each completes commands, options, choices and paths, and needs nothing but the shell itself.
std::string bash_completion(const ProgramSpec& program);
std::string zsh_completion(const ProgramSpec& program);
std::string fish_completion(const ProgramSpec& program);

}  // namespace asl::cli
