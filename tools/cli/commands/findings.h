// What is wrong with a store, as verify and repair print it.
#pragma once

#include <cstdint>
#include <vector>

#include <asl/engine/verify.h>

#include "json_out.h"
#include "program.h"

namespace asl::cli {

Json findings_json(const std::vector<Finding>& findings);
// `count` may be more than are listed.
void print_findings(Context& context, const std::vector<Finding>& findings, std::uint64_t count);

}  // namespace asl::cli
