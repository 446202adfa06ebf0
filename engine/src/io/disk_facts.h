// What a measurement asks of the file system it runs on.
#pragma once

#include <cstdint>
#include <string>

#include <asl/engine/error.h>
#include <asl/engine/io.h>

namespace asl::io {

// Whether files in `directory` can be opened for direct I/O. false also where no file can be made there.
bool has_direct_io(const std::string& directory);

// What an unprivileged user may still write to the file system of `path`.
Result<std::uint64_t> free_bytes(const std::string& path);

// Asks the kernel to drop the clean pages of the file, so that what follows reads it from the disk. A wish:
// pages that are dirty or mapped stay.
Result<void> drop_pages(const File& file);

}  // namespace asl::io
