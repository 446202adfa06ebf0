#include "transfer/acl_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>

namespace asl {
namespace {

// The layout of the attribute: include/uapi/linux/posix_acl_xattr.h.
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kHeaderSize = 4;
constexpr std::size_t kEntrySize = 8;
constexpr std::uint32_t kNoId = 0xFFFFFFFF;
constexpr std::uint16_t kPermissionsMask = 7;

bool has_id(AclTag tag) {
  return tag == AclTag::kUser || tag == AclTag::kGroup;
}

std::string_view tag_name(AclTag tag) {
  switch (tag) {
    case AclTag::kOwner:
    case AclTag::kUser:
      return "user";
    case AclTag::kOwningGroup:
    case AclTag::kGroup:
      return "group";
    case AclTag::kMask:
      return "mask";
    case AclTag::kOther:
      break;
  }
  return "other";
}

bool is_tag(std::uint16_t value) {
  constexpr std::uint16_t kLast = 0x20;
  return value != 0 && value <= kLast && (value & (value - 1)) == 0;
}

}  // namespace

std::optional<std::vector<AclEntry>> decode_acl(ByteSpan value) {
  if (value.size() < kHeaderSize || (value.size() - kHeaderSize) % kEntrySize != 0) return std::nullopt;
  if (load_le<std::uint32_t>(value.data()) != kVersion) return std::nullopt;
  std::vector<AclEntry> entries;
  for (std::size_t at = kHeaderSize; at < value.size(); at += kEntrySize) {
    const auto tag = load_le<std::uint16_t>(value.data() + at);
    const auto permissions = load_le<std::uint16_t>(value.data() + at + 2);
    if (!is_tag(tag) || permissions > kPermissionsMask) return std::nullopt;
    AclEntry entry{.tag = static_cast<AclTag>(tag), .permissions = permissions};
    if (has_id(entry.tag)) entry.id = load_le<std::uint32_t>(value.data() + at + 4);
    entries.push_back(entry);
  }
  return entries;
}

Bytes encode_acl(std::vector<AclEntry> entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const AclEntry& a, const AclEntry& b) {
    return std::tuple(a.tag, a.id) < std::tuple(b.tag, b.id);
  });
  Bytes value(kHeaderSize + entries.size() * kEntrySize);
  store_le(value.data(), kVersion);
  std::byte* at = value.data() + kHeaderSize;
  for (const AclEntry& entry : entries) {
    store_le(at, static_cast<std::uint16_t>(entry.tag));
    store_le(at + 2, entry.permissions);
    store_le(at + 4, has_id(entry.tag) ? entry.id : kNoId);
    at += kEntrySize;
  }
  return value;
}

std::string acl_to_text(const std::vector<AclEntry>& entries, const AclNames& user_name,
                        const AclNames& group_name) {
  std::string text;
  for (const AclEntry& entry : entries) {
    std::string name;
    if (has_id(entry.tag)) {
      name = entry.tag == AclTag::kUser ? user_name(entry.id) : group_name(entry.id);
      if (name.empty()) name = std::to_string(entry.id);
    }
    const auto bit = [&](unsigned value, char letter) {
      return (entry.permissions & value) != 0 ? letter : '-';
    };
    text += fmt::format("{}{}:{}:{}{}{}", text.empty() ? "" : ",", tag_name(entry.tag), name, bit(4, 'r'),
                        bit(2, 'w'), bit(1, 'x'));
    if (has_id(entry.tag)) text += fmt::format(":{}", entry.id);
  }
  return text;
}

}  // namespace asl
