#include "restore/target_tree.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "io/target_fs.h"

namespace asl {
namespace {

using Kind = RestoreProblemKind;

// Nobody else looks into a directory before it has its owner and mode.
constexpr std::uint32_t kNewDirectoryMode = 0700;
constexpr std::uint32_t kOwnerAll = 0700;
// As mkdir -p: what the snapshot knows nothing of is left to the umask.
constexpr std::uint32_t kTargetMode = 0777;

const io::OpenOptions kAsDirectory{.no_follow = true, .directory = true};

Result<void> make_with_parents(const std::string& path) {
  auto made = io::make_directory_at(AT_FDCWD, path.c_str(), kTargetMode);
  if (made || made.error().sys_errno != ENOENT) return made;
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = end == std::string::npos ? end : path.rfind('/', end);
  if (slash == std::string::npos || slash == 0) return made;
  auto parent = make_with_parents(path.substr(0, slash));
  if (!parent && parent.error().sys_errno != EEXIST) return parent;
  return io::make_directory_at(AT_FDCWD, path.c_str(), kTargetMode);
}

}  // namespace

std::string path_of(const TargetDirectory& directory) {
  std::vector<const TargetDirectory*> chain;
  for (const TargetDirectory* at = &directory; at->parent != nullptr; at = at->parent.get())
    chain.push_back(at);
  std::string path;
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
    if (!path.empty()) path += '/';
    path += (*at)->name;
  }
  return path;
}

std::string path_of(const TargetDirectory& directory, std::string_view name) {
  std::string path = path_of(directory);
  if (!path.empty()) path += '/';
  return path.append(name);
}

TargetTree::TargetTree(RestoreRun& run, const MetadataSetter& metadata, Access access)
    : run_(run), metadata_(metadata), access_(access) {}

Result<void> TargetTree::open_target(const std::string& path) {
  note_protected();
  auto opened = run_.target_io.open(path, {.directory = true});
  target_existed_ = opened.has_value();
  if (!opened && opened.error().code == ErrorCode::kNotFound) {
    if (access_ == Access::kLook) return {};
    ASL_TRY(make_with_parents(path));
    opened = run_.target_io.open(path, {.directory = true});
  }
  if (!opened) return fail(std::move(opened).error());
  target_ = std::make_shared<const io::File>(std::move(*opened));
  ASL_TRY(check_outside_store());
  ASL_ASSIGN(const io::SourceStat status, io::stat_fd(target_->fd()));
  if (is_protected(status.device, status.inode))
    return fail(ErrorCode::kRefused, "the target is a directory of the store");
  file_systems_.push_back({status.device, target_});
  return {};
}

void TargetTree::note_protected() {
  const std::string& domain = run_.domain.directory();
  const std::string host = domain + "/../..";
  const auto note = [this](const std::string& path) {
    if (const auto status = run_.target_io.status(path))
      protected_.push_back({status->st_dev, status->st_ino});
  };
  note(domain + "/.");
  if (io::exists(run_.target_io, host + "/host/layout")) note(host);
}

bool TargetTree::is_protected(std::uint64_t device, std::uint64_t inode) const {
  return std::ranges::find(protected_, Inode{device, inode}) != protected_.end();
}

Result<void> TargetTree::check_outside_store() const {
  ASL_ASSIGN(io::File at, run_.target_io.open_at(*target_, ".", {.directory = true, .path_only = true}));
  ASL_ASSIGN(io::SourceStat status, io::stat_fd(at.fd()));
  for (;;) {
    if (is_protected(status.device, status.inode))
      return fail(ErrorCode::kRefused, "the target lies inside the store");
    auto above = run_.target_io.open_at(at, "..", {.directory = true, .path_only = true});
    if (!above) return {};  // what may not be looked at is not this user's store
    ASL_ASSIGN(const io::SourceStat status_above, io::stat_fd(above->fd()));
    if (status_above.device == status.device && status_above.inode == status.inode) return {};
    at = std::move(*above);
    status = status_above;
  }
}

