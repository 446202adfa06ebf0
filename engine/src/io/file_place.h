// Where on its device a file begins.
#pragma once

#include <cstdint>
#include <optional>

#include <asl/engine/io.h>

namespace asl::io {

// The byte offset of the file's first extent on the device below, from the FIEMAP ioctl (Linux,
// Documentation/filesystems/fiemap.rst). Nothing where the file system does not say, or the file has no
// extent yet. A hint for the order of reads, nothing more: a file may lie in pieces.
std::optional<std::uint64_t> device_offset(const File& file);

}  // namespace asl::io
