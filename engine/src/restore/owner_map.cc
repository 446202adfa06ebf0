#include "restore/owner_map.h"

#include <cerrno>
#include <grp.h>
#include <optional>
#include <pwd.h>
#include <string>
#include <utility>

namespace asl {
namespace {

// Records of users and groups are text lines; groups list their members. Beyond this something is wrong.
constexpr std::size_t kNameBufferBytesMax = 1 << 20;

// Shape of the kernel's struct posix_acl_xattr_header and _entry, little-endian.
constexpr std::uint32_t kAclVersion = 2;
constexpr std::size_t kAclHeaderBytes = 4;
constexpr std::size_t kAclEntryBytes = 8;  // u16 tag, u16 permissions, u32 id
constexpr std::size_t kAclEntryId = 4;
constexpr std::uint16_t kAclUser = 0x02;
constexpr std::uint16_t kAclGroup = 0x08;

template <typename Record, typename Call>
std::optional<Record> look_up(Call call) {
  Record record;
  Record* found = nullptr;
  std::vector<char> buffer(4096);
  for (;;) {
    const int error = call(&record, buffer.data(), buffer.size(), &found);
    if (error == ERANGE && buffer.size() < kNameBufferBytesMax) {
      buffer.resize(buffer.size() * 4);
      continue;
    }
    // The strings in the record die with the buffer; only the numbers are used.
    return error == 0 && found != nullptr ? std::optional(record) : std::nullopt;
  }
}

}  // namespace

OwnerMap OwnerMap::by_name(const std::vector<SnapshotName>& users, const std::vector<SnapshotName>& groups) {
  OwnerMap map;
  for (const SnapshotName& user : users) {
    const auto known =
        look_up<struct passwd>([&](auto... rest) { return ::getpwnam_r(user.name.c_str(), rest...); });
    if (known && known->pw_uid != user.id) map.users_[user.id] = known->pw_uid;
  }
  for (const SnapshotName& group : groups) {
    const auto known =
        look_up<struct group>([&](auto... rest) { return ::getgrnam_r(group.name.c_str(), rest...); });
    if (known && known->gr_gid != group.id) map.groups_[group.id] = known->gr_gid;
  }
  return map;
}

OwnerMap OwnerMap::with(Map users, Map groups) {
  OwnerMap map;
  map.users_ = std::move(users);
  map.groups_ = std::move(groups);
  return map;
}

Bytes OwnerMap::acl(ByteSpan value) const {
  Bytes out(value.begin(), value.end());
  if (out.size() < kAclHeaderBytes || (out.size() - kAclHeaderBytes) % kAclEntryBytes != 0) return out;
  if (load_le<std::uint32_t>(out.data()) != kAclVersion) return out;
  for (std::size_t at = kAclHeaderBytes; at < out.size(); at += kAclEntryBytes) {
    std::byte* const id = out.data() + at + kAclEntryId;
    const auto tag = load_le<std::uint16_t>(out.data() + at);
    if (tag == kAclUser) store_le(id, user(load_le<std::uint32_t>(id)));
    if (tag == kAclGroup) store_le(id, group(load_le<std::uint32_t>(id)));
  }
  return out;
}

}  // namespace asl
