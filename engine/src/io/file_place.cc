#include "io/file_place.h"

#include <cstring>
#include <limits>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

namespace asl::io {

std::optional<std::uint64_t> device_offset(const File& file) {
  // The kernel fills in what follows the head: room for one extent.
  alignas(struct fiemap) std::byte room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)] = {};
  struct fiemap head = {};
  head.fm_length = std::numeric_limits<std::uint64_t>::max();
  head.fm_extent_count = 1;
  std::memcpy(room, &head, sizeof head);
  if (::ioctl(file.fd(), FS_IOC_FIEMAP, room) != 0) return std::nullopt;
  std::memcpy(&head, room, sizeof head);
  if (head.fm_mapped_extents == 0) return std::nullopt;
  struct fiemap_extent extent = {};
  std::memcpy(&extent, room + sizeof head, sizeof extent);
  if ((extent.fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC)) != 0) return std::nullopt;
  return extent.fe_physical;
}

}  // namespace asl::io
