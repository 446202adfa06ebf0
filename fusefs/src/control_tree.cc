#include "control_tree.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <unistd.h>
#include <utility>

#include "attributes.h"
#include "log_text.h"
#include "node_id.h"

namespace asl::fusefs {
namespace {

constexpr unsigned kKindShift = 59;
constexpr unsigned kSlotShift = 48;
constexpr std::uint64_t kPayloadMask = (1ULL << kSlotShift) - 1;

// Certificates and policies are some KiB; what is larger is not one.
constexpr std::uint64_t kHostFileBytesMax = 16 << 20;

constexpr mode_t kOpenDirectory = S_IFDIR | 0555;
// Who knows a digest may read the bytes, whatever the modes of files that hold them: only the owner then.
constexpr mode_t kPrivateDirectory = S_IFDIR | 0500;
constexpr mode_t kPrivateFile = S_IFREG | 0400;
constexpr mode_t kLink = S_IFLNK | 0777;

// Numbers as snapshots have them: no sign, no leading zero.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || text.starts_with('0')) return std::nullopt;
  return value;
}

std::string link_text(std::uint64_t snapshot, bool from_labels) {
  return (from_labels ? "../snapshots/" : "snapshots/") + std::to_string(snapshot);
}

}  // namespace

ControlTree::ControlTree(DomainSet& domains) : domains_(domains) {
  base_.st_uid = ::geteuid();
  base_.st_gid = ::getegid();
  base_.st_nlink = 1;
  base_.st_blksize = kBlockSize;
  ::clock_gettime(CLOCK_REALTIME, &base_.st_mtim);
  base_.st_atim = base_.st_mtim;
  base_.st_ctim = base_.st_mtim;
}

std::uint64_t ControlTree::pack(const Node& node) {
  if (node.kind == Kind::kRoot) return kRoot;
  return kControlBit | static_cast<std::uint64_t>(node.kind) << kKindShift |
         std::uint64_t{node.slot} << kSlotShift | (node.payload & kPayloadMask);
}

ControlTree::Node ControlTree::unpack(std::uint64_t id) {
  if (id == kRoot) return {};
  return {.kind = static_cast<Kind>(id >> kKindShift & 0xF),
          .slot = static_cast<std::uint32_t>(id >> kSlotShift & kSlotMax),
          .payload = id & kPayloadMask};
}

std::uint64_t ControlTree::domain_directory(std::uint32_t slot) {
  return pack({.kind = Kind::kDomain, .slot = slot});
}
std::uint64_t ControlTree::snapshots_directory(std::uint32_t slot) {
  return pack({.kind = Kind::kSnapshots, .slot = slot});
}
std::uint64_t ControlTree::labels_directory(std::uint32_t slot) {
  return pack({.kind = Kind::kLabels, .slot = slot});
}
std::uint64_t ControlTree::facts_directory(std::uint32_t slot) {
  return pack({.kind = Kind::kFacts, .slot = slot});
}

Reply<DomainView*> ControlTree::domain_of(const Node& node) {
  DomainView* domain = domains_.by_slot(node.slot);
  if (domain == nullptr) return refuse(ESTALE);
  return domain;
}

std::string ControlTree::path_of(DomainView* domain, const Node& node) {
  if (domain == nullptr) return "";
  std::string path = "/" + to_hex(domain->domain().id());
  switch (node.kind) {
    case Kind::kIdLink:
      return path + " link";
    case Kind::kSnapshots:
      return path + "/snapshots";
    case Kind::kLabels:
      return path + "/by-label";
    case Kind::kLatest:
      return path + "/latest";
    case Kind::kLabel:
      return path + "/by-label/" + std::to_string(node.payload);
    case Kind::kBlobs:
      return path + "/blobs";
    case Kind::kFacts:
      return path + "/.asl";
    case Kind::kLog:
      return path + "/.asl/log.txt";
    case Kind::kDomainFile:
      return path + "/.asl/domain.json";
    case Kind::kFolder:
      return path + "/.asl/" + std::string(kFactFolders[node.payload % std::size(kFactFolders)]);
    case Kind::kReceipts:
      return path + "/.asl/receipts";
    case Kind::kRoot:
    case Kind::kDomain:
    case Kind::kTable:
      break;
  }
  return path;
}

struct stat ControlTree::plain_status(mode_t mode, std::uint64_t inode) const {
  struct stat status = base_;
  status.st_mode = mode;
  status.st_ino = inode;
  return status;
}

