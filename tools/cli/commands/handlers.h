// The commands of the program asl that are linked in: the list in tools/cli/meson.build.
#pragma once

#include <vector>

#include "program.h"

namespace asl::cli {

std::vector<CommandHandler> asl_handlers();

}  // namespace asl::cli
