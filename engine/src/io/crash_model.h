// What a directory may look like after a power cut: a log of operations, and the states that it allows.
// doc/io.md tells the model in words.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>

#include "io/sparse_bytes.h"

namespace asl::io {

// A file or directory of the model, whatever names it has. 0 is the root directory.
using NodeId = std::uint32_t;
inline constexpr NodeId kRootNode = 0;

enum class OperationKind : std::uint8_t {
  kWrite,
  kTruncate,
  kAllocate,
  kSyncData,
  kSync,
  kSyncFailed,  // of a file: what was not durable then can become so only by being written again
  kCreate,
  kMakeDirectory,
  kRename,
  kLink,
  kRemove,
  kRemoveDirectory,
  kSyncDirectory,
  kSyncDirectoryFailed,
};
std::string_view operation_name(OperationKind kind);

struct Operation {
  static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

  OperationKind kind = OperationKind::kWrite;
  std::string path = {};         // for people: relative to the root, as it was named then
  std::string to = {};           // of rename and link
  NodeId node = kRootNode;       // the file (of syncs of directories: the directory) concerned
  NodeId directory = kRootNode;  // where `name` is (of rename: was)
  std::string name = {};
  NodeId to_directory = kRootNode;  // of rename and link
  std::string to_name = {};
  std::uint64_t offset = 0;  // of writes
  std::uint64_t length = 0;  // of writes, truncate, allocate
  Bytes data = {};  // of writes; of create, what a file linked or renamed into the root brought along
  // Of writes: how many operations were in the log when the writer learnt that it had succeeded. Only a later
  // sync covers it. kNever: it failed, or nobody waited for it; any part of it may be there.
  std::size_t completed_at = 0;
};

// What happens to operations that no barrier made durable.
struct CrashPolicy {
  enum class Data : std::uint8_t {
    kLost,
    kKept,
    kTorn,  // of each write every other unit, beginning with the first or second by chance; others by chance
    kSizeOnly,  // the file is as long as the write made it, but the bytes are not there
    kRandom,    // for each operation one of the above
  };
  enum class Names : std::uint8_t {
    kLost,
    kKept,
    kOrdered,      // per directory, the first few are kept
    kIndependent,  // each by itself
  };
  Data data = Data::kLost;
  Names names = Names::kLost;
  std::uint64_t tear_unit_bytes = 512;  // or 4096: what the medium writes whole
  std::uint64_t seed = 0;               // the same seed gives the same state
};

// A directory tree in memory.
class ModelTree {
 public:
  ModelTree();
  // A new node; the id is the smallest not yet used.
  NodeId add_file(SparseBytes content);
  NodeId add_directory();
  void set_entry(NodeId directory, const std::string& name, NodeId node);
  void remove_entry(NodeId directory, const std::string& name);
  std::optional<NodeId> entry(NodeId directory, const std::string& name) const;
  // By relative path with single slashes; "" is the root.
  std::optional<NodeId> find(std::string_view path) const;
  bool is_directory(NodeId node) const { return nodes_[node].is_directory; }
  SparseBytes& content(NodeId node) { return nodes_[node].content; }
  const SparseBytes& content(NodeId node) const { return nodes_[node].content; }
  // Makes `path`, which must not exist, a copy: hard links are kept, nothing is synced.
  Result<void> write_to(Io& io, const std::string& path) const;

 private:
  struct Node {
    bool is_directory = false;
    SparseBytes content;                  // of a file
    std::map<std::string, NodeId> names;  // of a directory
  };
  Result<void> write_file(Io& io, NodeId node, const std::string& path) const;

  std::vector<Node> nodes_;
};

// The state after a power cut that followed the first `count` operations on `base` (all of which is durable).
// Nodes made by kCreate and kMakeDirectory must have been numbered in the order of the log, after those of
// `base`.
ModelTree state_after_crash(const ModelTree& base, std::span<const Operation> operations, std::size_t count,
                            const CrashPolicy& policy);

}  // namespace asl::io
