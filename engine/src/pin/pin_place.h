// Where a domain lies, as far as pins are concerned.
#pragma once

#include <memory>
#include <span>
#include <string>

#include <asl/engine/io.h>

#include "io/mount_table.h"
#include "io/program.h"
#include "pin/pin_file_system.h"

namespace asl {

// The place that holds `domain_directory`. kUnsupported, with what to do, if the file system has no snapshots
// of the kind, if the part of it that a snapshot takes holds more than this root (what else is in it would be
// held back too), or if not everything of the domain is in it. `io` and `programs` must outlive the result.
Result<std::unique_ptr<PinFileSystem>> find_pin_place(io::Io& io, const std::string& domain_directory,
                                                      io::ProgramRunner& programs);

// The ZFS data set of `device` in the mount table, which must be mounted whole on one of `tops`. Null if the
// device is not a ZFS data set. Part of the above, apart for its tests.
Result<std::unique_ptr<PinFileSystem>> zfs_data_set(std::span<const io::Mount> mounts, std::uint64_t device,
                                                    std::span<const std::string> tops,
                                                    io::ProgramRunner& programs);

}  // namespace asl