Reply<struct stat> ControlTree::status(std::uint64_t id) {
  const Node node = unpack(id);
  if (node.kind == Kind::kRoot) {
    struct stat status = plain_status(kOpenDirectory, path_inode(""));
    status.st_mtim = status.st_ctim = domains_.changed_at();
    return status;
  }
  if (node.kind == Kind::kTable) {
    const auto row = table_.find(node.payload);
    if (!row) return refuse(ESTALE);
    return status_of_table(*row);
  }
  ASL_ASSIGN(DomainView * domain, domain_of(node));
  struct stat status = plain_status(kOpenDirectory, path_inode(path_of(domain, node)));
  switch (node.kind) {
    case Kind::kIdLink:
    case Kind::kLatest:
    case Kind::kLabel:
      return status_of_link(*domain, node, status);
    case Kind::kBlobs:
      status.st_mode = kPrivateDirectory;
      return status;
    case Kind::kLog: {
      ASL_ASSIGN(const auto text, log_text(*domain));
      status.st_mode = kPrivateFile;
      status.st_size = static_cast<off_t>(text->size());
      return status;
    }
    case Kind::kDomainFile: {
      const auto on_host = domain->domain().io().status(domain->domain().directory() + "/domain.json");
      if (!on_host) return refuse(ENOENT);
      status.st_mode = S_IFREG | 0444;
      status.st_size = on_host->st_size;
      status.st_mtim = on_host->st_mtim;
      return status;
    }
    default: {
      ASL_ASSIGN(status.st_mtim, changed_at(*domain, node));
      status.st_ctim = status.st_mtim;
      return status;
    }
  }
}

Reply<std::uint64_t> ControlTree::inode(std::uint64_t id) {
  const Node node = unpack(id);
  if (node.kind == Kind::kRoot) return path_inode("");
  ASL_ASSIGN(DomainView * domain, domain_of(node));
  return path_inode(path_of(domain, node));
}

Reply<std::uint64_t> ControlTree::parent_inode(std::uint64_t id) {
  const Node node = unpack(id);
  switch (node.kind) {
    case Kind::kRoot:
    case Kind::kDomain:
      return inode(kRoot);
    case Kind::kFolder:
    case Kind::kReceipts:
      return inode(facts_directory(node.slot));
    default:
      return inode(domain_directory(node.slot));
  }
}

Reply<timespec> ControlTree::changed_at(DomainView& domain, const Node& directory) {
  if (directory.kind != Kind::kFolder) return domain.changed_at();
  const std::string path = domain.domain().directory() + "/" +
                           std::string(kFactFolders[directory.payload % std::size(kFactFolders)]);
  const auto on_host = domain.domain().io().status(path);
  return on_host ? on_host->st_mtim : base_.st_mtim;
}

Reply<struct stat> ControlTree::status_of_link(DomainView& domain, const Node& node, struct stat status) {
  status.st_mode = kLink;
  const std::size_t size = node.kind == Kind::kIdLink
                               ? domain.name().size()
                               : link_text(node.payload, node.kind == Kind::kLabel).size();
  status.st_size = static_cast<off_t>(size);
  return status;
}

Reply<struct stat> ControlTree::status_of_table(const TableNode& row) {
  if (const auto* blob = std::get_if<BlobNode>(&row)) {
    DomainView* domain = domains_.by_slot(blob->slot);
    if (domain == nullptr) return refuse(ESTALE);
    ASL_ASSIGN(const Artifact artifact, domain->domain().find(blob->ref));
    struct stat status = plain_status(kPrivateFile, digest_inode(blob->ref.digest));
    status.st_size = static_cast<off_t>(artifact.length());
    status.st_blocks = (status.st_size + 511) / 512;
    return status;
  }
  const auto& file = std::get<HostFileNode>(row);
  struct stat on_host{};
  if (::stat(file.path.c_str(), &on_host) != 0) return refuse(ENOENT);
  struct stat status = plain_status(S_IFREG | 0444, path_inode(file.shown));
  status.st_size = on_host.st_size;
  status.st_mtim = on_host.st_mtim;
  return status;
}

Reply<NodeAnswer> ControlTree::answer(const Node& node) {
  const std::uint64_t id = pack(node);
  ASL_ASSIGN(const struct stat found, status(id));
  return NodeAnswer{
      .node = id, .status = found, .entry_seconds = kControlSeconds, .attribute_seconds = kControlSeconds};
}

Reply<NodeAnswer> ControlTree::answer_table(const std::string& key, const TableNode& row, double seconds) {
  ASL_ASSIGN(const struct stat found, status_of_table(row));
  const std::uint64_t number = table_.remember(key, row);
  return NodeAnswer{.node = pack({.kind = Kind::kTable, .payload = number}),
                    .status = found,
                    .entry_seconds = seconds,
                    .attribute_seconds = seconds};
}

