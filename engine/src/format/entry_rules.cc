#include <algorithm>

#include <asl/engine/hash.h>
#include <asl/engine/tree.h>

#include "format/entry_codec.h"

namespace asl {
namespace {

bool has_nul(ByteSpan bytes) {
  return std::ranges::find(bytes, std::byte{0}) != bytes.end();
}

std::uint64_t inline_xattr_bytes(const Entry& entry) {
  std::uint64_t total = 0;
  for (const Xattr& xattr : entry.xattrs) total += xattr.value.size();
  return total;
}

std::string_view violated_xattr_rule(const Entry& entry) {
  if (entry.xattrs.empty()) return {};
  if (entry.xattrs.size() > kXattrsPerEntryMax) return "an entry has too many extended attributes";
  std::uint64_t names_total = 0;
  const Xattr* previous = nullptr;
  for (const Xattr& xattr : entry.xattrs) {
    if (xattr.name.empty() || xattr.name.size() > kXattrNameSizeMax || has_nul(xattr.name))
      return "an extended attribute's name is not valid";
    if (previous != nullptr && previous->name >= xattr.name)
      return "extended attributes are not sorted by name, each once";
    if (xattr.ref.is_null()) {
      if (xattr.value.size() > kXattrInlineSizeMax) return "an inline extended attribute is too long";
    } else {
      if (xattr.ref.is_typed()) return "an extended attribute's value is a typed artifact";
      if (!xattr.value.empty()) return "an extended attribute has a value and a reference";
    }
    names_total += xattr.name.size() + 1;
    previous = &xattr;
  }
  if (names_total > kXattrNamesTotalMax) return "the names of an entry's extended attributes are too long";
  if (xattrs_need_references(entry)) return "an entry's inline extended attributes are too long in total";
  return {};
}

std::string_view violated_content_rule(const Entry& entry) {
  const bool partial = (entry.flags & kEntryPartial) != 0;
  if (entry.type == EntryType::kFile) {
    if (entry.content.is_null()) return "a file has no content";
    if (entry.content.is_typed() != partial) return "a file's content must be typed exactly if it is partial";
    return {};
  }
  if (partial) return "an entry that is no file is marked as partial";
  if (entry.hole_bytes != 0) return "an entry that is no file has holes";
  if (entry.type == EntryType::kDirectory)
    return entry.content.is_typed() ? std::string_view{} : "a directory's content is not a tree";
  return entry.content.is_null() ? std::string_view{} : "an entry that is no file or directory has content";
}

// What only one type of entry may have.
std::string_view violated_type_rule(const Entry& entry) {
  const bool is_directory = entry.type == EntryType::kDirectory;
  const bool is_symlink = entry.type == EntryType::kSymlink;
  const bool is_device = entry.type == EntryType::kCharDevice || entry.type == EntryType::kBlockDevice;
  if (!is_symlink && !entry.symlink_target.empty()) return "an entry that is no symlink has a target";
  if (is_symlink) {
    if (entry.symlink_target.size() > kSymlinkTargetSizeMax || has_nul(as_bytes(entry.symlink_target)))
      return "a symlink's target is not valid";
    if (entry.symlink_target.empty() && (entry.flags & kEntryMetadataIncomplete) == 0)
      return "a symlink has no target";
  }
  if (!is_device && entry.rdev != 0) return "an entry that is no device has a device number";
  if (!is_directory && entry.below != 0) return "an entry that is no directory has entries below it";
  if (!is_directory && (entry.flags & kEntryNotFullyListed) != 0)
    return "an entry that is no directory is marked as not fully listed";
  if (is_directory && entry.hardlink_id != 0) return "a directory is marked as hard-linked";
  return {};
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameSizeMax && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

bool xattrs_need_references(const Entry& entry) {
  return inline_xattr_bytes(entry) > kXattrInlineTotalMax;
}

std::uint64_t hardlink_id(std::string_view device_path, std::uint64_t inode) {
  std::array<std::byte, 9> suffix{};
  store_le(suffix.data() + 1, inode);
  Sha256 hash;
  hash.update(as_bytes(device_path));
  hash.update(suffix);
  const auto id = load_le<std::uint64_t>(hash.finish().data());
  return id == 0 ? 1 : id;  // 0 says "not hard-linked"
}

std::string_view violated_rule(const Entry& entry, NameRule name_rule) {
  if (!is_valid_name(entry.name) && !(entry.name.empty() && name_rule == NameRule::kNameOrEmpty))
    return "a name is empty, too long, \".\", \"..\", or holds a slash or a NUL";
  if (entry.type > EntryType::kSocket) return "an entry has an unknown type";
  if ((entry.mode & ~kModeMask) != 0) return "a mode has more than its 12 bits";
  if (entry.mtime_ns >= kNanosecondsPerSecond || entry.btime_ns >= kNanosecondsPerSecond)
    return "a time has a thousand million nanoseconds or more";
  if (!entry.btime_s && entry.btime_ns != 0) return "an unknown birth time has nanoseconds";
  if (entry.size_bytes > kArtifactLengthMax) return "a size is too large";
  if (entry.hole_bytes > entry.size_bytes) return "a file has more holes than bytes";
  if ((entry.flags & ~kEntryFlagsKnown) != 0) return "an entry has unknown flags";
  if (entry.below > kSubtreeEntriesMax) return "a directory has too many entries below it";
  if (const auto rule = violated_content_rule(entry); !rule.empty()) return rule;
  if (const auto rule = violated_type_rule(entry); !rule.empty()) return rule;
  return violated_xattr_rule(entry);
}

Result<void> check_entry(const Entry& entry) {
  const std::string_view rule = violated_rule(entry, NameRule::kName);
  if (rule.empty()) return {};
  Error error;
  error.code = ErrorCode::kMalformed;
  error.message = rule;
  error.object = entry.name;
  return fail(std::move(error));
}

}  // namespace asl
