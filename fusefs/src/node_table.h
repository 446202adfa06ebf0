// Nodes that have no number of their own: blobs and files beside the snapshots, for as long as the kernel
// remembers them.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include <asl/engine/reference.h>

namespace asl::fusefs {

struct BlobNode {
  std::uint32_t slot = 0;
  Reference ref;
};
struct HostFileNode {
  std::string path;   // on the host
  std::string shown;  // in the mount
};
using TableNode = std::variant<BlobNode, HostFileNode>;

// Bounded by what the kernel keeps: an entry goes when it is forgotten. Thread-safe.
class NodeTable {
 public:
  // The number of the node with this key, one more look-up counted. Numbers are never used twice.
  std::uint64_t remember(const std::string& key, const TableNode& node);
  std::optional<TableNode> find(std::uint64_t number) const;
  void forget(std::uint64_t number, std::uint64_t lookups);
  std::size_t size() const;

 private:
  struct Row {
    std::string key;
    TableNode node;
    std::uint64_t lookups = 0;
  };
  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::unordered_map<std::uint64_t, Row> rows_;
  std::unordered_map<std::string, std::uint64_t> numbers_;
};

}  // namespace asl::fusefs
