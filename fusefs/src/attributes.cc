#include "attributes.h"

#include <algorithm>
#include <fmt/format.h>

#include <asl/engine/file_content.h>

namespace asl::fusefs {
namespace {

constexpr std::string_view kOwnPrefix = "user.asl.";
constexpr std::uint64_t kStatBlockBytes = 512;  // the unit of st_blocks
// The longest value that the kernel hands to a program.
constexpr std::size_t kXattrValueMax = 64 << 10;

Bytes to_bytes(std::string_view text) {
  const ByteSpan bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

std::string flag_words(std::uint32_t flags) {
  std::string words;
  const auto add = [&](std::uint32_t flag, std::string_view word) {
    if ((flags & flag) == 0) return;
    if (!words.empty()) words += ',';
    words += word;
  };
  add(kEntryChanged, "changed");
  add(kEntryPartial, "partial");
  add(kEntryMetadataIncomplete, "metadata-incomplete");
  add(kEntryNotFullyListed, "not-fully-listed");
  return words;
}

// "0x<offset> 0x<length> <status>" lines, as restore leaves them on a file.
Reply<Bytes> bad_ranges(const XattrSubject& subject) {
  ASL_ASSIGN(const FileContent content, FileContent::open(subject.domain, subject.entry));
  std::string text;
  const auto& gaps = content.gaps();
  for (std::size_t k = 0; k < gaps.size(); ++k) {
    const std::string line = fmt::format("{:#x} {:#x} {}\n", gaps[k].offset_bytes, gaps[k].length_bytes,
                                         static_cast<char>(gaps[k].status));
    const std::string rest = fmt::format("# and {} more\n", gaps.size() - k);
    if (text.size() + line.size() + rest.size() > kXattrValueMax) {
      text += rest;
      break;
    }
    text += line;
  }
  return to_bytes(text);
}

Reply<Bytes> own_value(const XattrSubject& subject, std::string_view name) {
  const Entry& entry = subject.entry;
  if (name == "ref" && !entry.content.is_null()) return to_bytes(to_text(entry.content));
  if (name == "flags" && entry.flags != 0) return to_bytes(flag_words(entry.flags));
  if (entry.type == EntryType::kFile) {
    const bool partial = (entry.flags & kEntryPartial) != 0;
    if (name == "sha256" && !partial) return to_bytes(to_hex(entry.content.digest));
    if (name == "bad_ranges" && partial) return bad_ranges(subject);
  }
  if (subject.snapshot_id) {
    if (name == "snapshot") return to_bytes(std::to_string(*subject.snapshot_id));
    if (name == "partial") return to_bytes(std::to_string(subject.partial_files));
  }
  return refuse(ENODATA);
}

}  // namespace

mode_t file_type(EntryType type) {
  switch (type) {
    case EntryType::kFile:
      return S_IFREG;
    case EntryType::kDirectory:
      return S_IFDIR;
    case EntryType::kSymlink:
      return S_IFLNK;
    case EntryType::kCharDevice:
      return S_IFCHR;
    case EntryType::kBlockDevice:
      return S_IFBLK;
    case EntryType::kFifo:
      return S_IFIFO;
    case EntryType::kSocket:
      return S_IFSOCK;
  }
  return S_IFREG;
}

struct stat status_of(const Entry& entry, std::uint64_t inode) {
  struct stat status{};
  status.st_ino = inode;
  status.st_mode = file_type(entry.type) | entry.mode;
  status.st_nlink = static_cast<nlink_t>(std::max<std::uint64_t>(entry.nlink, 1));
  status.st_uid = entry.uid;
  status.st_gid = entry.gid;
  status.st_rdev = entry.rdev;
  // Trees keep the sizes of files only; that of a symlink is its target's.
  const bool is_link = entry.type == EntryType::kSymlink;
  status.st_size = static_cast<off_t>(is_link ? entry.symlink_target.size() : entry.size_bytes);
  status.st_blksize = kBlockSize;
  if (entry.type == EntryType::kFile)
    status.st_blocks =
        static_cast<blkcnt_t>((entry.size_bytes - entry.hole_bytes + kStatBlockBytes - 1) / kStatBlockBytes);
  status.st_mtim.tv_sec = entry.mtime_s;
  status.st_mtim.tv_nsec = entry.mtime_ns;
  status.st_atim = status.st_mtim;
  status.st_ctim = status.st_mtim;
  return status;
}

std::string listed_xattrs(const Entry& entry) {
  std::string names;
  for (const Xattr& xattr : entry.xattrs) {
    const std::string_view name = as_text(xattr.name);
    if (name.starts_with(kOwnPrefix)) continue;
    names += name;
    names += '\0';
  }
  return names;
}

Reply<Bytes> xattr_value(const XattrSubject& subject, std::string_view name) {
  if (name.starts_with(kOwnPrefix)) return own_value(subject, name.substr(kOwnPrefix.size()));
  const auto& xattrs = subject.entry.xattrs;
  const auto found = std::ranges::find_if(xattrs, [&](const Xattr& x) { return as_text(x.name) == name; });
  if (found == xattrs.end()) return refuse(ENODATA);
  if (found->ref.is_null()) return found->value;
  ASL_ASSIGN(const Artifact artifact, subject.domain.find(found->ref));
  if (artifact.length() > kXattrValueMax) return refuse(E2BIG);
  Bytes value(artifact.length());
  ASL_TRY(artifact.read(0, value));
  return value;
}

Reply<Bytes> blob_xattr_value(const Reference& ref, std::string_view name) {
  if (name == "user.asl.ref") return to_bytes(to_text(ref));
  if (name == "user.asl.sha256" && !ref.is_typed()) return to_bytes(to_hex(ref.digest));
  return refuse(ENODATA);
}

}  // namespace asl::fusefs
