// What of a source could not be saved, for commands that make snapshots.
#pragma once

#include <cstdint>
#include <vector>

#include <asl/engine/source_errors.h>

#include "json_out.h"
#include "program.h"

namespace asl::cli {

// `problems` are the first of `count`.
void warn_of_problems(Context& context, const std::vector<SourceError>& problems, std::uint64_t count);
// "problem_count" and "problems" (doc/json.md).
void put_problems(Json& json, const std::vector<SourceError>& problems, std::uint64_t count);

}  // namespace asl::cli
