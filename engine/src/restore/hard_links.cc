#include "restore/hard_links.h"

#include <cerrno>
#include <utility>

#include "io/target_fs.h"
#include "restore/removal.h"

namespace asl {
namespace {

using Kind = RestoreProblemKind;

std::string link_name(const Entry& entry) {
  std::array<std::byte, 8> id;
  store_be(id.data(), entry.hardlink_id);
  return to_hex(id);
}

}  // namespace

void HardLinks::begin(DirectoryHandle target, bool avoid_name) {
  target_ = std::move(target);
  if (avoid_name) name_ += "~asl";
  if (io::stat_at(target_->fd(), name_.c_str()))
    remove_entry(run_, tree_, *target_, name_.c_str(), name_, RemovalReason::kCleanUp);
}

bool HardLinks::make_directory() {
  if (links_) return true;
  if (unusable_) return false;
  auto made = io::make_directory_at(target_->fd(), name_.c_str(), 0700);
  if (made) {
    auto opened = run_.target_io.open_at(*target_, name_, {.no_follow = true, .directory = true});
    if (opened) {
      links_ = std::move(*opened);
      return true;
    }
    made = fail(std::move(opened).error());
  }
  run_.problem(Kind::kNotMade, name_, std::move(made).error().with_path(""));
  unusable_ = true;
  return false;
}

HardLinks::Linked HardLinks::link(TargetDirectory& directory, const Entry& entry) {
  if (unusable_) return Linked::kAlone;
  if (!links_) return Linked::kFirst;
  const DirectoryHandle handle = tree_.open(directory);
  if (handle == nullptr) return Linked::kDone;
  auto linked = io::link_at(links_.fd(), link_name(entry).c_str(), handle->fd(), entry.name.c_str());
  if (linked) {
    run_.hard_links.fetch_add(1, std::memory_order_relaxed);
    run_.acted(RestoreOptions::Action::kMake, [&] { return path_of(directory, entry.name); });
    return Linked::kDone;
  }
  if (linked.error().sys_errno == ENOENT) return Linked::kFirst;
  if (linked.error().sys_errno == EEXIST) return relink(directory, *handle, entry);
  return give_up(directory, entry, std::move(linked).error());
}

// Something has the name already.
HardLinks::Linked HardLinks::relink(TargetDirectory& directory, const io::File& handle, const Entry& entry) {
  const std::string from = link_name(entry);
  const char* const name = entry.name.c_str();
  const auto first = io::stat_at(links_.fd(), from.c_str());
  if (!first) return Linked::kFirst;
  const auto now = io::stat_at(handle.fd(), name);
  if (!now) return give_up(directory, entry, now.error());
  if (now->inode == first->inode && now->device == first->device) {
    run_.hard_links.fetch_add(1, std::memory_order_relaxed);
    return Linked::kDone;
  }
  if (placer_.judge(*now, entry, handle.fd()) == Placement::kKept) {
    run_.files_kept.fetch_add(1, std::memory_order_relaxed);
    return Linked::kDone;
  }
  Result<void> linked;
  if (now->is_directory()) {
    if (!placer_.make_way(directory, handle.fd(), entry, *now)) return Linked::kDone;
    linked = io::link_at(links_.fd(), from.c_str(), handle.fd(), name);
  } else {
    const std::string temporary = placer_.temporary_name();
    linked = io::link_at(links_.fd(), from.c_str(), handle.fd(), temporary.c_str());
    if (linked) linked = io::rename_at(handle.fd(), temporary.c_str(), handle.fd(), name);
    if (!linked) (void)io::remove_at(handle.fd(), temporary.c_str());
  }
  if (!linked) return give_up(directory, entry, std::move(linked).error());
  run_.hard_links.fetch_add(1, std::memory_order_relaxed);
  run_.acted(RestoreOptions::Action::kReplace, [&] { return path_of(directory, name); });
  return Linked::kDone;
}

HardLinks::Linked HardLinks::give_up(TargetDirectory& directory, const Entry& entry, Error error) {
  run_.problem(Kind::kHardLink, path_of(directory, entry.name), std::move(error).with_path(""));
  return Linked::kAlone;
}

void HardLinks::remember(const io::File& directory, const char* name, const Entry& entry,
                         const std::string& path) {
  if (!make_directory()) return;
  auto linked = io::link_at(directory.fd(), name, links_.fd(), link_name(entry).c_str());
  if (!linked) run_.problem(Kind::kHardLink, path, std::move(linked).error().with_path(""));
}

void HardLinks::end() {
  if (!links_) return;
  links_.close();
  remove_entry(run_, tree_, *target_, name_.c_str(), name_, RemovalReason::kCleanUp);
}

}  // namespace asl
