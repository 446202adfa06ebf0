#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

#include <asl/engine/io.h>

namespace asl::io {
namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A new, empty file; one that a crash left under this name is of no use to anybody.
Result<File> create_afresh(Io& io, const std::string& path) {
  auto file = io.open(path, {.create_new = true});
  if (file || file.error().sys_errno != EEXIST) return file;
  ASL_TRY(io.remove(path));
  return io.open(path, {.create_new = true});
}

Result<void> write_synced(Io& io, const std::string& path, ByteSpan bytes) {
  ASL_ASSIGN(const File file, create_afresh(io, path));
  ASL_TRY(io.write(file, bytes, 0));
  return io.sync(file);
}

}  // namespace

std::unique_ptr<Io> make_default_io() {
  const char* const wish = std::getenv("ASL_IO");
  if (wish != nullptr && std::string_view(wish) == "plain") return make_plain_io();
  return make_uring_io();
}

Result<Bytes> read_file(Io& io, const std::string& path, std::uint64_t size_max) {
  ASL_ASSIGN(const File file, io.open(path, {}));
  ASL_ASSIGN(const struct stat status, io.status(file));
  // Read past the reported size, too: a file may grow, and those of /proc report none.
  const auto expected = static_cast<std::uint64_t>(status.st_size);
  Bytes bytes(std::min(expected, size_max) + 1);
  std::size_t size = 0;
  while (true) {
    ASL_ASSIGN(const std::size_t got, io.read(file, MutableByteSpan(bytes).subspan(size), size));
    size += got;
    if (size > size_max)
      return fail(fail(ErrorCode::kMalformed, "file is longer than allowed").error().with_path(path));
    if (size < bytes.size()) break;
    bytes.resize(std::min<std::uint64_t>(bytes.size() * 2, size_max + 1));
  }
  bytes.resize(size);
  return bytes;
}

Result<void> replace_file(Io& io, const std::string& path, ByteSpan bytes) {
  const std::string temporary = path + ".new";
  if (auto written = write_synced(io, temporary, bytes); !written) {
    // The first failure is what matters; the next call clears what this removal could not.
    (void)io.remove(temporary);
    return written;
  }
  ASL_TRY(io.rename(temporary, path, true));
  return io.sync_directory(parent_of(path));
}

bool exists(Io& io, const std::string& path) {
  return io.status(path).has_value();
}

}  // namespace asl::io
