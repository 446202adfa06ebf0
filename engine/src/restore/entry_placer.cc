#include "restore/entry_placer.h"

#include <algorithm>
#include <cerrno>
#include <random>
#include <sys/stat.h>
#include <utility>

#include "io/target_fs.h"
#include "restore/removal.h"

namespace asl {
namespace {

using Kind = RestoreProblemKind;
using Action = RestoreOptions::Action;

constexpr std::size_t kTemporaryDigits = 16;

std::uint32_t file_type_of(EntryType type) {
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
  std::unreachable();
}

bool is_device(EntryType type) {
  return type == EntryType::kCharDevice || type == EntryType::kBlockDevice;
}

// What a killed restore left. A file that is meant to have this odd mode is never taken for one.
bool is_unfinished(const io::SourceStat& now, const Entry& entry) {
  return now.is_regular() && (now.mode & kModeMask) == io::kUnfinishedMode &&
         !(entry.type == EntryType::kFile && entry.mode == io::kUnfinishedMode);
}

}  // namespace

bool is_temporary_name(std::string_view name) {
  if (!name.starts_with(kTemporaryPrefix)) return false;
  name.remove_prefix(kTemporaryPrefix.size());
  constexpr std::string_view kHex = "0123456789abcdef";
  return name.size() == kTemporaryDigits && name.find_first_not_of(kHex) == std::string_view::npos;
}

EntryPlacer::EntryPlacer(RestoreRun& run, TargetTree& tree, const MetadataSetter& metadata)
    : run_(run), tree_(tree), metadata_(metadata), seed_([] {
        std::random_device device;
        return std::uint64_t{device()} << 32 | device();
      }()) {}

std::string EntryPlacer::temporary_name() {
  std::array<std::byte, 8> number;
  store_be(number.data(), seed_ + next_temporary_.fetch_add(1, std::memory_order_relaxed));
  return std::string(kTemporaryPrefix) + to_hex(number);
}

Placement EntryPlacer::judge(const io::SourceStat& now, const Entry& entry, int directory_fd) const {
  if (is_unfinished(now, entry)) return Placement::kWrite;
  if (run_.options.overwrite == Overwrite::kNever) return Placement::kKept;
  if (run_.options.overwrite == Overwrite::kAlways) return Placement::kWrite;
  if ((now.mode & S_IFMT) != file_type_of(entry.type)) return Placement::kWrite;
  // A link to something that the snapshot does not link it to.
  if (now.nlink > 1 && entry.hardlink_id == 0) return Placement::kWrite;
  bool same = true;
  if (entry.type == EntryType::kFile)
    same = now.size == entry.size_bytes && now.mtime == mtime_of(entry);
  else if (is_device(entry.type))
    same = now.rdev == entry.rdev;
  else if (entry.type == EntryType::kSymlink)
    same = io::read_link_at(directory_fd, entry.name.c_str()).value_or("") == entry.symlink_target;
  return same ? Placement::kUnchanged : Placement::kWrite;
}

Placement EntryPlacer::look(TargetDirectory& directory, const Entry& entry) {
  const DirectoryHandle handle = tree_.open(directory);
  if (handle == nullptr) return Placement::kWrite;
  const auto now = io::stat_at(handle->fd(), entry.name.c_str());
  return now ? judge(*now, entry, handle->fd()) : Placement::kWrite;
}

bool EntryPlacer::make_way(TargetDirectory& directory, int directory_fd, const Entry& entry,
                           const io::SourceStat& now) {
  const char* const name = entry.name.c_str();
  if (now.is_directory() && run_.options.remove_extraneous) {
    const auto handle = tree_.open(directory);
    if (handle == nullptr) return false;
    const std::uint64_t count =
        remove_entry(run_, tree_, *handle, name, path_of(directory, name), RemovalReason::kExtraneous);
    run_.removed.fetch_add(count, std::memory_order_relaxed);
    return !io::stat_at(directory_fd, name).has_value();
  }
  metadata_.unlock({.directory_fd = directory_fd, .name = name}, now);
  auto removed =
      now.is_directory() ? io::remove_directory_at(directory_fd, name) : io::remove_at(directory_fd, name);
  if (removed) return true;
  run_.problem(Kind::kInTheWay, path_of(directory, name), std::move(removed).error().with_path(""));
  return false;
}

// Of what exists under an entry's name: kWrite if the name is free now or may be renamed over.
Placement EntryPlacer::on_existing(TargetDirectory& directory, const Entry& entry,
                                   const DirectoryHandle& handle, const io::SourceStat& now) {
  const char* const name = entry.name.c_str();
  const Placement verdict = judge(now, entry, handle->fd());
  if (verdict == Placement::kUnchanged)
    metadata_.update({.directory_fd = handle->fd(), .name = name}, now, entry,
                     [&] { return path_of(directory, name); });
  if (verdict != Placement::kWrite) return verdict;
  const bool in_the_way = now.is_directory() || is_unfinished(now, entry);
  if (in_the_way && !make_way(directory, handle->fd(), entry, now)) return Placement::kFailed;
  if (!in_the_way) metadata_.unlock({.directory_fd = handle->fd(), .name = name}, now);
  return Placement::kWrite;
}

template <typename Make>
Placement EntryPlacer::place(TargetDirectory& directory, const Entry& entry, const DirectoryHandle& handle,
                             Make make, std::string& temporary) {
  const char* const name = entry.name.c_str();
  Action action = Action::kMake;
  Result<void> made = make(name);
  if (!made && made.error().sys_errno == EEXIST) {
    action = Action::kReplace;
    const auto now = io::stat_at(handle->fd(), name);
    if (now) {
      const Placement verdict = on_existing(directory, entry, handle, *now);
      if (verdict != Placement::kWrite) return verdict;
    }
    made = make(name);
    if (!made && made.error().sys_errno == EEXIST) {
      temporary = temporary_name();
      made = make(temporary.c_str());
    }
  }
  if (!made) {
    run_.problem(Kind::kNotMade, path_of(directory, name), std::move(made).error().with_path(""));
    return Placement::kFailed;
  }
  run_.acted(action, [&] { return path_of(directory, name); });
  return Placement::kWrite;
}

Placement EntryPlacer::place_file(TargetDirectory& directory, const Entry& entry, PlacedFile& out) {
  out.directory = tree_.open(directory);
  if (out.directory == nullptr) return Placement::kFailed;
  const auto make = [&](const char* name) -> Result<void> {
    ASL_ASSIGN(io::NewFile made, io::create_file_at(run_.target_io, out.directory->fd(), name));
    out.file = std::move(made.file);
    out.direct = made.direct;
    return {};
  };
  const Placement placement = place(directory, entry, out.directory, make, out.temporary_name);
  count(placement, entry);
  if (placement == Placement::kUnchanged && (entry.flags & kEntryPartial) != 0)
    run_.problem(Kind::kPartial, path_of(directory, entry.name),
                 Error{.code = ErrorCode::kIo, .message = "parts were never read from the source"});
  if (placement == Placement::kWrite)
    metadata_.set_early_flags(out.file.fd(), entry, [&] { return path_of(directory, entry.name); });
  return placement;
}

Placement EntryPlacer::place_other(TargetDirectory& directory, const Entry& entry) {
  const auto path = [&] { return path_of(directory, entry.name); };
  if (entry.type == EntryType::kSymlink && entry.symlink_target.empty()) {
    run_.problem(
        Kind::kPartial, path(),
        Error{.code = ErrorCode::kIo, .message = "where this symbolic link leads to was never read"});
    return Placement::kFailed;
  }
  const DirectoryHandle handle = tree_.open(directory);
  if (handle == nullptr) return Placement::kFailed;
  const auto make = [&](const char* name) {
    if (entry.type == EntryType::kSymlink)
      return io::make_symlink_at(handle->fd(), name, entry.symlink_target);
    return io::make_node_at(handle->fd(), name, file_type_of(entry.type) | 0600, entry.rdev);
  };
  std::string temporary;
  const Placement placement = place(directory, entry, handle, make, temporary);
  count(placement, entry);
  if (placement != Placement::kWrite) return placement;
  const char* const name = temporary.empty() ? entry.name.c_str() : temporary.c_str();
  metadata_.set_new({.directory_fd = handle->fd(), .name = name}, entry, nullptr, true, path);
  if (temporary.empty()) return Placement::kDone;
  auto renamed = io::rename_at(handle->fd(), name, handle->fd(), entry.name.c_str());
  if (renamed) return Placement::kDone;
  (void)io::remove_at(handle->fd(), name);
  run_.problem(Kind::kNotMade, path(), std::move(renamed).error().with_path(""));
  return Placement::kFailed;
}

bool EntryPlacer::finish_file(TargetDirectory& directory, const Entry& entry, PlacedFile& placed,
                              bool complete) {
  const auto path = [&] { return path_of(directory, entry.name); };
  const FreshOwner owner = tree_.fresh_owner(directory, placed.file.fd());
  metadata_.set_new({.fd = placed.file.fd()}, entry, &owner, complete, path);
  if (!placed.temporary_name.empty()) {
    const int fd = placed.directory->fd();
    auto renamed = io::rename_at(fd, placed.temporary_name.c_str(), fd, entry.name.c_str());
    if (!renamed) {
      abandon(placed);
      run_.problem(Kind::kNotMade, path(), std::move(renamed).error().with_path(""));
      return false;
    }
  }
  placed.file.close();
  placed.directory.reset();
  return true;
}

void EntryPlacer::abandon(PlacedFile& placed) {
  placed.file.close();
  // Under its own name it stays, marked unfinished, for the next restore to find.
  if (!placed.temporary_name.empty())
    (void)io::remove_at(placed.directory->fd(), placed.temporary_name.c_str());
  placed.directory.reset();
}

void EntryPlacer::count(Placement placement, const Entry& entry) {
  const bool is_file = entry.type == EntryType::kFile;
  if (placement == Placement::kKept) run_.files_kept.fetch_add(1, std::memory_order_relaxed);
  if (placement == Placement::kUnchanged && is_file)
    run_.files_unchanged.fetch_add(1, std::memory_order_relaxed);
  if (is_file || placement == Placement::kFailed || placement == Placement::kKept) return;
  auto& counter = entry.type == EntryType::kSymlink ? run_.symlinks : run_.special_files;
  counter.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace asl
