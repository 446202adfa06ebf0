#include "commands/entry_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/sysmacros.h>

#include "text.h"

namespace asl::cli {
namespace {

char type_letter(EntryType type) {
  constexpr std::string_view kLetters = "-dlcbps";
  return kLetters[static_cast<std::size_t>(type)];
}

bool is_device(const Entry& entry) {
  return entry.type == EntryType::kCharDevice || entry.type == EntryType::kBlockDevice;
}

}  // namespace

std::string_view type_name(EntryType type) {
  constexpr std::string_view kNames[] = {"file", "directory", "symlink", "char", "block", "fifo", "socket"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string mode_text(const Entry& entry) {
  std::string text(1, type_letter(entry.type));
  constexpr std::string_view kBits = "rwxrwxrwx";
  for (unsigned bit = 0; bit < kBits.size(); ++bit)
    text += (entry.mode & (0400U >> bit)) != 0 ? kBits[bit] : '-';
  const auto special = [&](unsigned mask, std::size_t at, char with_x, char without_x) {
    if ((entry.mode & mask) != 0) text[at] = text[at] == 'x' ? with_x : without_x;
  };
  special(04000, 3, 's', 'S');
  special(02000, 6, 's', 'S');
  special(01000, 9, 't', 'T');
  return text;
}

std::vector<std::string_view> flag_words(const Entry& entry) {
  std::vector<std::string_view> words;
  if ((entry.flags & kEntryChanged) != 0) words.emplace_back("changed");
  if ((entry.flags & kEntryPartial) != 0) words.emplace_back("partial");
  if ((entry.flags & kEntryMetadataIncomplete) != 0) words.emplace_back("metadata-incomplete");
  if ((entry.flags & kEntryNotFullyListed) != 0) words.emplace_back("not-fully-listed");
  return words;
}

std::string OwnerNames::name_of(const std::vector<SnapshotName>& names, std::uint32_t id) const {
  const auto at = std::ranges::lower_bound(names, id, {}, &SnapshotName::id);
  return numeric_ || at == names.end() || at->id != id ? std::to_string(id) : at->name;
}
std::string OwnerNames::user(const Entry& entry) const {
  return name_of(snapshot_.users, entry.uid);
}
std::string OwnerNames::group(const Entry& entry) const {
  return name_of(snapshot_.groups, entry.gid);
}

std::string long_text(const Entry& entry, const OwnerNames& names) {
  const std::string size = is_device(entry)
                               ? fmt::format("{}, {}", gnu_dev_major(entry.rdev), gnu_dev_minor(entry.rdev))
                               : std::to_string(entry.size_bytes);
  return fmt::format("{} {:>3} {:<8} {:<8} {:>12} {}", mode_text(entry), entry.nlink,
                     printable(names.user(entry)), printable(names.group(entry)), size,
                     format_time(entry.mtime_s));
}

std::string long_tail(const Entry& entry) {
  std::string text;
  if (entry.type == EntryType::kSymlink) text += " -> " + printable(entry.symlink_target);
  const auto words = flag_words(entry);
  for (std::size_t k = 0; k < words.size(); ++k) text += fmt::format("{}{}", k == 0 ? "  [" : " ", words[k]);
  return words.empty() ? text : text + "]";
}

Json entry_json(const std::string& path, const Entry& entry, const OwnerNames& names) {
  Json row = Json::object();
  put_bytes(row, "path", path);
  row["type"] = type_name(entry.type);
  row["mode"] = fmt::format("{:04o}", entry.mode);
  row["uid"] = entry.uid;
  row["gid"] = entry.gid;
  row["user"] = names.user(entry);
  row["group"] = names.group(entry);
  row["size"] = entry.size_bytes;
  put_time(row, "mtime", entry.mtime_s, entry.mtime_ns);
  row["nlink"] = entry.nlink;
  if (!entry.content.is_null()) row["content"] = to_text(entry.content);
  if (entry.hole_bytes > 0) row["hole_bytes"] = entry.hole_bytes;
  if (entry.type == EntryType::kSymlink) put_bytes(row, "target", entry.symlink_target);
  if (is_device(entry)) {
    row["major"] = gnu_dev_major(entry.rdev);
    row["minor"] = gnu_dev_minor(entry.rdev);
  }
  if (entry.type == EntryType::kDirectory) row["below"] = entry.below;
  if (entry.hardlink_id != 0) row["hardlink_id"] = fmt::format("{:016x}", entry.hardlink_id);
  if (const auto words = flag_words(entry); !words.empty()) row["flags"] = words;
  return row;
}

}  // namespace asl::cli