Reply<NodeAnswer> ControlTree::lookup(std::uint64_t directory, std::string_view name) {
  const Node node = unpack(directory);
  if (node.kind == Kind::kRoot) return lookup_domain(name);
  if (node.kind == Kind::kTable) return refuse(ENOTDIR);
  ASL_ASSIGN(DomainView * domain, domain_of(node));
  if (node.kind != Kind::kBlobs) ASL_TRY(domain->refresh());
  switch (node.kind) {
    case Kind::kDomain:
      return lookup_in_domain(*domain, name);
    case Kind::kSnapshots:
      return lookup_snapshot(*domain, name);
    case Kind::kLabels: {
      const std::shared_ptr<const LogState> state = domain->domain().state();
      const SnapshotState* snapshot = state->find_label(name);
      if (snapshot == nullptr) return refuse(ENOENT);
      return answer({.kind = Kind::kLabel, .slot = node.slot, .payload = snapshot->id});
    }
    case Kind::kBlobs:
      return lookup_blob(*domain, name);
    case Kind::kFacts:
      return lookup_fact(*domain, name);
    case Kind::kFolder:
      return lookup_host_file(*domain, node.payload, name);
    case Kind::kReceipts:
      return lookup_receipt(*domain, name);
    default:
      return refuse(ENOTDIR);
  }
}

Reply<NodeAnswer> ControlTree::lookup_domain(std::string_view name) {
  DomainView* domain = domains_.by_name(name);
  if (domain == nullptr) return refuse(ENOENT);
  const Kind kind = domain->name() == name ? Kind::kDomain : Kind::kIdLink;
  return answer({.kind = kind, .slot = domain->slot()});
}

Reply<NodeAnswer> ControlTree::lookup_in_domain(DomainView& domain, std::string_view name) {
  const std::uint32_t slot = domain.slot();
  if (name == "snapshots") return answer({.kind = Kind::kSnapshots, .slot = slot});
  if (name == "by-label") return answer({.kind = Kind::kLabels, .slot = slot});
  if (name == "blobs") return answer({.kind = Kind::kBlobs, .slot = slot});
  if (name == ".asl") return answer({.kind = Kind::kFacts, .slot = slot});
  if (name != "latest") return refuse(ENOENT);
  const std::shared_ptr<const LogState> state = domain.domain().state();
  const SnapshotState* current = state->current_snapshot();
  if (current == nullptr) return refuse(ENOENT);
  return answer({.kind = Kind::kLatest, .slot = slot, .payload = current->id});
}

Reply<NodeAnswer> ControlTree::lookup_snapshot(DomainView& domain, std::string_view name) {
  const auto id = parse_number(name);
  if (!id) return refuse(ENOENT);
  auto tree = domain.tree(*id);
  if (!tree) return tree.error().number == ESTALE ? refuse(ENOENT) : std::unexpected(tree.error());
  const TreePlace place{domain.slot(), static_cast<std::uint32_t>(*id), 0};
  return NodeAnswer{.node = place.node_id(),
                    .status = status_of((*tree)->root(), place.node_id()),
                    .entry_seconds = kControlSeconds,
                    .attribute_seconds = kForever};
}

Reply<NodeAnswer> ControlTree::lookup_blob(DomainView& domain, std::string_view name) {
  const auto digest = digest_from_hex(name);
  if (!digest) return refuse(ENOENT);
  for (const std::uint16_t hash_id : {kHashIdSha256, kHashIdAsl1}) {
    const Reference ref{hash_id, *digest};
    const auto found = domain.domain().find(ref);
    if (!found && found.error().code == ErrorCode::kNotFound) continue;
    ASL_TRY(found);
    const std::string key = std::to_string(domain.slot()) + " " + to_text(ref);
    return answer_table(key, BlobNode{.slot = domain.slot(), .ref = ref}, kForever);
  }
  return refuse(ENOENT);
}

Reply<NodeAnswer> ControlTree::lookup_fact(DomainView& domain, std::string_view name) {
  const std::uint32_t slot = domain.slot();
  const std::uint64_t logseq = domain.domain().state()->last_logseq();
  if (name == "domain.json") return answer({.kind = Kind::kDomainFile, .slot = slot, .payload = logseq});
  // Another text is another node: what the kernel keeps of one is never stale.
  if (name == "log.txt") return answer({.kind = Kind::kLog, .slot = slot, .payload = logseq});
  if (name == "receipts") return answer({.kind = Kind::kReceipts, .slot = slot});
  for (std::uint64_t k = 0; k < std::size(kFactFolders); ++k)
    if (name == kFactFolders[k]) return answer({.kind = Kind::kFolder, .slot = slot, .payload = k});
  return refuse(ENOENT);
}