std::shared_ptr<TargetDirectory> TargetTree::root(std::optional<Entry> entry) {
  auto root = std::make_shared<TargetDirectory>();
  root->entry = std::move(entry);
  root->state = target_ ? TargetDirectory::State::kReady : TargetDirectory::State::kFailed;
  root->existed = target_existed_;
  if (root->entry && access_ == Access::kChange) run_.directories.fetch_add(1, std::memory_order_relaxed);
  if (target_ && target_existed_ && access_ == Access::kChange) {
    if (auto adopted = adopt(*target_, *root); !adopted)
      run_.problem(Kind::kNotMade, "", std::move(adopted).error());
  }
  return root;
}

std::shared_ptr<TargetDirectory> TargetTree::child(const std::shared_ptr<TargetDirectory>& parent,
                                                   const Entry& entry) {
  auto child = std::make_shared<TargetDirectory>();
  hold(*parent);
  child->parent = parent;
  child->name = entry.name;
  child->entry = entry;
  child->depth = parent->depth + 1;
  return child;
}

DirectoryHandle TargetTree::open(TargetDirectory& directory) {
  const std::lock_guard lock(directory.mutex);
  return open_locked(directory);
}

bool TargetTree::existed(TargetDirectory& directory) {
  const std::lock_guard lock(directory.mutex);
  return directory.existed;
}

DirectoryHandle TargetTree::open_locked(TargetDirectory& directory) {
  if (DirectoryHandle handle = directory.handle.lock()) return handle;
  if (directory.state == TargetDirectory::State::kFailed) return nullptr;
  if (directory.parent == nullptr) {
    directory.handle = target_;
    return target_;
  }
  // Locks are taken from below upwards only.
  const DirectoryHandle parent = open(*directory.parent);
  const auto failed = [&]() -> DirectoryHandle {
    directory.state = TargetDirectory::State::kFailed;
    return nullptr;
  };
  if (parent == nullptr) return failed();
  Result<void> ready;
  if (access_ == Access::kChange && directory.state == TargetDirectory::State::kUnknown)
    ready = make_or_adopt(*parent, directory);
  auto handle = ready ? open_existing(*parent, directory) : Result<DirectoryHandle>(fail(ready.error()));
  if (handle && access_ == Access::kChange && directory.existed &&
      directory.state == TargetDirectory::State::kUnknown) {
    if (auto adopted = adopt(**handle, directory); !adopted) handle = fail(std::move(adopted).error());
  }
  if (!handle) {
    const bool in_the_way = handle.error().sys_errno == EEXIST || handle.error().code == ErrorCode::kRefused;
    if (access_ == Access::kChange)
      run_.problem(in_the_way ? Kind::kInTheWay : Kind::kNotMade, path_of(directory),
                   std::move(handle).error().with_path(""));
    return failed();
  }
  if (access_ == Access::kLook) directory.existed = true;
  directory.state = TargetDirectory::State::kReady;
  directory.handle = *handle;
  keep_open(*handle);
  return *handle;
}

// Leaves a directory of that name: a new one, or the one that is there.
Result<void> TargetTree::make_or_adopt(const io::File& parent, TargetDirectory& directory) {
  const char* const name = directory.name.c_str();
  const auto made = [&](RestoreOptions::Action action) {
    run_.directories.fetch_add(1, std::memory_order_relaxed);
    run_.acted(action, [&] { return path_of(directory) + "/"; });
  };
  auto result = io::make_directory_at(parent.fd(), name, kNewDirectoryMode);
  if (result) {
    made(RestoreOptions::Action::kMake);
    return {};
  }
  if (result.error().sys_errno != EEXIST) return result;
  ASL_ASSIGN(const io::SourceStat status, io::stat_at(parent.fd(), name));
  if (status.is_directory()) {
    run_.directories.fetch_add(1, std::memory_order_relaxed);
    directory.existed = true;
    return {};
  }
  if (run_.options.overwrite == Overwrite::kNever) return result;
  metadata_.unlock({.directory_fd = parent.fd(), .name = name}, status);
  ASL_TRY(io::remove_at(parent.fd(), name));
  ASL_TRY(io::make_directory_at(parent.fd(), name, kNewDirectoryMode));
  made(RestoreOptions::Action::kReplace);
  return {};
}

