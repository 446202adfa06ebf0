// What most commands begin with: the root and the domain that the command line names.
#pragma once

#include <memory>

#include <asl/engine/domain.h>
#include <asl/engine/host_root.h>
#include <asl/engine/io.h>

#include "program.h"

namespace asl::cli {

// Owns the I/O and the domain; in order of use.
struct OpenStore {
  std::unique_ptr<io::Io> io;
  std::unique_ptr<HostRoot> root;
  std::unique_ptr<Domain> domain;
};

// Opens the root of --root and the domain of --domain (or the only one). Warns if the domain's log is
// damaged.
Result<OpenStore> open_store(Context& context, const DomainOptions& options = {});

}  // namespace asl::cli
