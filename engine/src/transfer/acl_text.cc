#include "transfer/acl_text.h"

#include <algorithm>
#include <charconv>
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

namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::uint32_t> id_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint16_t> permission_bits(std::string_view text) {
  std::uint16_t bits = 0;
  for (const char c : text) {
    if (c == 'r')
      bits |= 4;
    else if (c == 'w')
      bits |= 2;
    else if (c == 'x')
      bits |= 1;
    else if (c != '-')
      return std::nullopt;
  }
  return bits;
}

// "tag:qualifier:permissions[:id]"; "other" and "mask" may leave their empty qualifier out.
std::optional<AclEntry> entry_from_text(std::string_view text, const AclIds& user_id,
                                        const AclIds& group_id) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(':', at), text.size());
    parts.push_back(trimmed(text.substr(at, end - at)));
    at = end + 1;
  }
  const bool is_mask = parts[0] == "mask" || parts[0] == "m";
  const bool is_other = parts[0] == "other" || parts[0] == "o";
  if (parts.size() == 2 && (is_mask || is_other)) parts.insert(parts.begin() + 1, std::string_view());
  if (parts.size() < 3 || parts.size() > 4) return std::nullopt;
  const bool is_user = parts[0] == "user" || parts[0] == "u";
  if (!is_user && !is_mask && !is_other && parts[0] != "group" && parts[0] != "g") return std::nullopt;
  const auto permissions = permission_bits(parts[2]);
  if (!permissions) return std::nullopt;
  AclEntry entry{.permissions = *permissions};
  if (is_mask || is_other) {
    entry.tag = is_mask ? AclTag::kMask : AclTag::kOther;
    return parts[1].empty() ? std::optional(entry) : std::nullopt;
  }
  if (parts[1].empty()) {
    entry.tag = is_user ? AclTag::kOwner : AclTag::kOwningGroup;
    return entry;
  }
  entry.tag = is_user ? AclTag::kUser : AclTag::kGroup;
  auto id = parts.size() == 4 ? id_number(parts[3]) : id_number(parts[1]);
  if (!id) id = (is_user ? user_id : group_id)(std::string(parts[1]));
  if (!id) return std::nullopt;
  entry.id = *id;
  return entry;
}

}  // namespace

std::optional<std::vector<AclEntry>> acl_from_text(std::string_view text, const AclIds& user_id,
                                                   const AclIds& group_id) {
  std::vector<AclEntry> entries;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(",\n"), text.size());
    std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    item = trimmed(item.substr(0, item.find('#')));
    if (item.empty()) continue;
    const auto entry = entry_from_text(item, user_id, group_id);
    if (!entry) return std::nullopt;
    entries.push_back(*entry);
  }
  return entries;
}

bool acl_is_mode_only(const std::vector<AclEntry>& entries) {
  return std::all_of(entries.begin(), entries.end(), [](const AclEntry& entry) {
    return entry.tag == AclTag::kOwner || entry.tag == AclTag::kOwningGroup || entry.tag == AclTag::kOther;
  });
}

}  // namespace asl
