#include "benchmark/work_place.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "io/disk_facts.h"

namespace asl {
namespace {

constexpr std::string_view kNameStart = "bench-";

std::string lock_file(const std::string& directory) {
  return directory + "/lock";
}

void remove_abandoned(io::Io& io, const std::string& parent) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(parent, failed)) {
    const std::string path = entry.path();
    if (!entry.path().filename().string().starts_with(kNameStart)) continue;
    // Only what a benchmark made has a lock, and only one that is dead has left it.
    if (!io::exists(io, lock_file(path))) continue;
    const auto lock = io.lock(lock_file(path), 0);
    if (lock) std::filesystem::remove_all(path, failed);
  }
}

}  // namespace

Result<WorkPlace> WorkPlace::make(io::Io& io, const std::string& parent) {
  remove_abandoned(io, parent);
  std::string directory = parent + "/" + std::string(kNameStart) + "XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr)
    return fail(system_error(errno, "cannot make a directory", directory));
  auto lock = io.lock(lock_file(directory), 0);
  if (!lock) {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
    return fail(std::move(lock).error());
  }
  return WorkPlace(std::move(directory), std::move(*lock));
}

WorkPlace::~WorkPlace() {
  if (!lock_) return;
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Result<void> WorkPlace::require_free(std::uint64_t bytes) const {
  ASL_ASSIGN(const std::uint64_t free, io::free_bytes(directory_));
  if (free >= bytes) return {};
  return fail(Error{.code = ErrorCode::kNoSpace,
                    .message = "measuring needs " + std::to_string(bytes >> 20) + " MiB free on this disk",
                    .path = directory_,
                    .hint = "measure with less: --size, or --quick"});
}

}  // namespace asl
