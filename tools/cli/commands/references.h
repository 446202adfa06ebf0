// References given on the command line and in lists (--files-from).
#pragma once

#include <functional>
#include <string>

#include <asl/engine/domain.h>

#include "parse.h"

namespace asl::cli {

// Calls `each` with the text of every reference of the positional REF, then of --files-from, as it is read;
// of a line in a list what follows a blank is left out. kUsage if there is none at all.
Result<void> for_each_reference(const ParsedOptions& options,
                                const std::function<Result<void>(const std::string& text)>& each);

}  // namespace asl::cli
