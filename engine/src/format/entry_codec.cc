#include "format/entry_codec.h"

namespace asl {
namespace {

constexpr std::uint32_t kEntryFields = 18;
constexpr std::uint32_t kExtFields = 3;
constexpr std::uint64_t kU32Max = std::numeric_limits<std::uint32_t>::max();

void write_xattr(CmWriter& writer, const Xattr& xattr) {
  const bool is_inline = xattr.ref.is_null();
  writer.array(is_inline ? 2 : 3);
  writer.bin(xattr.name);
  if (is_inline) return writer.bin(xattr.value);
  writer.nil();
  writer.reference(xattr.ref);
}

Result<void> read_xattr(CmReader& reader, Xattr& xattr) {
  ASL_ASSIGN(const std::uint32_t fields, reader.array(3));
  if (fields < 2) return fail(reader.violation("an extended attribute has neither value nor reference"));
  ASL_ASSIGN(const ByteSpan name, reader.bin(kXattrNameSizeMax));
  xattr.name.assign(name.begin(), name.end());
  if (fields == 2) {
    ASL_ASSIGN(const ByteSpan value, reader.bin(kXattrInlineSizeMax));
    xattr.value.assign(value.begin(), value.end());
    return {};
  }
  ASL_TRY(reader.nil());
  ASL_ASSIGN(xattr.ref, reader.reference());
  return {};
}

Result<void> read_xattrs(CmReader& reader, std::vector<Xattr>& xattrs) {
  ASL_ASSIGN(const std::uint32_t count, reader.array(kXattrsPerEntryMax));
  xattrs.clear();
  xattrs.resize(count);
  for (Xattr& xattr : xattrs) ASL_TRY(read_xattr(reader, xattr));
  return {};
}

Result<void> read_u32(CmReader& reader, std::uint32_t& into) {
  ASL_ASSIGN(const std::uint64_t value, reader.uint(kU32Max));
  into = static_cast<std::uint32_t>(value);
  return {};
}

Result<void> read_ext(CmReader& reader, Entry& entry) {
  ASL_TRY(reader.array_exactly(kExtFields));
  entry.btime_s.reset();
  if (reader.at_nil()) {
    ASL_TRY(reader.nil());
  } else {
    ASL_ASSIGN(entry.btime_s, reader.sint());
  }
  ASL_TRY(read_u32(reader, entry.btime_ns));
  return read_u32(reader, entry.inode_flags);
}

Result<void> read_symlink_target(CmReader& reader, Entry& entry) {
  entry.symlink_target.clear();
  if (entry.type != EntryType::kSymlink) return reader.nil();
  ASL_ASSIGN(const ByteSpan target, reader.bin(kSymlinkTargetSizeMax));
  entry.symlink_target = as_text(target);
  return {};
}

// The part that nearly every look-up needs: name, type, owners, time, size.
Result<void> read_status(CmReader& reader, Entry& entry) {
  ASL_ASSIGN(const ByteSpan name, reader.bin(kNameSizeMax));
  entry.name = as_text(name);
  ASL_ASSIGN(const std::uint64_t type, reader.uint(static_cast<std::uint64_t>(EntryType::kSocket)));
  entry.type = static_cast<EntryType>(type);
  ASL_ASSIGN(const std::uint64_t mode, reader.uint(kModeMask));
  entry.mode = static_cast<std::uint16_t>(mode);
  ASL_TRY(read_u32(reader, entry.uid));
  ASL_TRY(read_u32(reader, entry.gid));
  ASL_ASSIGN(entry.mtime_s, reader.sint());
  ASL_TRY(read_u32(reader, entry.mtime_ns));
  ASL_ASSIGN(entry.size_bytes, reader.uint(kArtifactLengthMax));
  ASL_ASSIGN(entry.hole_bytes, reader.uint());
  return {};
}

}  // namespace

void write_entry(CmWriter& writer, const Entry& entry) {
  writer.array(kEntryFields);
  writer.bin(as_bytes(entry.name));
  writer.uint(static_cast<std::uint64_t>(entry.type));
  writer.uint(entry.mode);
  writer.uint(entry.uid);
  writer.uint(entry.gid);
  writer.sint(entry.mtime_s);
  writer.uint(entry.mtime_ns);
  writer.uint(entry.size_bytes);
  writer.uint(entry.hole_bytes);
  writer.reference_or_nil(entry.content);
  if (entry.type == EntryType::kSymlink) {
    writer.bin(as_bytes(entry.symlink_target));
  } else {
    writer.nil();
  }
  writer.uint(entry.rdev);
  writer.uint(entry.nlink);
  writer.uint(entry.hardlink_id);
  writer.array(static_cast<std::uint32_t>(entry.xattrs.size()));
  for (const Xattr& xattr : entry.xattrs) write_xattr(writer, xattr);
  writer.uint(entry.flags);
  writer.uint(entry.below);
  writer.array(kExtFields);
  if (entry.btime_s) {
    writer.sint(*entry.btime_s);
  } else {
    writer.nil();
  }
  writer.uint(entry.btime_ns);
  writer.uint(entry.inode_flags);
}

Result<void> read_entry(CmReader& reader, Entry& entry, NameRule name_rule) {
  const std::size_t start = reader.offset();
  ASL_TRY(reader.array_exactly(kEntryFields));
  ASL_TRY(read_status(reader, entry));
  ASL_ASSIGN(entry.content, reader.reference_or_nil());
  ASL_TRY(read_symlink_target(reader, entry));
  ASL_ASSIGN(entry.rdev, reader.uint());
  ASL_ASSIGN(entry.nlink, reader.uint());
  ASL_ASSIGN(entry.hardlink_id, reader.uint());
  ASL_TRY(read_xattrs(reader, entry.xattrs));
  ASL_TRY(read_u32(reader, entry.flags));
  ASL_ASSIGN(entry.below, reader.uint());
  ASL_TRY(read_ext(reader, entry));
  if (const std::string_view rule = violated_rule(entry, name_rule); !rule.empty())
    return fail(reader.violation_at(start, rule));
  return {};
}

}  // namespace asl
