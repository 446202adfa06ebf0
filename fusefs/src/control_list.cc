// What the control directories list.
#include <algorithm>
#include <dirent.h>
#include <utility>

#include "control_tree.h"
#include "node_id.h"

namespace asl::fusefs {
namespace {

// Where names come and go rarely, and a listing is short: a change in the middle of one may show a name
// twice.
void number(std::vector<ListedName>& names) {
  for (std::uint64_t k = 0; k < names.size(); ++k) names[k].place = k;
}

}  // namespace

ListedName ControlTree::listed(DomainView* domain, const Node& node, std::string name, mode_t type) {
  return {.name = std::move(name), .inode = path_inode(path_of(domain, node)), .type = type};
}

Reply<std::vector<ListedName>> ControlTree::list(std::uint64_t directory) {
  const Node node = unpack(directory);
  if (node.kind == Kind::kRoot) return list_domains();
  if (node.kind == Kind::kTable) return refuse(ENOTDIR);
  ASL_ASSIGN(DomainView * domain, domain_of(node));
  ASL_TRY(domain->refresh());
  switch (node.kind) {
    case Kind::kDomain:
      return list_domain(*domain);
    case Kind::kSnapshots:
      return list_snapshots(*domain);
    case Kind::kLabels:
      return list_labels(*domain);
    case Kind::kBlobs:
      return std::vector<ListedName>();  // there may be a hundred million
    case Kind::kFacts:
      return list_facts(*domain);
    case Kind::kFolder:
      return list_folder(*domain, node.payload);
    case Kind::kReceipts:
      return list_receipts(*domain);
    default:
      return refuse(ENOTDIR);
  }
}

std::vector<ListedName> ControlTree::list_domains() {
  std::vector<ListedName> names;
  for (DomainView* domain : domains_.all()) {
    names.push_back(listed(domain, {.kind = Kind::kDomain, .slot = domain->slot()}, domain->name(), S_IFDIR));
    names.back().place = domain->slot();
  }
  return names;
}

std::vector<ListedName> ControlTree::list_domain(DomainView& domain) {
  const std::uint32_t slot = domain.slot();
  std::vector<ListedName> names{
      listed(&domain, {.kind = Kind::kSnapshots, .slot = slot}, "snapshots", S_IFDIR),
      listed(&domain, {.kind = Kind::kLabels, .slot = slot}, "by-label", S_IFDIR),
      listed(&domain, {.kind = Kind::kBlobs, .slot = slot}, "blobs", S_IFDIR),
      listed(&domain, {.kind = Kind::kFacts, .slot = slot}, ".asl", S_IFDIR)};
  if (domain.domain().state()->current_snapshot() != nullptr)
    names.push_back(listed(&domain, {.kind = Kind::kLatest, .slot = slot}, "latest", S_IFLNK));
  number(names);
  return names;
}

std::vector<ListedName> ControlTree::list_snapshots(DomainView& domain) {
  std::vector<ListedName> names;
  const std::shared_ptr<const LogState> state = domain.domain().state();
  for (const auto& [id, snapshot] : state->snapshots()) {
    if (snapshot.forgotten || id > kSnapshotIdMax) continue;
    const TreePlace root{domain.slot(), static_cast<std::uint32_t>(id), 0};
    names.push_back({.name = std::to_string(id), .inode = root.node_id(), .type = S_IFDIR, .place = id});
  }
  return names;
}

std::vector<ListedName> ControlTree::list_labels(DomainView& domain) {
  std::vector<ListedName> names;
  const std::shared_ptr<const LogState> state = domain.domain().state();
  for (const auto& [id, snapshot] : state->snapshots()) {
    if (snapshot.forgotten || snapshot.label.empty() || state->find_label(snapshot.label) != &snapshot)
      continue;
    // Logs of other programs may hold labels that are no file names.
    if (!is_valid_name(snapshot.label)) continue;
    names.push_back(listed(&domain, {.kind = Kind::kLabel, .slot = domain.slot(), .payload = id},
                           snapshot.label, S_IFLNK));
    names.back().place = id;
  }
  return names;
}

std::vector<ListedName> ControlTree::list_facts(DomainView& domain) {
  const std::uint32_t slot = domain.slot();
  std::vector<ListedName> names;
  if (io::exists(domain.domain().io(), domain.domain().directory() + "/domain.json"))
    names.push_back(listed(&domain, {.kind = Kind::kDomainFile, .slot = slot}, "domain.json", S_IFREG));
  names.push_back(listed(&domain, {.kind = Kind::kLog, .slot = slot}, "log.txt", S_IFREG));
  for (std::uint64_t k = 0; k < std::size(kFactFolders); ++k)
    names.push_back(listed(&domain, {.kind = Kind::kFolder, .slot = slot, .payload = k},
                           std::string(kFactFolders[k]), S_IFDIR));
  names.push_back(listed(&domain, {.kind = Kind::kReceipts, .slot = slot}, "receipts", S_IFDIR));
  number(names);
  return names;
}

std::vector<ListedName> ControlTree::list_receipts(DomainView& domain) {
  std::vector<ListedName> names;
  const std::shared_ptr<const LogState> state = domain.domain().state();
  for (const auto& execution : state->executions()) {
    const Digest& digest = execution.record.receipt.digest;
    names.push_back({.name = to_hex(digest), .inode = digest_inode(digest), .type = S_IFREG});
  }
  number(names);
  return names;
}

Reply<std::vector<ListedName>> ControlTree::list_folder(DomainView& domain, std::uint64_t folder) {
  const std::string inside = std::string(kFactFolders[folder % std::size(kFactFolders)]);
  std::vector<ListedName> names;
  const auto entries = domain.domain().io().list(domain.domain().directory() + "/" + inside);
  // Media and copies need not have the directory.
  if (!entries) return names;
  const std::string shown = "/" + to_hex(domain.domain().id()) + "/.asl/" + inside + "/";
  for (const io::ListedEntry& entry : *entries)
    if (entry.type == DT_REG)
      names.push_back({.name = entry.name, .inode = path_inode(shown + entry.name), .type = S_IFREG});
  std::ranges::sort(names, {}, &ListedName::name);
  number(names);
  return names;
}

}  // namespace asl::fusefs
