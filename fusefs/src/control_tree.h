// Everything around the snapshots: domains, lists of snapshots and labels, blobs, and the files in .asl.
//
//   /<alias or id>/  snapshots/<n>  by-label/<label>  latest  blobs/<64 hex>
//   .asl/            domain.json  log.txt  dam/  policies/  certs/  receipts/
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <variant>
#include <vector>

#include "domain_set.h"
#include "failure.h"
#include "node_table.h"

namespace asl::fusefs {

// What is in a snapshot, or was found by its digest, never changes; names outside may point elsewhere soon.
inline constexpr double kForever = 1e9;         // seconds
inline constexpr double kControlSeconds = 1.0;  // for names and attributes in control directories

// The directories of a domain that are shown in .asl as they lie on the host.
inline constexpr std::string_view kFactFolders[] = {"dam", "policies", "certs"};

// What a look-up finds. Node 0: there is no such name, and there never will be.
struct NodeAnswer {
  std::uint64_t node = 0;
  struct stat status{};
  double entry_seconds = 0;
  double attribute_seconds = 0;
};

struct ListedName {
  std::string name;
  std::uint64_t inode = 0;
  mode_t type = 0;
  // Names come by ascending place, and keep theirs while others come and go.
  std::uint64_t place = 0;
};

// A file's content: text made for it, or an artifact.
using ControlContent = std::variant<std::shared_ptr<const Bytes>, Artifact>;

// Node ids here have kControlBit, except that of the root. Thread-safe.
class ControlTree {
 public:
  static constexpr std::uint64_t kRoot = 1;  // FUSE's number for a mount's root

  // What is shown belongs to the user who mounts, and dates from then. `domains` must outlive the object.
  explicit ControlTree(DomainSet& domains);

  // ENOENT if there is no such name (now).
  Reply<NodeAnswer> lookup(std::uint64_t directory, std::string_view name);
  void forget(std::uint64_t node, std::uint64_t lookups);
  Reply<struct stat> status(std::uint64_t node);
  Reply<std::string> link_target(std::uint64_t node);
  Reply<std::vector<ListedName>> list(std::uint64_t directory);
  Reply<ControlContent> open(std::uint64_t node);
  // Whether the file's content can never be another.
  bool is_unchanging(std::uint64_t node);
  Reply<Bytes> xattr(std::uint64_t node, std::string_view name);

  // st_ino of a control node, and of the directory that holds it (the root holds itself).
  Reply<std::uint64_t> inode(std::uint64_t node);
  Reply<std::uint64_t> parent_inode(std::uint64_t node);

  // For telling the kernel: the directories whose entries a new commit may change.
  static std::uint64_t domain_directory(std::uint32_t slot);
  static std::uint64_t snapshots_directory(std::uint32_t slot);
  static std::uint64_t labels_directory(std::uint32_t slot);
  static std::uint64_t facts_directory(std::uint32_t slot);

 private:
  enum class Kind : std::uint8_t {
    kRoot,
    kIdLink,  // <id> -> <alias>
    kDomain,
    kSnapshots,
    kLabels,
    kLatest,  // payload: snapshot
    kLabel,   // payload: snapshot
    kBlobs,
    kFacts,  // .asl
    kLog,    // payload: the log's last record
    kDomainFile,
    kFolder,  // payload: which one below .asl
    kReceipts,
    kTable,  // payload: number in the table
  };
  struct Node {
    Kind kind = Kind::kRoot;
    std::uint32_t slot = 0;
    std::uint64_t payload = 0;
  };
  static std::uint64_t pack(const Node& node);
  static Node unpack(std::uint64_t id);

  Reply<NodeAnswer> lookup_domain(std::string_view name);
  Reply<NodeAnswer> lookup_in_domain(DomainView& domain, std::string_view name);
  Reply<NodeAnswer> lookup_snapshot(DomainView& domain, std::string_view name);
  Reply<NodeAnswer> lookup_blob(DomainView& domain, std::string_view name);
  Reply<NodeAnswer> lookup_fact(DomainView& domain, std::string_view name);
  Reply<NodeAnswer> lookup_receipt(DomainView& domain, std::string_view name);
  Reply<NodeAnswer> lookup_host_file(DomainView& domain, std::uint64_t folder, std::string_view name);
  Reply<NodeAnswer> answer(const Node& node);
  Reply<NodeAnswer> answer_table(const std::string& key, const TableNode& row, double seconds);

  Reply<struct stat> status_of_table(const TableNode& row);
  Reply<struct stat> status_of_link(DomainView& domain, const Node& node, struct stat status);
  std::vector<ListedName> list_domains();
  std::vector<ListedName> list_snapshots(DomainView& domain);
  std::vector<ListedName> list_labels(DomainView& domain);
  std::vector<ListedName> list_domain(DomainView& domain);
  std::vector<ListedName> list_facts(DomainView& domain);
  std::vector<ListedName> list_receipts(DomainView& domain);
  Reply<std::vector<ListedName>> list_folder(DomainView& domain, std::uint64_t folder);

  // The path by which an inode number is made: stable, whatever a domain is called now.
  std::string path_of(DomainView* domain, const Node& node);
  ListedName listed(DomainView* domain, const Node& node, std::string name, mode_t type);
  Reply<DomainView*> domain_of(const Node& node);
  struct stat plain_status(mode_t mode, std::uint64_t inode) const;
  // The kernel keeps a listing until this moves.
  Reply<timespec> changed_at(DomainView& domain, const Node& directory);
  Reply<std::shared_ptr<const Bytes>> log_text(DomainView& domain);

  DomainSet& domains_;
  NodeTable table_;
  struct stat base_{};  // owner and times

  std::mutex text_mutex_;  // guards the last log that was put into words
  const DomainView* text_domain_ = nullptr;
  std::uint64_t text_logseq_ = 0;
  std::shared_ptr<const Bytes> text_;
};

}  // namespace asl::fusefs