Result<DirectoryHandle> TargetTree::open_existing(const io::File& parent, TargetDirectory& directory) {
  auto opened = run_.target_io.open_at(parent, directory.name, kAsDirectory);
  if (!opened && opened.error().sys_errno == EACCES && access_ == Access::kChange) {
    // An owner without the right to read may give it to himself.
    ASL_ASSIGN(const io::SourceStat status, io::stat_at(parent.fd(), directory.name.c_str()));
    ASL_TRY(io::set_mode_at(parent.fd(), directory.name.c_str(), (status.mode & kModeMask) | kOwnerAll));
    opened = run_.target_io.open_at(parent, directory.name, kAsDirectory);
  }
  if (!opened) return fail(std::move(opened).error());
  return std::make_shared<const io::File>(std::move(*opened));
}

// Prepares a directory that was there for being changed; its metadata is set when all below is done.
Result<void> TargetTree::adopt(const io::File& handle, TargetDirectory& directory) {
  ASL_ASSIGN(const io::SourceStat status, io::stat_fd(handle.fd()));
  if (is_protected(status.device, status.inode))
    return fail(ErrorCode::kRefused, "a directory of the store is in the way");
  // A default ACL would be handed down to everything made here. If these fail, so does setting the same
  // things at the end, which is reported.
  metadata_.unlock({.fd = handle.fd()}, status);
  (void)io::remove_xattr(handle.fd(), "system.posix_acl_default");
  if (::geteuid() != 0 && (status.mode & kOwnerAll) != kOwnerAll)
    (void)io::set_mode(handle.fd(), (status.mode & kModeMask) | kOwnerAll);
  if (directory.parent == nullptr) return {};
  const std::lock_guard lock(file_systems_mutex_);
  if (std::ranges::find(file_systems_, status.device, &FileSystem::device) == file_systems_.end()) {
    ASL_ASSIGN(io::File again, run_.target_io.open_at(handle, ".", kAsDirectory));
    file_systems_.push_back({status.device, std::make_shared<const io::File>(std::move(again))});
  }
  return {};
}

void TargetTree::keep_open(DirectoryHandle handle) {
  DirectoryHandle dropped;  // closed after the lock is released
  const std::lock_guard lock(cache_mutex_);
  dropped = std::exchange(recent_[next_recent_], std::move(handle));
  next_recent_ = (next_recent_ + 1) % recent_.size();
}

void TargetTree::release(const std::shared_ptr<TargetDirectory>& directory) {
  std::shared_ptr<TargetDirectory> at = directory;
  while (at != nullptr && at->pending.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    finish(*at);
    at = at->parent;
  }
}

void TargetTree::finish(TargetDirectory& directory) {
  if (access_ == Access::kLook || !directory.entry || run_.must_stop()) return;
  {
    const std::lock_guard lock(directory.mutex);
    if (directory.state != TargetDirectory::State::kReady) return;
  }
  const DirectoryHandle handle = open(directory);
  if (handle == nullptr) return;
  const auto now = io::stat_fd(handle->fd());
  if (!now) return run_.problem(Kind::kNotMade, path_of(directory), now.error());
  metadata_.update({.fd = handle->fd()}, *now, *directory.entry, [&] { return path_of(directory); });
}

FreshOwner TargetTree::fresh_owner(TargetDirectory& directory, int file_fd) {
  const std::lock_guard lock(directory.mutex);
  if (!directory.fresh_owner) {
    const auto status = io::stat_fd(file_fd);
    // An owner that nobody has: then it is set in any case.
    constexpr auto kNobody = static_cast<std::uint32_t>(-1);
    if (!status) return {kNobody, kNobody};
    directory.fresh_owner = FreshOwner{status->uid, status->gid};
  }
  return *directory.fresh_owner;
}

Result<void> TargetTree::sync() {
  for (const FileSystem& file_system : file_systems_) ASL_TRY(io::sync_file_system(file_system.handle->fd()));
  return {};
}

}  // namespace asl
