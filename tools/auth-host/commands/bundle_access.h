// Bundles as commands meet them.
#pragma once

#include <string>

#include <asl/auth/bundle.h>

#include "program.h"

namespace asl::cli {

// The bundle in the file, opened by the identities of --identity and judged by what `host` knows.
Result<auth::Bundle> read_bundle(const ParsedOptions& options, const std::string& path,
                                 const auth::BundleHost& host);

}  // namespace asl::cli
