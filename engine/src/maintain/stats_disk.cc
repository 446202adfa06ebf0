#include <dirent.h>
#include <string_view>

#include "maintain/stats_parts.h"

namespace asl {
namespace {

constexpr std::uint64_t kStatBlockBytes = 512;  // the unit of st_blocks, whatever the file system's is

class DiskWalk {
 public:
  DiskWalk(io::Io& io, const StopToken& stop) : io_(io), stop_(stop) {}

  // Adds what lies below `directory` to `total`, files that end in `ending` to `special` instead.
  Result<void> add(const std::string& directory, std::uint64_t& total, std::string_view ending = {},
                   std::uint64_t* special = nullptr) const {
    ASL_TRY(stop_.check());
    const auto entries = io_.list(directory);
    // A writer removes files of the cache and of store/tmp while they are counted.
    if (!entries) return {};
    for (const io::ListedEntry& entry : *entries) {
      const std::string path = directory + "/" + entry.name;
      if (entry.type == DT_DIR) {
        ASL_TRY(add(path, total, ending, special));
        continue;
      }
      const bool is_special = special != nullptr && entry.name.ends_with(ending);
      (is_special ? *special : total) += file(path);
    }
    return {};
  }

  std::uint64_t file(const std::string& path) const {
    const auto status = io_.status(path);
    return status ? static_cast<std::uint64_t>(status->st_blocks) * kStatBlockBytes : 0;
  }

 private:
  io::Io& io_;
  const StopToken& stop_;
};

}  // namespace

Result<StoreStats::Disk> disk_usage(io::Io& io, const std::string& domain_directory, const StopToken& stop) {
  StoreStats::Disk disk;
  const DomainLayout layout(domain_directory);
  const DiskWalk walk(io, stop);
  ASL_TRY(walk.add(layout.store() + "/blocks", disk.blocks, ".meta", &disk.block_metadata));
  ASL_TRY(walk.add(layout.store() + "/index", disk.segments, ".bf", &disk.blooms));
  ASL_TRY(walk.add(layout.cache(), disk.cache));
  disk.reserve = walk.file(layout.reserve_file());
  ASL_TRY(walk.add(domain_directory + "/log", disk.log));
  std::uint64_t all = 0;
  ASL_TRY(walk.add(domain_directory, all));
  const std::uint64_t known = disk.total();
  disk.other = all > known ? all - known : 0;
  return disk;
}

}  // namespace asl
