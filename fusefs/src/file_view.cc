#include "file_view.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "attributes.h"

namespace asl::fusefs {

Result<std::unique_ptr<FileView>> FileView::open(io::Io& io, FileViewOptions options) {
  std::unique_ptr<FileView> view(new FileView(std::move(options)));
  const DomainSetOptions set_options{.domain = view->options_.domain, .log = view->options_.log};
  ASL_ASSIGN(view->domains_, DomainSet::open(io, view->options_.directory, set_options, view->cache_));
  view->control_ = std::make_unique<ControlTree>(*view->domains_);
  if (view->options_.only) ASL_TRY(view->settle_root());
  return view;
}

Result<void> FileView::settle_root() {
  const OnlyPlace& only = *options_.only;
  const std::vector<DomainView*> all = domains_->all();
  DomainView* domain = nullptr;
  if (!only.domain.empty())
    domain = domains_->by_name(only.domain);
  else if (all.size() == 1)
    domain = all.front();
  if (domain == nullptr)
    return fail(
        Error{.code = only.domain.empty() ? ErrorCode::kUsage : ErrorCode::kNotFound,
              .message = only.domain.empty() ? "the store has not exactly one domain" : "no such domain",
              .object = only.domain,
              .hint = "choose with --domain; asl domain list shows them"});
  ASL_ASSIGN(const SnapshotPath named, domain->domain().parse_snapshot_path(only.snapshot));
  auto tree = domain->tree(named.snapshot_id);
  if (!tree) return fail(ErrorCode::kNotFound, "the snapshot cannot be shown: " + tree.error().words);
  ASL_ASSIGN(const auto found, (*tree)->find_path(named.path));
  if (!found || found->entry.type != EntryType::kDirectory)
    return fail(
        Error{.code = found ? ErrorCode::kUsage : ErrorCode::kNotFound,
              .message = found ? "only a directory can be mounted" : "no such directory in the snapshot",
              .object = only.snapshot});
  only_ = TreePlace{domain->slot(), static_cast<std::uint32_t>(named.snapshot_id), found->position};
  return {};
}

Reply<FileView::Located> FileView::locate(std::uint64_t node) {
  Located at{.domain = nullptr, .tree = nullptr, .place = TreePlace::of(node)};
  at.domain = domains_->by_slot(at.place.slot);
  if (at.domain == nullptr) return refuse(ESTALE);
  ASL_ASSIGN(at.tree, at.domain->tree(at.place.snapshot));
  return at;
}

Reply<Entry> FileView::entry_of(const Located& at) {
  ASL_ASSIGN(Entry entry, at.tree->entry(at.place.position));
  return entry;
}

std::uint64_t FileView::inode_of(const Located& at, std::uint32_t position, const Entry& entry) const {
  if (entry.hardlink_id != 0)
    return hard_link_inode(at.domain->domain().id(), at.place.snapshot, entry.hardlink_id);
  return TreePlace{at.place.slot, at.place.snapshot, position}.node_id();
}

bool FileView::is_in_snapshot(std::uint64_t node) const {
  return !is_control(resolved(node));
}

Reply<NodeAnswer> FileView::lookup(std::uint64_t parent, std::string_view name) {
  const std::uint64_t node = resolved(parent);
  if (is_control(node)) return control_->lookup(node, name);
  ASL_ASSIGN(const Located at, locate(node));
  ASL_ASSIGN(const auto found, at.tree->lookup(at.place.position, name));
  if (!found) return NodeAnswer{.node = 0, .status = {}, .entry_seconds = kForever};
  const TreePlace place{at.place.slot, at.place.snapshot, found->position};
  return NodeAnswer{.node = place.node_id(),
                    .status = status_of(found->entry, inode_of(at, found->position, found->entry)),
                    .entry_seconds = kForever,
                    .attribute_seconds = kForever};
}

void FileView::forget(std::uint64_t node, std::uint64_t lookups) {
  if ((node & kControlBit) != 0) control_->forget(node, lookups);
}

Reply<FileView::Attributes> FileView::attributes(std::uint64_t asked) {
  const std::uint64_t node = resolved(asked);
  if (is_control(node)) {
    ASL_ASSIGN(const struct stat status, control_->status(node));
    return Attributes{.status = status, .seconds = kControlSeconds};
  }
  ASL_ASSIGN(const Located at, locate(node));
  ASL_ASSIGN(const Entry entry, entry_of(at));
  return Attributes{.status = status_of(entry, inode_of(at, at.place.position, entry)), .seconds = kForever};
}

Reply<std::string> FileView::link_target(std::uint64_t asked) {
  const std::uint64_t node = resolved(asked);
  if (is_control(node)) return control_->link_target(node);
  ASL_ASSIGN(const Located at, locate(node));
  ASL_ASSIGN(Entry entry, entry_of(at));
  if (entry.type != EntryType::kSymlink) return refuse(EINVAL);
  // Empty where the source's could not be read.
  if (entry.symlink_target.empty()) return refuse(EIO);
  return std::move(entry.symlink_target);
}

Reply<std::string> FileView::xattr_names(std::uint64_t asked) {
  const std::uint64_t node = resolved(asked);
  if (is_control(node)) return std::string();
  ASL_ASSIGN(const Located at, locate(node));
  ASL_ASSIGN(const Entry entry, entry_of(at));
  return listed_xattrs(entry);
}

Reply<Bytes> FileView::xattr(std::uint64_t asked, std::string_view name) {
  const std::uint64_t node = resolved(asked);
  if (is_control(node)) return control_->xattr(node, name);
  ASL_ASSIGN(const Located at, locate(node));
  ASL_ASSIGN(const Entry entry, entry_of(at));
  XattrSubject subject{.domain = at.domain->domain(), .entry = entry};
  if (at.place.position == 0) {
    subject.snapshot_id = at.place.snapshot;
    subject.partial_files = at.tree->partial_files();
  }
  return xattr_value(subject, name);
}

Reply<std::uint32_t> FileView::inode_flags(std::uint64_t asked) {
  const std::uint64_t node = resolved(asked);
  if (is_control(node)) return 0;
  ASL_ASSIGN(const Located at, locate(node));
  ASL_ASSIGN(const Entry entry, entry_of(at));
  return entry.inode_flags;
}

Reply<std::shared_ptr<const OpenFile>> FileView::content(std::uint64_t node) {
  // Files beside the snapshots are small, and may change.
  if (is_control(node) && !control_->is_unchanging(node)) return open_content(node);
  return open_files_.get(node, [&] { return open_content(node); });
}

Reply<std::shared_ptr<const OpenFile>> FileView::open_content(std::uint64_t asked) {
  const std::uint64_t node = resolved(asked);
  if (is_control(node)) {
    ASL_ASSIGN(ControlContent content, control_->open(node));
    return std::make_shared<const OpenFile>(std::move(content));
  }
  ASL_ASSIGN(const Located at, locate(node));
  ASL_ASSIGN(const Entry entry, entry_of(at));
  if (entry.type != EntryType::kFile) return refuse(EINVAL);
  ASL_ASSIGN(FileContent content, FileContent::open(at.domain->domain(), entry));
  return std::make_shared<const OpenFile>(std::move(content), options_.bad_ranges);
}

// The size of what the store's disk holds, none of it free: programs that ask want to know whether they can
// write.
Result<struct statvfs> FileView::file_system() const {
  struct statvfs facts{};
  if (::statvfs(options_.directory.c_str(), &facts) != 0)
    return fail(system_error(errno, "cannot ask for the file system's size", options_.directory));
  facts.f_blocks -= std::min(facts.f_bfree, facts.f_blocks);
  facts.f_bfree = 0;
  facts.f_bavail = 0;
  facts.f_files = 0;
  facts.f_ffree = 0;
  facts.f_favail = 0;
  facts.f_namemax = kNameSizeMax;
  return facts;
}

Reply<FileView::PlaceInDirectory> FileView::place_in_directory(std::uint64_t asked) {
  const std::uint64_t node = resolved(asked);
  if (is_control(node)) return refuse(ENOENT);
  ASL_ASSIGN(const Located at, locate(node));
  if (at.place.position == 0) return refuse(ENOENT);
  ASL_ASSIGN(const SnapshotTree::Place found, at.tree->place(at.place.position));
  const TreePlace directory{at.place.slot, at.place.snapshot, found.directory};
  return PlaceInDirectory{.directory = directory.node_id(), .index = found.index};
}

Reply<std::uint64_t> FileView::parent_inode(std::uint64_t directory) {
  const std::uint64_t node = resolved(directory);
  if (is_control(node)) return control_->parent_inode(node);
  const TreePlace place = TreePlace::of(node);
  if (directory == kRoot) return node;
  if (place.position == 0) return control_->inode(ControlTree::snapshots_directory(place.slot));
  ASL_ASSIGN(const PlaceInDirectory at, place_in_directory(node));
  return at.directory;
}

Reply<std::vector<ListedName>> FileView::list_control(std::uint64_t directory) {
  return control_->list(directory);
}

Reply<void> FileView::list_tree(std::uint64_t directory, std::uint64_t index, const TreeVisitor& visit) {
  ASL_ASSIGN(const Located at, locate(resolved(directory)));
  Entry entry;
  struct stat status;
  for (;;) {
    ASL_ASSIGN(const LeafPointer leaf, at.tree->leaf_with(at.place.position, index));
    if (!leaf) return {};
    for (auto number = static_cast<std::uint32_t>(index - leaf->first_index); number < leaf->leaf.count();
         ++number, ++index) {
      leaf->leaf.entry(number, entry);
      const std::uint32_t position = leaf->position_of(number);
      status = status_of(entry, inode_of(at, position, entry));
      const TreePlace place{at.place.slot, at.place.snapshot, position};
      if (!visit({.index = index, .name = entry.name, .node = place.node_id(), .status = &status})) return {};
    }
  }
}

}  // namespace asl::fusefs
