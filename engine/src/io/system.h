// What the implementations that talk to the kernel share: retrying system calls and naming files in errors.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>

#include <asl/engine/error.h>
#include <asl/engine/io.h>

namespace asl::io {

// The most one read or write call transfers (MAX_RW_COUNT of the kernel, at 4 KiB pages).
inline constexpr std::size_t kTransferSizeMax = 0x7ffff000;

// Runs `call` again for as long as it fails with EINTR.
template <typename Call>
auto retry_interrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// Success for 0 and more, else the error of errno.
template <typename Number>
Result<void> check(Number result, const char* message, const std::string& path) {
  if (result < 0) return fail(system_error(errno, message, path));
  return {};
}

// The path an open file has now, for error messages; empty if the kernel does not tell.
std::string path_of(const File& file);

// Whether `position` is where reading must stop. Direct I/O cannot be continued after the odd bytes at the
// end of a file: the kernel then answers EINVAL instead of 0, which this tells from a real error.
bool is_end_of_file(const File& file, std::uint64_t position);

}  // namespace asl::io