Reply<NodeAnswer> ControlTree::lookup_receipt(DomainView& domain, std::string_view name) {
  const auto digest = digest_from_hex(name);
  if (!digest) return refuse(ENOENT);
  const std::shared_ptr<const LogState> state = domain.domain().state();
  const auto& executions = state->executions();
  const auto found = std::ranges::find_if(
      executions, [&](const auto& execution) { return execution.record.receipt.digest == *digest; });
  if (found == executions.end()) return refuse(ENOENT);
  return lookup_blob(domain, name);
}

Reply<NodeAnswer> ControlTree::lookup_host_file(DomainView& domain, std::uint64_t folder,
                                                std::string_view name) {
  const std::string inside =
      std::string(kFactFolders[folder % std::size(kFactFolders)]) + "/" + std::string(name);
  const std::string path = domain.domain().directory() + "/" + inside;
  struct stat on_host{};
  // Links are not followed: they could lead out of the store.
  if (::lstat(path.c_str(), &on_host) != 0 || !S_ISREG(on_host.st_mode)) return refuse(ENOENT);
  const std::string shown = "/" + to_hex(domain.domain().id()) + "/.asl/" + inside;
  return answer_table(shown, HostFileNode{.path = path, .shown = shown}, kControlSeconds);
}

void ControlTree::forget(std::uint64_t node, std::uint64_t lookups) {
  const Node unpacked = unpack(node);
  if (unpacked.kind == Kind::kTable) table_.forget(unpacked.payload, lookups);
}

Reply<std::string> ControlTree::link_target(std::uint64_t id) {
  const Node node = unpack(id);
  ASL_ASSIGN(DomainView * domain, domain_of(node));
  switch (node.kind) {
    case Kind::kIdLink:
      return domain->name();
    case Kind::kLatest:
    case Kind::kLabel:
      return link_text(node.payload, node.kind == Kind::kLabel);
    default:
      return refuse(EINVAL);
  }
}

Reply<ControlContent> ControlTree::open(std::uint64_t id) {
  const Node node = unpack(id);
  std::string path;
  if (node.kind == Kind::kTable) {
    const auto row = table_.find(node.payload);
    if (!row) return refuse(ESTALE);
    if (const auto* blob = std::get_if<BlobNode>(&*row)) {
      DomainView* domain = domains_.by_slot(blob->slot);
      if (domain == nullptr) return refuse(ESTALE);
      ASL_ASSIGN(Artifact artifact, domain->domain().find(blob->ref));
      return artifact;
    }
    path = std::get<HostFileNode>(*row).path;
  } else {
    ASL_ASSIGN(DomainView * domain, domain_of(node));
    if (node.kind == Kind::kLog) {
      ASL_ASSIGN(auto text, log_text(*domain));
      return text;
    }
    if (node.kind != Kind::kDomainFile) return refuse(EISDIR);
    path = domain->domain().directory() + "/domain.json";
  }
  const std::vector<DomainView*> views = domains_.all();
  if (views.empty()) return refuse(ESTALE);
  ASL_ASSIGN(Bytes bytes, io::read_file(views.front()->domain().io(), path, kHostFileBytesMax));
  return std::make_shared<const Bytes>(std::move(bytes));
}

bool ControlTree::is_unchanging(std::uint64_t id) {
  const Node node = unpack(id);
  if (node.kind == Kind::kLog) return true;  // another text is another node
  if (node.kind != Kind::kTable) return false;
  const auto row = table_.find(node.payload);
  return row && std::holds_alternative<BlobNode>(*row);
}

Reply<Bytes> ControlTree::xattr(std::uint64_t id, std::string_view name) {
  const Node node = unpack(id);
  if (node.kind == Kind::kTable) {
    const auto row = table_.find(node.payload);
    if (!row) return refuse(ESTALE);
    if (const auto* blob = std::get_if<BlobNode>(&*row)) return blob_xattr_value(blob->ref, name);
  }
  return refuse(ENODATA);
}

Reply<std::shared_ptr<const Bytes>> ControlTree::log_text(DomainView& domain) {
  const std::uint64_t logseq = domain.domain().state()->last_logseq();
  const std::lock_guard lock(text_mutex_);
  if (text_ && text_domain_ == &domain && text_logseq_ == logseq) return text_;
  ASL_ASSIGN(Bytes text, log_in_words(domain.domain(), logseq));
  text_ = std::make_shared<const Bytes>(std::move(text));
  text_domain_ = &domain;
  text_logseq_ = logseq;
  return text_;
}

}  // namespace asl::fusefs
