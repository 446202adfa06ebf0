// Plain system calls that lengthen files without reserving their space: where files lie in memory, that would
// fill a block of 256 MiB with zeros for each of thousands of stores.
#pragma once

#include "io/plain_io.h"

namespace asl::test {

class LazyIo final : public io::PlainIo {
 public:
  Result<void> allocate(const io::File& file, std::uint64_t length) override {
    ASL_ASSIGN(const struct stat now, status(file));
    return static_cast<std::uint64_t>(now.st_size) < length ? truncate(file, length) : Result<void>{};
  }
};

}  // namespace asl::test
