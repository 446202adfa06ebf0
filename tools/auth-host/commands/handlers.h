// The commands of the program asl-auth-host that are linked in: the list in tools/auth-host/meson.build.
#pragma once

#include <vector>

#include "program.h"

namespace asl::cli {

std::vector<CommandHandler> auth_host_handlers();

}  // namespace asl::cli
