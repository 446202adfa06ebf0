#include "transfer/tar_importer.h"

#include <algorithm>
#include <limits>
#include <sys/sysmacros.h>
#include <utility>

#include "transfer/acl_text.h"
#include "transfer/import_links.h"
#include "transfer/member_cursor.h"
#include "transfer/tree_assembler.h"

namespace asl {
namespace {

// Shorter contents are read whole; longer ones and sparse ones are streamed.
constexpr std::uint64_t kWholeMax = 1 << 20;
constexpr std::size_t kStepBytes = 1 << 20;
// A hole costs hashing, about a second a GiB: somebody may want to stop meanwhile.
constexpr std::uint64_t kHoleStepBytes = 64 << 20;
// Deeper than any program can make or walk; bounds the directories that are open at once.
constexpr std::ptrdiff_t kDepthMax = 4096;
// ACLs become attributes too.
constexpr std::size_t kAclNamesBytes = kAclAccessXattr.size() + kAclDefaultXattr.size() + 2;

EntryType entry_type(TarInput::Type type) {
  switch (type) {
    case TarInput::Type::kSymlink:
      return EntryType::kSymlink;
    case TarInput::Type::kCharDevice:
      return EntryType::kCharDevice;
    case TarInput::Type::kBlockDevice:
      return EntryType::kBlockDevice;
    case TarInput::Type::kDirectory:
      return EntryType::kDirectory;
    case TarInput::Type::kFifo:
      return EntryType::kFifo;
    default:
      return EntryType::kFile;
  }
}

// -2 for "nobody" is written as a negative number by some, and as 4294967294 by others.
std::optional<std::uint32_t> owner_id(std::int64_t value) {
  if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::uint32_t>::max())
    return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

}  // namespace

TarImporter::TarImporter(StoreWriter& writer, io::Io& io, std::string spill_directory,
                         ProgressCounters& progress, const StopToken& stop)
    : writer_(writer),
      io_(io),
      spill_directory_(std::move(spill_directory)),
      progress_(progress),
      stop_(stop),
      members_(io, spill_directory_),
      problems_(progress) {}

Result<void> TarImporter::read(TarReader& reader) {
  ASL_ASSIGN(lane_, writer_.make_lane());
  TarInput member;
  while (true) {
    ASL_TRY(stop_.check());
    ASL_ASSIGN(const bool more, reader.next(member));
    if (!more) break;
    ++number_;
    ASL_TRY(add_member(reader, member));
  }
  ASL_ASSIGN(const bool more_behind, reader.drain());
  if (more_behind)
    problems_.add(".", "there is more behind the end of the archive, which was not read (another archive?)");
  lane_.reset();
  return {};
}

std::optional<std::string> TarImporter::clean_path(const std::string& name, const std::string& shown) {
  const auto refuse = [&](std::string reason) {
    problems_.add(shown, std::move(reason));
    return std::nullopt;
  };
  if (name.empty()) return refuse("a member without a name");
  if (has_nul(name)) return refuse("a name with a NUL in it");
  if (name.size() > kSourcePathSizeMax) return refuse("a path that is too long");
  stripped_ = stripped_ || name.starts_with('/');
  std::string path;
  std::ptrdiff_t depth = 0;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = std::string_view(name).substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") return refuse("a path with '..' in it leads out of the archive");
    if (part.size() > kNameSizeMax || ++depth > kDepthMax) return refuse("a path that is too long");
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

Result<void> TarImporter::add_member(TarReader& reader, const TarInput& member) {
  if (member.type == TarInput::Type::kUnknown) {
    // A volume's label is no file.
    if (member.type_flag != 'V')
      problems_.add(member.name,
                    std::string("a member of an unknown type '") +
                        (member.type_flag >= ' ' && member.type_flag <= '~' ? member.type_flag : '?') +
                        "', left out");
    return {};
  }
  const auto path = clean_path(member.name, member.name);
  if (!path) return {};
  if (path->empty() && member.type != TarInput::Type::kDirectory) {
    problems_.add(member.name, "the archive's top must be a directory");
    return {};
  }
  MemberValue value;
  if (member.type == TarInput::Type::kHardLink) {
    const auto target = clean_path(member.link_target, *path);
    if (!target) return {};
    value.link_target = path_key(*target);
  } else {
    ASL_ASSIGN(const bool kept, fill_entry(reader, member, *path, value.entry));
    if (!kept) return {};
  }
  progress_add(progress_.files_done, 1);
  return members_.add(as_bytes(version_key(path_key(*path), number_)), encode_member(value));
}

// False if the member cannot be kept at all.
Result<bool> TarImporter::fill_entry(TarReader& reader, const TarInput& member, const std::string& path,
                                     Entry& entry) {
  entry.type = entry_type(member.type);
  entry.mode = member.mode;
  entry.mtime_s = member.mtime.seconds;
  entry.mtime_ns = member.mtime.nanoseconds;
  entry.nlink = 1;
  if (member.birth_time) {
    entry.btime_s = member.birth_time->seconds;
    entry.btime_ns = member.birth_time->nanoseconds;
  }
  if (entry.type == EntryType::kSymlink) {
    const std::string& target = member.link_target;
    if (target.empty() || target.size() > kSymlinkTargetSizeMax || has_nul(target)) {
      problems_.add(path, "a symlink whose target is empty or too long, left out");
      return false;
    }
    entry.symlink_target = target;
  }
  if (entry.type == EntryType::kCharDevice || entry.type == EntryType::kBlockDevice)
    entry.rdev = gnu_dev_makedev(member.device_major, member.device_minor);
  set_owner(member, path, entry);
  ASL_TRY(fill_attributes(member, path, entry));
  if (entry.type == EntryType::kFile) ASL_TRY(fill_content(reader, member, entry));
  return true;
}

void TarImporter::lose_metadata(Entry& entry, const std::string& path, std::string what) {
  entry.flags |= kEntryMetadataIncomplete;
  problems_.add(path, std::move(what));
}

void TarImporter::set_owner(const TarInput& member, const std::string& path, Entry& entry) {
  const auto uid = owner_id(member.uid);
  const auto gid = owner_id(member.gid);
  if (!uid || !gid) lose_metadata(entry, path, "an owner whose number is too large");
  entry.uid = uid.value_or(0);
  entry.gid = gid.value_or(0);
  if (uid) users_.add(*uid, member.user);
  if (gid) groups_.add(*gid, member.group);
}

Result<void> TarImporter::fill_content(TarReader& reader, const TarInput& member, Entry& entry) {
  entry.size_bytes = member.size_bytes;
  const bool dense = member.size_bytes == 0 ||
                     (member.data_runs.size() == 1 && member.data_runs.front().length == member.size_bytes);
  WrittenArtifact written;
  if (dense && member.size_bytes <= kWholeMax) {
    buffer_.resize(member.size_bytes);
    ASL_TRY(reader.read(buffer_));
    ASL_ASSIGN(written, lane_->put(buffer_));
  } else {
    ASL_ASSIGN(const std::unique_ptr<ArtifactStream> stream, ArtifactStream::open(*lane_));
    const auto zeros_to = [&](std::uint64_t end) -> Result<void> {
      while (stream->position() < end) {
        ASL_TRY(stop_.check());
        ASL_TRY(stream->zeros(std::min(end - stream->position(), kHoleStepBytes)));
      }
      return {};
    };
    for (const TarRun& run : member.data_runs) {
      ASL_TRY(zeros_to(run.offset));
      for (std::uint64_t at = run.offset; at < run.offset + run.length;) {
        ASL_TRY(stop_.check());
        const std::uint64_t step = std::min<std::uint64_t>(run.offset + run.length - at, kStepBytes);
        stream->wait_for_space(at + step);
        ASL_TRY(reader.read({stream->space(at), step}));
        at += step;
        ASL_TRY(stream->filled_to(at));
      }
    }
    ASL_TRY(zeros_to(member.size_bytes));
    ASL_ASSIGN(written, stream->finish());
  }
  entry.content = written.reference;
  entry.hole_bytes = written.hole_bytes;
  return {};
}

void TarImporter::add_acl(Entry& entry, std::string_view name, const std::string& text,
                          const std::string& path) {
  if (text.empty()) return;
  const auto acl = acl_from_text(
      text,
      [this](const std::string& user) {
        const auto known = users_.id_of(user);
        return known ? known : local_user_id(user);
      },
      [this](const std::string& group) {
        const auto known = groups_.id_of(group);
        return known ? known : local_group_id(group);
      });
  if (!acl) return lose_metadata(entry, path, "an ACL that cannot be understood");
  if (acl->empty() || (name == kAclAccessXattr && acl_is_mode_only(*acl))) return;
  const ByteSpan bytes = as_bytes(name);
  entry.xattrs.push_back({Bytes(bytes.begin(), bytes.end()), encode_acl(*acl), {}});
}

Result<void> TarImporter::fill_attributes(const TarInput& member, const std::string& path, Entry& entry) {
  std::size_t names_total = 0;
  for (const auto& [name, value] : member.xattrs) {
    names_total += name.size() + 1;
    const bool fits = !name.empty() && name.size() <= kXattrNameSizeMax && !has_nul(name) &&
                      names_total <= kXattrNamesTotalMax - kAclNamesBytes &&
                      entry.xattrs.size() + 2 < kXattrsPerEntryMax;
    if (!fits) {
      lose_metadata(entry, path, "an extended attribute whose name is not valid, or one too many");
      continue;
    }
    const ByteSpan bytes = as_bytes(name);
    entry.xattrs.push_back({Bytes(bytes.begin(), bytes.end()), value, {}});
  }
  add_acl(entry, kAclAccessXattr, member.acl_access, path);
  add_acl(entry, kAclDefaultXattr, member.acl_default, path);
  // Of several with one name the last counts.
  std::stable_sort(entry.xattrs.begin(), entry.xattrs.end(),
                   [](const Xattr& a, const Xattr& b) { return as_text(a.name) < as_text(b.name); });
  std::vector<Xattr> unique;
  for (Xattr& xattr : entry.xattrs) {
    if (!unique.empty() && unique.back().name == xattr.name) unique.pop_back();
    unique.push_back(std::move(xattr));
  }
  entry.xattrs = std::move(unique);
  const bool all = xattrs_need_references(entry);
  for (Xattr& xattr : entry.xattrs) {
    if (!all && xattr.value.size() <= kXattrInlineSizeMax) continue;
    ASL_ASSIGN(xattr.ref, writer_.put_untyped(xattr.value));
    xattr.value.clear();
  }
  return {};
}

Result<Entry> TarImporter::make_trees(TarImportReport& report) {
  progress_.set_phase(ProgressPhase::kIndexing);
  report.members = number_;
  ASL_TRY(members_.sort());
  ASL_ASSIGN(const ImportLinks links,
             ImportLinks::resolve(io_, spill_directory_, members_, problems_, stop_));
  ExternalSorter::Reader linked = links.entries().read();
  ASL_ASSIGN(bool more_linked, linked.next());
  ASL_ASSIGN(MemberCursor cursor, MemberCursor::open(members_));
  TreeAssembler assembler(writer_);
  while (true) {
    ASL_TRY(stop_.check());
    ASL_ASSIGN(const bool more, cursor.next_path(report.replaced));
    if (!more) break;
    const bool is_linked = more_linked && as_text(linked.key()) == cursor.path();
    ASL_ASSIGN(MemberValue member, decode_member(is_linked ? linked.value() : cursor.value()));
    if (is_linked) {
      ASL_ASSIGN(more_linked, linked.next());
    }
    if (member.link_target) continue;  // it leads nowhere, which is a problem already
    if (member.entry.type != EntryType::kDirectory && cursor.has_more_below()) {
      problems_.add(path_of_key(cursor.path()),
                    "left out: other members lie below it as if it were a directory");
      continue;
    }
    ASL_TRY(assembler.add(cursor.path(), std::move(member.entry)));
  }
  ASL_ASSIGN(Entry root, assembler.finish());
  report.counts = assembler.counts();
  report.counts.errors = problems_.all().total();
  report.made_up_directories = assembler.made_up();
  return root;
}

}  // namespace asl
