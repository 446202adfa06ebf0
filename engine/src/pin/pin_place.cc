#include "pin/pin_place.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <optional>

#include "io/subvolume.h"
#include "io/tree_fs.h"
#include "pin/btrfs_pins.h"
#include "pin/zfs_pins.h"

namespace asl {
namespace {

// What a pin must have for its store to open and read.
constexpr std::array<const char*, 4> kParts = {"/log", "/store", "/store/blocks", "/store/index"};

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

// The directories with nothing in them but this root: the domain's own, and where it lies in a root
// (<root>/domains/<id>), those above it up to the root's.
std::vector<std::string> own_directories(io::Io& io, const std::string& domain) {
  std::vector<std::string> own{domain};
  const std::string domains = parent_of(domain);
  const std::string root = parent_of(domains);
  if (domains.ends_with("/domains") && io::exists(io, root + "/host/layout")) {
    own.push_back(domains);
    own.push_back(root);
  }
  return own;
}

Error not_alone(const std::string& place, const std::string& top, const std::string& hint) {
  return {.code = ErrorCode::kUnsupported,
          .message =
              "pins need a place of this root's own: they would hold back whatever else is in the " + place,
          .path = top,
          .hint = hint};
}

Result<void> check_whole(const std::string& domain) {
  ASL_ASSIGN(const io::SourceStat whole, io::stat_at(AT_FDCWD, domain.c_str()));
  for (const char* part : kParts) {
    const std::string path = domain + part;
    ASL_ASSIGN(const std::string real, io::real_path(path));
    ASL_ASSIGN(const io::SourceStat status, io::stat_at(AT_FDCWD, real.c_str()));
    if (status.device != whole.device)
      return fail(Error{.code = ErrorCode::kUnsupported,
                        .message = "a pin would not hold all of the domain: this is on another file system",
                        .path = path,
                        .hint = "keep log/ and store/ in one data set or subvolume"});
  }
  return {};
}

Result<std::unique_ptr<PinFileSystem>> btrfs_subvolume(io::Io& io, const std::string& domain) {
  const std::vector<std::string> own = own_directories(io, domain);
  std::string top = domain;
  while (true) {
    ASL_ASSIGN(const io::File directory, io.open(top, {.directory = true}));
    ASL_ASSIGN(const bool found, io::is_subvolume(directory.fd()));
    if (found) break;
    if (top == "/") return fail(ErrorCode::kUnsupported, "cannot find the subvolume's top");
    top = parent_of(top);
  }
  if (std::ranges::find(own, top) == own.end())
    return fail(
        not_alone("subvolume", top,
                  "btrfs subvolume create a new directory, and move the root " + own.back() + " into it"));
  return std::make_unique<BtrfsPins>(io, top);
}

// Whoever may mount by FUSE can call it anything: only what the superuser mounted is taken for ZFS.
bool is_zfs(const io::Mount& mount) {
  if (mount.type == "zfs") return true;
  const std::string options = "," + mount.super_options + ",";
  return mount.type == "fuse.zfs" && options.find(",user_id=0,") != std::string::npos;
}

}  // namespace

Result<std::unique_ptr<PinFileSystem>> zfs_data_set(std::span<const io::Mount> mounts, std::uint64_t device,
                                                    std::span<const std::string> tops,
                                                    io::ProgramRunner& programs) {
  std::optional<io::Mount> somewhere;
  for (const io::Mount& mount : mounts) {
    if (mount.device != device || !is_zfs(mount) || !is_data_set_name(mount.source)) continue;
    const bool own = mount.root == "/" && std::ranges::find(tops, mount.point) != tops.end();
    if (own) return std::make_unique<ZfsPins>(mount.source, programs);
    if (!somewhere) somewhere = mount;
  }
  if (!somewhere) return nullptr;
  return fail(
      not_alone("ZFS data set", somewhere->source,
                "zfs create " + somewhere->source + "/asl, and move the root " + tops.back() + " into it"));
}

Result<std::unique_ptr<PinFileSystem>> find_pin_place(io::Io& io, const std::string& domain_directory,
                                                      io::ProgramRunner& programs) {
  ASL_ASSIGN(const std::string domain, io::real_path(domain_directory));
  ASL_ASSIGN(const io::File directory, io.open(domain, {.directory = true}));
  ASL_ASSIGN(const bool on_btrfs, io::is_on_btrfs(directory.fd()));
  std::unique_ptr<PinFileSystem> place;
  if (on_btrfs) {
    ASL_ASSIGN(place, btrfs_subvolume(io, domain));
  } else {
    ASL_ASSIGN(const io::SourceStat status, io::stat_fd(directory.fd()));
    ASL_ASSIGN(const std::vector<io::Mount> mounts, io::read_mount_table());
    ASL_ASSIGN(place, zfs_data_set(mounts, status.device, own_directories(io, domain), programs));
  }
  if (place == nullptr)
    return fail(Error{.code = ErrorCode::kUnsupported,
                      .message = "pins need ZFS or btrfs, and this root is on neither",
                      .path = domain,
                      .hint = "set store.pin to false in host/config.yaml"});
  ASL_TRY(check_whole(domain));
  return place;
}

}  // namespace asl
