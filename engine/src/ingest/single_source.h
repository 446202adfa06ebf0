// Sources that are not directories: a file, a disk image, a block device, standard input, a command.
#pragma once

#include <string>

#include <asl/engine/error.h>
#include <asl/engine/tree.h>

#include "ingest/ingest_run.h"

namespace asl {

// Ingests the file or device at `path` (a symlink is followed) into `entry`, whose name is set. Unreadable
// ranges make it partial. kNotFound if it is not there; kUnsupported for a type that has no content.
Result<void> ingest_file(IngestRun& run, const std::string& path, Entry& entry);

// Reads descriptor 0, or the output of options.stdin_command, to its end.
Result<void> ingest_stream(IngestRun& run, Entry& entry);

}  // namespace asl
